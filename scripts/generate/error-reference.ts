/** docs/errors.md: every expected failure with its exit code. */
import { ERROR_CODES, type ErrorCode } from "../../src/domain/error.ts";
import { markdownTable } from "../../src/lib/markdown-table.ts";
import { code, NOTICE, page } from "./markdown.ts";

/** What a code means and what to do; the message of the failure says more. */
const TEXTS: Readonly<Record<ErrorCode, readonly [meaning: string, remedy: string]>> = {
  run_failed: ["A run failed without a more exact reason.", "Look at the run's page or log."],
  usage: ["The command line is wrong.", "See `agents help COMMAND`."],
  invalid: [
    "An input or a value does not fit what was expected.",
    "Correct it; the message names it.",
  ],
  workflow_invalid: ["The workflow file has errors.", "Run `agents validate FILE`."],
  not_found: ["A file, run, workflow or page is not there.", "Check the name or the path."],
  config_invalid: [
    "A setting is not valid, or a path cannot be used.",
    "Correct the setting at the place that the message names.",
  ],
  port_in_use: ["Another program has the port.", "Stop it, or choose another with `--port`."],
  permission_denied: [
    "The system refuses access to a file, folder or port.",
    "Change the rights, or choose another folder with `--data-dir`.",
  ],
  disk_full: ["There is no space left.", "Free some. Runs go on by themselves then."],
  read_only: ["The file or folder cannot be written.", "Make it writable, or use `--data-dir`."],
  database_locked: ["Another program holds the database.", "End that program, or wait."],
  database_corrupt: [
    "The database is damaged. Nothing was overwritten.",
    "Stop the server, then `agents doctor --repair`.",
  ],
  database_newer: [
    "The database was written by a newer version of `agents`.",
    "Use that version, or another data folder.",
  ],
  missing_key: ["A key or an address is not set.", "Set it: `agents setup`, or the variable."],
  key_rejected: ["The provider refuses the key.", "Get a valid one and run `agents setup`."],
  unknown_model: ["The provider has no such model.", "Use one of the names in the message."],
  provider_unreachable: [
    "Nothing answers at the provider's address.",
    "Check address and network.",
  ],
  provider_unavailable: ["The provider has trouble of its own.", "Try again later."],
  provider_rejected: ["The provider refuses the request.", "Read its words in the message."],
  rate_limited: ["Too many requests at the provider.", "Wait, or raise the limit there."],
  output_invalid: [
    "The model's answer does not fit the outputs, after all tries.",
    "Say it more clearly in the prompt, or use a stronger model.",
  ],
  tool_failed: [
    "A tool or an HTTP request failed.",
    "Mend the cause, or write `on_error: continue`.",
  ],
  timeout: ["It took longer than its limit.", "Raise `timeout`, or look for the cause."],
  already_running: ["A server runs on this data folder.", "Use it, or `agents stop` it first."],
  not_running: ["No server runs on this data folder.", "Start one with `agents start`."],
  conflict: ["It does not go together with the present state.", "Look at the state, then decide."],
  worker_crashed: [
    "The worker died again and again in the same step.",
    "Look at `agents logs`; the step may need too much memory.",
  ],
  unavailable: ["Something that is needed does not answer now.", "Run `agents doctor`."],
  forbidden: ["It is not allowed from here.", "Do what the message says."],
  unauthorized: ["A login is needed.", "Log in."],
  too_large: ["A file or text is above its limit.", "Make it smaller."],
  lease_lost: ["Another worker has taken over the run.", "Nothing; it goes on there."],
  budget_exceeded: [
    "The run has used up its `budget`; the next model call was not made.",
    "Raise the budget and go on: `agents resume RUN --max-cost-usd 5`.",
  ],
  sandbox_unavailable: [
    "Code or a program has to run in a sandbox, and this machine has none.",
    "Install what the message names ([sandbox](sandbox.md)); nothing runs without one.",
  ],
  approval_rejected: [
    "A person rejected what an `approval` node asked.",
    "Write `on_reject: continue` where a rejection is an answer like any other.",
  ],
  limit_reached: [
    "A run took too many steps, a map has too many items, or workflows call each other too deep.",
    "Look for a circle that never ends, or divide the work.",
  ],
  condition_failed: [
    "A condition of `routes` or `when` cannot be evaluated: a name has no value, or a comparison makes no sense.",
    "Correct it at the column that the message names.",
  ],
  code_failed: [
    "The code of a `code` node ended with an error, or left no usable `result`.",
    "Correct the line that the message names.",
  ],
  command_failed: [
    "A program of a `cli` node ended with an exit code other than 0.",
    "Read its last lines in the message.",
  ],
  agent_failed: [
    "An agent elsewhere failed, refused, asked back or lost its task.",
    "Read its words in the message.",
  ],
  cancelled: ["It was cancelled, or ended with Ctrl-C.", "Nothing."],
  internal: ["A fault of `agents` itself.", "Run again with `--verbose` and report it."],
};

export function errorReference(): string {
  const rows = codes()
    .toSorted((left, right) => ERROR_CODES[left].exit - ERROR_CODES[right].exit)
    .map((name) => {
      const { exit, status, retry } = ERROR_CODES[name];
      const [meaning, remedy] = TEXTS[name];
      return [String(exit), code(name), String(status), retry ? "yes" : "no", meaning, remedy];
    });
  return page([
    "# Errors and exit codes",
    NOTICE,
    "Every failure says what happened and, below it, what to do (`Fix:`). `--verbose` adds the technical details. Exit code 0 means success; for `agents run` and `agents runs ID --watch` that the run succeeded. A run that failed ends with the code of its error.",
    "HTTP is the status of the answer when the failure happens in a request; clients that accept JSON get it as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with `code` and `fix`. Passing says whether the same thing may succeed later without anything being changed.",
    markdownTable(["Exit", "Code", "HTTP", "Passing", "Meaning", "What to do"], rows),
    "What is wrong in a workflow file has codes of its own: [problems](workflow-reference.md#problems).",
  ]);
}

function codes(): ErrorCode[] {
  return Object.keys(TEXTS).filter((name): name is ErrorCode => Object.hasOwn(ERROR_CODES, name));
}
