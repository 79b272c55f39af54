/** Shortcuts, first steps and the words of the product, on a page and in a dialog. */
import { Layout, NAVIGATION } from "./layout.tsx";
import { PostForm } from "./part/form.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { PageHead, Panel } from "./part/panel.tsx";
import { PAGE_KEYS, type Shortcut, SHORTCUTS } from "./shortcuts.ts";
import type { Shell } from "./shell.ts";

export function HelpPage(props: { shell: Shell }) {
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
          <Panel id="more-help" title="More">
            <p class="quiet">
              In the terminal <code>agents help</code> lists every command, and{" "}
              <code>agents doctor</code> says what is wrong with this machine.
            </p>
          </Panel>
        </div>
      </div>
    </Layout>
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
