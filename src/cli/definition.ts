/** Every command that people use, as data. Handlers are in `command/`, one file each; `registry.ts` joins the two. */
import { MEMORY_SCOPES, PROVIDERS } from "../domain/workflow.ts";
import { RUN_STATES } from "../domain/run.ts";
import { define } from "./flag.ts";

const json = { type: "boolean", description: "Print one JSON document" } as const;

const provider = {
  type: "text",
  value: "NAME",
  description: "Model provider",
  choices: PROVIDERS,
} as const;

export const databaseUrl = {
  type: "text",
  value: "URL",
  description: "Database, as sqlite:///path",
  variable: "AGENTS_DB_URL",
} as const;

export const START = define({
  name: "start",
  summary: "Start the dashboard, the workers and the chat (the default)",
  details: [
    "Starts all services, prints their addresses and follows their logs until Ctrl-C. A second Ctrl-C ends at once. On the first start in a terminal the setup questions come first.",
  ],
  examples: ["agents start --port 8080", "agents start --yes --no-mlflow"],
  positionals: [],
  flags: {
    host: {
      type: "text",
      value: "HOST",
      description: "Address to listen on (default 127.0.0.1)",
      variable: "AGENTS_HOST",
    },
    port: {
      type: "text",
      value: "PORT",
      description: "Port of the dashboard (default 7861; 0: a free one)",
      variable: "AGENTS_PORT",
    },
    chat: {
      type: "boolean",
      negative: true,
      description: "Run the chat that builds workflows (default: on)",
      variable: "AGENTS_CHAT",
    },
    "chat-port": {
      type: "text",
      value: "PORT",
      description: "Port of the chat (default 7860; 0: a free one)",
      variable: "AGENTS_CHAT_PORT",
    },
    mlflow: {
      type: "boolean",
      negative: true,
      description: "Run the MLflow tracking server (default: on)",
      variable: "AGENTS_MLFLOW",
    },
    "mlflow-port": {
      type: "text",
      value: "PORT",
      description: "Port of MLflow (default 5000)",
      variable: "AGENTS_MLFLOW_PORT",
    },
    "db-url": databaseUrl,
    workspace: {
      type: "text",
      value: "FOLDER",
      description: "Folder that tools and code work in",
      complete: "folder",
      variable: "AGENTS_WORKSPACE",
    },
    workers: {
      type: "text",
      value: "COUNT",
      description: "Worker processes (default 2)",
      variable: "AGENTS_WORKERS",
    },
    open: {
      type: "boolean",
      negative: true,
      description: "Open the dashboard in the browser",
      variable: "AGENTS_OPEN",
    },
    yes: { type: "boolean", short: "y", description: "Ask nothing" },
  },
});

export const SETUP = define({
  name: "setup",
  summary: "Choose provider, key, model and more; can be run again",
  details: [
    "Asks a few questions and writes the answers to .env in the data folder. With --yes, without a terminal or in CI it asks nothing and takes the flags, else what is set already, else defaults.",
  ],
  examples: [
    "agents setup",
    "agents setup --yes --provider openai --key-env MY_KEY",
    "agents setup --yes --provider anthropic --key-stdin < key.txt",
  ],
  positionals: [],
  flags: {
    provider: { ...provider, variable: "AGENTS_PROVIDER" },
    "key-env": {
      type: "text",
      value: "NAME",
      description: "Take the provider's key from this environment variable",
    },
    "key-stdin": { type: "boolean", description: "Read the provider's key from standard input" },
    "base-url": {
      type: "text",
      value: "URL",
      description: "Address of an ollama or openai-compatible server",
    },
    model: {
      type: "text",
      value: "NAME",
      description: "Model for workflows that name none",
      variable: "AGENTS_MODEL",
    },
    mlflow: {
      type: "boolean",
      negative: true,
      description: "Run MLflow at start",
      variable: "AGENTS_MLFLOW",
    },
    "install-mlflow": {
      type: "boolean",
      negative: true,
      description: "Install MLflow when it is missing",
    },
    "workflows-dir": {
      type: "text",
      value: "FOLDER",
      description: "Folder with your workflow files",
      complete: "folder",
      variable: "AGENTS_WORKFLOWS_DIR",
    },
    examples: {
      type: "boolean",
      negative: true,
      description: "Put the example workflows into that folder",
    },
    open: {
      type: "boolean",
      negative: true,
      description: "Open the browser at start",
      variable: "AGENTS_OPEN",
    },
    yes: { type: "boolean", short: "y", description: "Ask nothing" },
  },
});

