/** Shortcuts, first steps and the words of the product, on a page and in a dialog. */
import { Layout, NAVIGATION } from "./layout.tsx";
import { CopyButton } from "./part/code.tsx";
import { PostForm } from "./part/form.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { PageHead, Panel } from "./part/panel.tsx";
import { PAGE_KEYS, type Shortcut, SHORTCUTS } from "./shortcuts.ts";
import type { Shell } from "./shell.ts";

export interface HelpPageProps {
  readonly shell: Shell;
  readonly dataDir: string;
  readonly databasePath: string;
}

export function HelpPage(props: HelpPageProps) {
  const { shell } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="agents" title="Help" />
      <div class="grid">
        <div class="p-main">
          <Panel id="first-steps" title="First steps">
            <ol class="help-steps">
              {STEPS.map(({ title, text, href, label }) => (
                <li>
                  <h3>{title}</h3>
                  <p>
                    <InlineText text={text} />{" "}
                    <a class="plain-link" href={href}>
                      {label}
                    </a>
                  </p>
                </li>
              ))}
            </ol>
          </Panel>
          <FirstWorkflow />
          <Panel id="step-kinds" title="What a step can do" note="the key of the node says it">
            <dl class="pairs">
              {STEP_KINDS.map(([key, meaning]) => (
                <div>
                  <dt>
                    <code>{key}</code>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </Panel>
          <Panel id="glossary" title="Words">
            <dl class="pairs">
              {WORDS.map(([word, meaning]) => (
                <div>
                  <dt>{word}</dt>
                  <dd>
                    <InlineText text={meaning} />
                  </dd>
                </div>
              ))}
            </dl>
          </Panel>
        </div>
        <div class="p-side">
          <Panel id="shortcuts" title="Keyboard">
            <ShortcutList />
            <Switch shell={shell} />
          </Panel>
          <Reference />
          <Files {...props} />
          <Terminal />
        </div>
      </div>
    </Layout>
  );
}

/** As the page has it; it is a whole workflow. */
export const FIRST_WORKFLOW = `schema_version: "1.0"
flow:
  name: my_first
state:
  fields:
    topic: { type: str, required: true }
    text: { type: str, default: "" }
nodes:
  - id: write
    prompt: "Write two sentences about {topic}."
    output_schema: { type: str }
    outputs: [text]
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;

function FirstWorkflow() {
  return (
    <Panel
      id="first-workflow"
      title="A workflow in one minute"
      action={<CopyButton target="first-workflow-text" label="the workflow" />}
    >
      <div class="values">
        <pre class="value" id="first-workflow-text" tabindex={0}>
          {FIRST_WORKFLOW}
        </pre>
      </div>
      <ul class="help-notes">
        <li>
          <b>State</b> is what the steps share. What is <code>required</code> is asked for when a
          run starts.
        </li>
        <li>
          <b>Nodes</b> are the steps. <code>{"{topic}"}</code> puts a field into a text, and{" "}
          <code>outputs</code> names the fields that take the result.
        </li>
        <li>
          <b>Edges</b> lead from START over the steps to END. They may fork, join, choose and loop.
        </li>
        <li>
          Copy it into{" "}
          <a class="inline-link" href="/workflows/new" hx-boost="false">
            the editor
          </a>
          , save, and press Start run. It works offline too: the demo answers where no model is set
          up.
        </li>
      </ul>
    </Panel>
  );
}

const STEP_KINDS: readonly (readonly [string, string])[] = [
  ["prompt", "Asks a model, which may use tools, remember, and answer in a given shape."],
  ["code", "Runs Python or JavaScript in the sandbox."],
  ["tool", "Calls one tool without a model: search, files, SQL, or one of an MCP server."],
  ["http", "Sends an HTTP request."],
  ["cli", "Runs a program, such as an AI coding CLI."],
  ["agent", "Asks an agent elsewhere, by its address or its registered name."],
  ["workflow", "Runs another workflow and takes its result."],
  ["approval", "Waits for a person to approve or reject."],
  ["wait", "Waits for a time or for a signal."],
];

const LINKS = [
  { href: "/workflows#examples", label: "Examples", text: "Workflows to add and run" },
  { href: "/chat", label: "Chat", text: "Describe a workflow in words and get its file" },
  { href: "/api", label: "API reference", text: "Every operation, with requests to try" },
  { href: "/api/v1/openapi.json", label: "OpenAPI document", text: "For clients and generators" },
  { href: "/workflows/schema.json", label: "JSON Schema", text: "Of workflow files, for editors" },
  { href: "/settings/tokens", label: "Access tokens", text: "For programs that use the API" },
] as const;

const COMMANDS: readonly (readonly [string, string])[] = [
  ["agents help", "Lists every command."],
  ["agents doctor", "Says what is wrong with this machine, and how to mend it."],
  ["agents run FILE", "Runs a workflow file and shows each step."],
  ["agents validate FILE", "Names all mistakes of a file, with their places."],
  ["agents runs", "Lists runs; with an id it shows one."],
  ["agents schedules", "Lists, pauses and runs schedules."],
  ["agents logs", "Follows what the services say."],
];

function Reference() {
  return (
    <Panel id="reference" title="Look it up">
      <ul class="rows help-links">
        {LINKS.map(({ href, label, text }) => (
          <li>
            <a class="plain-link" href={href} hx-boost={href.includes(".") ? "false" : undefined}>
              {label}
            </a>
            <span class="sub">{text}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Terminal() {
  return (
    <Panel id="terminal" title="In the terminal">
      <dl class="pairs help-commands">
        {COMMANDS.map(([command, meaning]) => (
          <div>
            <dt>
              <code>{command}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** Where data lies, and how it is kept safe. */
function Files({ dataDir, databasePath }: HelpPageProps) {
  return (
    <Panel id="files" title="Where your data lies">
      <dl class="pairs">
        <div>
          <dt>Data folder</dt>
          <dd>
            <code>{dataDir}</code>
            <p class="sub">
              Settings and keys in <code>.env</code>, logs in <code>logs</code>, backups in{" "}
              <code>backups</code>, workflow files in <code>workflows</code>.
            </p>
          </dd>
        </div>
        <div>
          <dt>Database</dt>
          <dd>
            <code>{databasePath}</code>
            <p class="sub">Workflows, runs, schedules, memory: all but keys and logs.</p>
          </dd>
        </div>
        <div>
          <dt>Backup</dt>
          <dd>
            One click{" "}
            <a class="inline-link" href="/settings#backups-h">
              in the settings
            </a>
            , or <code>agents backup</code> in the terminal, also while it runs. Keep{" "}
            <code>.env</code> and <code>secret.key</code> with it.
          </dd>
        </div>
        <div>
          <dt>Restore</dt>
          <dd>
            At the same place, or <code>agents restore FILE</code> while it is stopped. The database
            of before is kept under another name.
          </dd>
        </div>
        <div>
          <dt>Move</dt>
          <dd>
            Stop it, copy the data folder, and start with <code>--data-dir</code> or{" "}
            <code>AGENTS_DATA_DIR</code>.
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

const STEPS = [
  {
    title: "Set up a model",
    text: "Paste the key of a provider, or name an Ollama server. Without one the offline demo answers.",
    href: "/settings#providers-h",
    label: "Providers and keys",
  },
  {
    title: "Get a workflow",
    text: "Describe it in the chat, upload a YAML file, or add one of the examples.",
    href: "/workflows",
    label: "Workflows",
  },
  {
    title: "Run it",
    text: "Fill in its inputs and start it. The page of the run shows each step as it happens.",
    href: "/runs",
    label: "Runs",
  },
  {
    title: "Take part",
    text: "Approve or reject what waits for a person, raise a budget, retry from a step that failed.",
    href: "/",
    label: "Status",
  },
] as const;

const WORDS: readonly (readonly [string, string])[] = [
  [
    "Workflow",
    "A YAML file with steps (nodes) and the ways between them (edges). Each change of it is a version.",
  ],
  ["Run", "One execution of a version with given inputs. It survives crashes and restarts."],
  ["Step", "A node while a run executes it: a model call, code, a tool, a request, a wait."],
  ["State", "The named values that the steps of a run read and write."],
  ["Attempt", "One try of a step. What failed is tried again as `retry` says."],
  ["Approval", "A step that waits for a person to approve or reject."],
  ["Budget", "How much money, how many tokens or how much time a run may spend."],
  ["Agent", "A program elsewhere that takes questions; it registers here and sends heartbeats."],
  [
    "Heartbeat",
    "What an agent sends to say that it is alive. Without one for its time to live it counts as dead.",
  ],
  ["Worker", "A process that executes runs. The supervisor starts it anew when it dies."],
  ["Memory", "What model nodes with `memory` keep from one run to the next."],
  [
    "Provider",
    "Who answers model calls: OpenAI, Anthropic, Google, Ollama, another server, or the demo.",
  ],
];

/** Also what the dialog shows. */
export function ShortcutList() {
  const pages = NAVIGATION.flatMap(({ items }) => items);
  const hrefs = new Set(pages.map(({ href }) => href));
  const shortcuts = SHORTCUTS.filter(({ page }) => page === undefined || hrefs.has(page));
  const ways: Shortcut[] = pages.flatMap(({ href, label }) => {
    const key = PAGE_KEYS[href];
    return key === undefined ? [] : [{ keys: ["g", key], text: label }];
  });
  return (
    <div class="shortcuts">
      <h3>Anywhere</h3>
      <List shortcuts={shortcuts} />
      <h3>Go to</h3>
      <List shortcuts={ways} />
    </div>
  );
}

function List(props: { shortcuts: readonly Shortcut[] }) {
  return (
    <dl>
      {props.shortcuts.map(({ keys, text }) => (
        <div>
          <dt>
            {keys.map((key) => (
              <kbd>{key}</kbd>
            ))}
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Single keys may be in the way of speech input and of some assistive programs (WCAG 2.1.4). */
function Switch(props: { shell: Shell }) {
  const { shell } = props;
  return (
    <PostForm action="/help/shortcuts" csrf={shell.csrf} class="stack pad">
      <p class="sub">
        {shell.shortcuts ? "They never act while you type." : "They are off in this browser."}
      </p>
      <input type="hidden" name="shortcuts" value={shell.shortcuts ? "off" : "on"} />
      <button type="submit" class="btn ghost">
        {shell.shortcuts ? "Turn shortcuts off" : "Turn shortcuts on"}
      </button>
    </PostForm>
  );
}