export const STOP = define({
  name: "stop",
  summary: "Stop the running server of this data folder",
  positionals: [],
  flags: {},
});

export const STATUS = define({
  name: "status",
  summary: "Show what is running, and the runs by state",
  positionals: [],
  flags: { json, "db-url": databaseUrl },
});

export const LOGS = define({
  name: "logs",
  summary: "Show the logs of the services",
  examples: ["agents logs -f", "agents logs worker-1 -n 200"],
  positionals: [{ name: "SERVICE", required: false }],
  flags: {
    follow: { type: "boolean", short: "f", description: "Go on with new lines as they come" },
    lines: {
      type: "count",
      short: "n",
      value: "COUNT",
      description: "How many of the last lines (default 100)",
    },
  },
});

export const DOCTOR = define({
  name: "doctor",
  summary: "Check everything a start needs, and say what to do",
  details: [
    "--repair sets a damaged database aside under another name and puts the latest backup in its place; without a backup the next start makes an empty one. It changes nothing else.",
  ],
  positionals: [],
  flags: {
    repair: {
      type: "boolean",
      description: "set a damaged database aside and restore the latest backup",
    },
    json,
    "db-url": databaseUrl,
  },
});

export const BACKUP = define({
  name: "backup",
  summary: "Copy the database, also while the server runs",
  details: ["Without FILE into the folder backups of the data folder."],
  examples: ["agents backup", "agents backup /mnt/usb/agents.db"],
  positionals: [{ name: "FILE", required: false, complete: "file" }],
  flags: { "db-url": databaseUrl },
});

export const RESTORE = define({
  name: "restore",
  summary: "Put a copy in the place of the database",
  details: ["The copy is checked first. The present database is kept under another name."],
  examples: ["agents stop && agents restore backups/agents-20261120-104116.db"],
  positionals: [{ name: "FILE", required: true, complete: "file" }],
  flags: {
    stage: { type: "boolean", description: "Leave it to the next start of the server" },
    "db-url": databaseUrl,
  },
});

export const VALIDATE = define({
  name: "validate",
  summary: "Check workflow files and report every problem",
  examples: ["agents validate workflow.yaml", "agents validate workflows/*.yaml --json"],
  positionals: [{ name: "FILE", required: true, repeatable: true, complete: "file" }],
  flags: { json },
});

export const RUN = define({
  name: "run",
  summary: "Run a workflow file and show its progress",
  details: [
    "Progress goes to standard error, the result to standard output. Exit code 0 means that the run succeeded. With a running server its workers execute the run, else this process does. Ctrl-C cancels the run; a second Ctrl-C quits at once.",
    "--provider demo runs any file offline; no real AI is called.",
  ],
  examples: [
    'agents run workflow.yaml --input topic="AI Safety"',
    "agents run workflow.yaml --input-file inputs.json --json",
  ],
  positionals: [{ name: "FILE", required: true, complete: "file" }],
  flags: {
    input: {
      type: "list",
      short: "i",
      value: "NAME=VALUE",
      description: "An input; lists and objects as JSON",
    },
    "input-file": {
      type: "text",
      value: "FILE",
      description: "Inputs from a JSON or YAML file; --input wins",
      complete: "file",
    },
    provider: { ...provider, description: "Provider for this run, over the file's" },
    model: { type: "text", value: "NAME", description: "Model for this run, over the file's" },
    json: { type: "boolean", description: "Print one JSON document, nothing else" },
    watch: { type: "boolean", description: "Live view even without a terminal" },
    detach: { type: "boolean", short: "d", description: "Print the run's id and do not wait" },
    "db-url": databaseUrl,
  },
});

export const RUNS = define({
  name: "runs",
  summary: "List runs, or show one",
  examples: ["agents runs --state failed", "agents runs 01k9x2 --watch"],
  positionals: [{ name: "ID", required: false }],
  flags: {
    state: {
      type: "text",
      value: "STATE",
      description: "Only runs in this state",
      choices: RUN_STATES,
    },
    limit: { type: "count", value: "COUNT", description: "How many at most (default 20)" },
    watch: { type: "boolean", description: "Follow the run until it ends" },
    json,
    "db-url": databaseUrl,
  },
});

export const CANCEL = define({
  name: "cancel",
  summary: "Cancel a run",
  positionals: [{ name: "ID", required: true }],
  flags: { "db-url": databaseUrl },
});

/** Flags of the commands that let a run go on and show it. */
const following = {
  json: { type: "boolean", description: "Print one JSON document, nothing else" },
  watch: { type: "boolean", description: "Live view even without a terminal" },
  detach: { type: "boolean", short: "d", description: "Print the run's id and do not wait" },
  "db-url": databaseUrl,
} as const;

export const RESUME = define({
  name: "resume",
  summary: "Let a run go on that failed, was cancelled or waits",
  details: [
    "Finished steps are kept and not paid again; steps that failed or were cut off are tried once more. A run that waits for a timer, a rate limit or its budget goes on at once. An approval is given with `agents approve`.",
  ],
  examples: ["agents resume 01k9x2", "agents resume 01k9x2 --max-cost-usd 5"],
  positionals: [{ name: "RUN", required: true }],
  flags: {
    "max-cost-usd": {
      type: "text",
      value: "USD",
      description: "New limit for the run's whole cost",
    },
    "max-tokens": {
      type: "count",
      value: "COUNT",
      description: "New limit for the run's tokens in all",
    },
    "max-duration": {
      type: "text",
      value: "TIME",
      description: "New limit for the run's age, such as 12h",
    },
    ...following,
  },
});

export const RETRY = define({
  name: "retry",
  summary: "Do a run's step, and all that follows from it, anew",
  details: [
    "Without --from it does the steps again that failed. With --from STEP the run goes back to that step: its result and what followed from it no longer count, and are paid again.",
  ],
  examples: ["agents retry 01k9x2", "agents retry 01k9x2 --from write"],
  positionals: [{ name: "RUN", required: true }],
  flags: {
    from: { type: "text", value: "STEP", description: "Step to go back to" },
    ...following,
  },
});

export const RERUN = define({
  name: "rerun",
  summary: "Start a run again with the same version and inputs",
  positionals: [{ name: "RUN", required: true }],
  flags: following,
});

export const FORK = define({
  name: "fork",
  summary: "Start a new run from the middle of an old one",
  details: [
    "The new run takes over every finished step that does not follow from STEP, with its results and without its cost, and begins at STEP.",
  ],
  examples: ['agents fork 01k9x2 --from write --set tone="dry"'],
  positionals: [{ name: "RUN", required: true }],
  flags: {
    from: { type: "text", value: "STEP", description: "Step to begin at" },
    set: {
      type: "list",
      value: "NAME=VALUE",
      description: "A value of the state to change; lists and objects as JSON",
    },
    ...following,
  },
});

export const APPROVALS = define({
  name: "approvals",
  summary: "List the steps that wait for a person",
  positionals: [],
  flags: { json, "db-url": databaseUrl },
});

const deciding = {
  comment: { type: "text", short: "m", value: "TEXT", description: "Why; kept with the run" },
  "db-url": databaseUrl,
} as const;

export const APPROVE = define({
  name: "approve",
  summary: "Approve what a run asks",
  details: ["STEP is needed only when the run asks for more than one thing."],
  examples: ["agents approve 01k9x2", 'agents approve 01k9x2 publish -m "Looks good"'],
  positionals: [
    { name: "RUN", required: true },
    { name: "STEP", required: false },
  ],
  flags: deciding,
});

export const REJECT = define({
  name: "reject",
  summary: "Reject what a run asks",
  positionals: [
    { name: "RUN", required: true },
    { name: "STEP", required: false },
  ],
  flags: deciding,
});

export const SIGNAL = define({
  name: "signal",
  summary: "Send a signal to a run that waits for it, or will",
  examples: ["agents signal 01k9x2 paid --data '{\"amount\": 12}'"],
  positionals: [
    { name: "RUN", required: true },
    { name: "NAME", required: true },
  ],
  flags: {
    data: { type: "text", value: "JSON", description: "What the waiting step is given" },
    "db-url": databaseUrl,
  },
});

export const SCHEDULES = define({
  name: "schedules",
  summary: "Show schedules; pause, run or remove one",
  details: [
    "ACTION is list (the default), or with an ID show, pause, resume, run or remove. `run` starts a run now, beside the times of the schedule, and follows it.",
  ],
  examples: [
    "agents schedules --workflow report",
    "agents schedules pause 01k9x2",
    "agents schedules run 01k9x2 --detach",
  ],
  positionals: [
    {
      name: "ACTION",
      required: false,
      choices: ["list", "show", "pause", "resume", "run", "remove"],
    },
    { name: "ID", required: false },
  ],
  flags: {
    workflow: { type: "text", value: "NAME", description: "Only of the workflow with this name" },
    limit: { type: "count", value: "COUNT", description: "How many at most (default 50)" },
    ...following,
  },
});

export const MEMORY_ACTIONS = ["list", "edit", "remove", "clear"] as const;

export const MEMORY = define({
  name: "memory",
  summary: "Show, change or forget what agents remember",
  details: [
    "ACTION is list (the default), edit ID TEXT, remove ID, or clear. `clear` forgets all entries that --agent and --scope choose.",
  ],
  examples: [
    "agents memory list --agent support --search invoice",
    "agents memory clear --agent support",
  ],
  positionals: [
    { name: "ACTION", required: false, choices: MEMORY_ACTIONS },
    { name: "ID", required: false },
    { name: "TEXT", required: false },
  ],
  flags: {
    agent: { type: "text", value: "NAME", description: "Only of the workflow with this name" },
    scope: {
      type: "text",
      value: "SCOPE",
      description: "Only of this scope",
      choices: MEMORY_SCOPES,
    },
    search: { type: "text", value: "TEXT", description: "Only with these words" },
    limit: { type: "count", value: "COUNT", description: "How many at most (default 50)" },
    yes: { type: "boolean", short: "y", description: "Clear without asking" },
    json,
    "db-url": databaseUrl,
  },
});

export const PASSWORD = define({
  name: "password",
  summary: "Set the administrator's password",
  details: ["Asks twice and stores the argon2id hash in .env in the data folder."],
  positionals: [],
  flags: {
    stdin: { type: "boolean", description: "Read the password from standard input" },
  },
});

export const VERSION = define({
  name: "version",
  summary: "Show the version (with --verbose: the commit)",
  positionals: [],
  flags: {},
});

export const HELP = define({
  name: "help",
  summary: "Show help, also for one command",
  positionals: [{ name: "COMMAND", required: false, complete: "command" }],
  flags: {},
});

export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

export const COMPLETION = define({
  name: "completion",
  summary: "Print the completion script for a shell",
  details: [
    'bash: add `source <(agents completion bash)` to ~/.bashrc. zsh: `agents completion zsh > "${fpath[1]}/_agents"`. fish: `agents completion fish > ~/.config/fish/completions/agents.fish`. PowerShell: add `agents completion powershell | Out-String | Invoke-Expression` to $PROFILE.',
  ],
  positionals: [{ name: "SHELL", required: true, choices: SHELLS }],
  flags: {},
});
