/** The words of docs/workflow-reference.md that no schema holds. */
import { MEMORY_VALUE_CHARS_MAX } from "../../src/domain/memory.ts";
import { RUN_DEPTH_MAX, STEP_COUNT_MAX } from "../../src/domain/run.ts";
import { ITEM_LOCALS, MAP_ITEM_COUNT_MAX, MERGE_MODES } from "../../src/domain/workflow.ts";
import { RETRY_DELAY_MS_MAX } from "../../src/engine/retry.ts";
import { CONDITION_FUNCTIONS } from "../../src/language/condition-syntax.ts";
import { LOOP_COUNT_DEFAULT } from "../../src/language/edge.ts";
import { markdownTable } from "../../src/lib/markdown-table.ts";

export interface Excerpt {
  readonly file: string;
  /** Beginning of the first line. */
  readonly from: string;
  readonly lines: number;
}

export const INTRODUCTION =
  "A workflow file says what a run knows (`state`), what its steps do (`nodes`) and in which order they follow each other (`edges`). It is YAML or, with the ending `.json`, JSON. This is a whole one:";

export const EDITOR = `Check a file with \`agents validate FILE\`. The dashboard, \`agents run\` and \`agents validate\` use the same check.

[workflow.schema.json](workflow.schema.json) is the JSON Schema of these files. Editors with the YAML language server (VS Code with the YAML extension, Neovim, Helix, Zed, JetBrains) complete keys, show what they mean and underline mistakes when the first line of a file says where the schema is, as a path or an address:

\`\`\`yaml
# yaml-language-server: $schema=./workflow.schema.json
schema_version: "1.0"
\`\`\`

In VS Code the setting \`"yaml.schemas": { "./docs/workflow.schema.json": "workflows/*.yaml" }\` does the same for a folder. The schema knows shapes; names that must exist, types and the graph are checked by \`agents validate\` only.`;

/** Paragraphs below the heading of a section. */
export const NOTES: Readonly<Record<string, readonly string[]>> = {
  "state.fields.NAME": [
    "A field is an input of the workflow, a result, or both. At the start it has the value that the run was given, else its default, else null. Required fields cannot have a default.",
  ],
  "nodes[]": [
    "A node is one step. What it does follows from the key that it has:",
    markdownTable(
      ["Key", "Kind", "What the step does"],
      [
        ["`prompt` alone", "`llm`", "asks a model"],
        ["`code`", "`code`", "runs Python or JavaScript in a sandbox"],
        ["`tool`", "`tool`", "calls one tool without a model"],
        ["`http`", "`http`", "makes one HTTP request"],
        ["`cli`", "`cli`", "runs a program"],
        ["`agent`", "`agent`", "asks an agent elsewhere"],
        ["`workflow`", "`workflow`", "runs another workflow"],
        ["`approval`", "`approval`", "asks a person"],
        ["`wait`", "`wait`", "waits for a time or a signal"],
      ],
    ),
    "[nodes.md](nodes.md) has an example of each kind, what goes in, what comes out, its errors, and what a crash means for it. `when`, `inputs`, `outputs`, `timeout`, `retry` and `on_error` are for all of them. A model node needs `prompt`, `outputs` and `output_schema`; the others take the types of their outputs from the state.",
  ],
  "nodes[].output_schema": [
    "With `type: object` there is one entry in `fields` for each of `outputs`. With any other type there is exactly one output. An output without a `schema` of its own takes the one of its state field.",
  ],
  "nodes[].tools[]": [
    "An entry of `tools` is a name, or a map with these keys. Wrong arguments and unknown tools always go back to the model, whatever `on_error` says.",
  ],
  "nodes[].memory": [
    `What a model node with \`enabled: true\` remembers is put before its prompt: the entries that have words in common with it, then the newest. After a good answer the model is asked once more for facts worth keeping, each of at most ${MEMORY_VALUE_CHARS_MAX.toLocaleString("en")} characters ([models.md](models.md#memory)). \`agents memory\` lists, edits and clears them.`,
  ],
  "nodes[].llm": [
    "A node's keys win over those of `config.llm`, one by one. `api_base` belongs to a provider: a node with another provider does not take it over. Your key goes to it only when it is on this machine or the private network, the provider's own address, or the one in your settings. `agents run --provider` and `--model` win over the file.",
  ],
  "nodes[].llm.fallbacks[]": [
    "Asked in their order when the model before them is rate limited, cannot be reached, has a fault of its own, is not known, or its key is missing or refused. A fallback without `provider` is at the node's own. [models.md](models.md#fallbacks) has the details.",
  ],
  "nodes[].sandbox": [
    "For `code` nodes, and for `cli` nodes whose program is not in `ALLOWED_COMMANDS`. Where the machine has no sandbox the step is refused; nothing runs without one. [sandbox.md](sandbox.md) says what is seen inside.",
  ],
  "nodes[].tool": ["[Example, errors, crashes](nodes.md#tool); [all tools](tools.md)."],
  "nodes[].http": ["[Example, errors, crashes](nodes.md#http)."],
  "nodes[].cli": [
    "[Example, errors, crashes](nodes.md#cli). Programs run in the sandbox unless the owner of the machine has named them in `ALLOWED_COMMANDS`.",
  ],
  "nodes[].agent": ["[Example, errors, crashes](nodes.md#agent)."],
  "nodes[].workflow": ["[Example, errors, crashes](nodes.md#workflow)."],
  "nodes[].approval": ["[Example, errors, crashes](nodes.md#approval)."],
  "nodes[].wait": ["[Example, errors, crashes](nodes.md#wait)."],
  "nodes[].retry": [
    `\`timeout\`, \`rate_limit\` and \`unavailable\` are failures of the outside; \`invalid_output\` is a result that does not fit, which a model is told with the reasons. Other failures, a missing key for one, are never tried again. No pause grows beyond ${RETRY_DELAY_MS_MAX / 60_000} minutes. Exponential and linear pauses are drawn at random between nothing and the grown pause; what the provider asks for is waited on top.`,
  ],
  "nodes[].on_error": [
    "What happens when the tries are used up. `fail` (the default) ends the run. With `continue` the run goes on as if the step had written nothing; with a map it does so too, or goes on at another node, and can keep the message. A budget that is used up fails the run all the same.",
  ],
  "edges[]": [
    `Exactly one edge begins at START, and each node has one kind of way out:`,
    markdownTable(
      ["Way out", "Meaning"],
      [
        ["`to: next`", "the next node, or END"],
        [
          "`to: [a, b]`",
          "a fork: all of them, side by side. Several edges with `to` are the same.",
        ],
        ["`routes`", "the first way whose condition is true, else the `default`"],
        [
          "`loop`",
          `the node again until a bool field is true, at most ${LOOP_COUNT_DEFAULT} times unless \`max_iterations\` says otherwise; then \`exit_to\``,
        ],
        ["`parallel`", "a map: the next node once for each item of a list"],
      ],
    ),
    `Branches need no join: a node that several of them lead to waits for all that can still come, and runs once. A route may lead back to an earlier node. A run ends when nothing is left to do; a run of ${STEP_COUNT_MAX.toLocaleString("en")} steps fails with \`limit_reached\`. Workflows may call each other ${RUN_DEPTH_MAX} levels deep.`,
  ],
  "edges[].routes[].condition": [
    "`logic` is a [condition](#conditions) on the state, or the word `default`.",
  ],
  "edges[].parallel": [
    `In the texts and the \`when\` of the target, ${ITEM_LOCALS.map((name) => `\`{${name}}\``).join(" and ")} name the item and its place, from 0. The results are collected in the order of the items: of a node with one output the value, else an object of all of them. Items that were skipped, or failed with \`on_error: continue\`, are left out. A list has at most ${MAP_ITEM_COUNT_MAX.toLocaleString("en")} items.`,
  ],
  "config.budget": [
    "Asked before each model call: what the run has spent, with what the input of that call will cost at least. `fail` ends the run with `budget_exceeded`; with `wait` it waits until `agents resume RUN --max-cost-usd` or `--max-tokens` raises the budget. A workflow that is called gets what is left.",
  ],
  "config.mcp_servers.NAME": [
    "A program has to be in `ALLOWED_COMMANDS`. Nodes use the tools of a server as `server.tool`, or `server.*` for all of them ([tools.md](tools.md#mcp-servers)).",
  ],
  "config.execution": [
    "`timeout` counts the time in which the run is worked on; waiting for a time, a person, or the next try does not count. `max_retries` counts all tries of a step, the first one included, and a node's `retry.max_attempts` wins over it.",
  ],
  "schema.NAME": [
    "Used wherever a type has `object` in it. A field is its type alone, or a map with these keys. The maps nest.",
  ],
};

export const EXCERPTS: Readonly<Record<string, Excerpt>> = {
  flow: { file: "two-step-article.yaml", from: "flow:", lines: 4 },
  "state.fields.NAME": { file: "two-step-article.yaml", from: "state:", lines: 13 },
  "nodes[]": { file: "inputs-mapping.yaml", from: "nodes:", lines: 10 },
  "nodes[].output_schema": { file: "two-step-article.yaml", from: "    outputs: [title", lines: 6 },
  "nodes[].tools[]": { file: "search-and-answer.yaml", from: "    tools:", lines: 3 },
  "nodes[].memory": { file: "memory-assistant.yaml", from: "    memory:", lines: 5 },
  "nodes[].llm": { file: "models-per-node.yaml", from: "    llm: { provider: anthropic", lines: 1 },
  "nodes[].llm.fallbacks[]": { file: "budgeted.yaml", from: "    fallbacks:", lines: 3 },
  "nodes[].sandbox": { file: "code-stats.yaml", from: "    sandbox:", lines: 1 },
  "nodes[].tool": { file: "tools-files.yaml", from: "  - id: save", lines: 3 },
  "nodes[].http": { file: "http-fetch.yaml", from: "    http:", lines: 3 },
  "nodes[].cli": { file: "run-command.yaml", from: "  - id: sort", lines: 5 },
  "nodes[].agent": { file: "ask-agent.yaml", from: "  - id: ask", lines: 5 },
  "nodes[].workflow": { file: "sub-workflow.yaml", from: "  - id: greet", lines: 5 },
  "nodes[].approval": { file: "approval-gate.yaml", from: "  - id: ask", lines: 7 },
  "nodes[].wait": { file: "wait-for-signal.yaml", from: "nodes:", lines: 6 },
  "nodes[].retry": { file: "retries-and-timeouts.yaml", from: "    retry:", lines: 5 },
  "nodes[].on_error": { file: "http-fetch.yaml", from: "    on_error:", lines: 1 },
  "edges[]": { file: "fork-join.yaml", from: "edges:", lines: 5 },
  "edges[].routes[]": { file: "route-by-score.yaml", from: "  - from: judge", lines: 6 },
  "edges[].loop": { file: "refine-loop.yaml", from: "  - from: improve", lines: 2 },
  "edges[].parallel": { file: "map-reviews.yaml", from: "  - from: START", lines: 7 },
  config: { file: "models-per-node.yaml", from: "config:", lines: 4 },
  "config.execution": { file: "retries-and-timeouts.yaml", from: "config:", lines: 4 },
  "config.budget": { file: "budgeted.yaml", from: "  budget:", lines: 5 },
  "config.mcp_servers.NAME": { file: "mcp-tools.yaml", from: "  mcp_servers:", lines: 4 },
  "schema.NAME": { file: "nested-profile.yaml", from: "    customer:", lines: 14 },
};

/** Better words than the short ones that an editor shows. */
export const MEANINGS: Readonly<Record<string, string>> = {
  "nodes[].inputs":
    "Names for use in this node: local name to template. They hide state fields of the same name.",
  "config.observability": "Traces and logging. **No effect.**",
};

/** When a feature counts, by its message; without an entry always. */
export const FEATURE_CONDITIONS: Readonly<Record<string, string>> = {
  "`ab_test` (comparing prompt variants) cannot be run by this version.": "with `enabled: true`",
  "`gates` (limits for results) cannot be enforced by this version.": "with a limit",
  "`mlflow` has no effect in a workflow file.": "unless `enabled` is false",
};

export const TYPES = [
  "## Types",
  "Types stand in the state, in `schema` maps and in `output_schema`. They nest: `list[dict[str, list[int]]]`.",
  markdownTable(
    ["Type", "Value", "On the command line and in forms"],
    [
      ["`str`", "text", "as it is"],
      ["`int`", "a whole number", "`3`"],
      ["`float`", "a number", "`0.5`"],
      ["`bool`", "true or false", "`true`, `yes`, `y`, `on`, `1` and their opposites"],
      ["`list`", "a list of anything", "`a, b, c`, or one item a line, or JSON"],
      ["`list[T]`", "a list of values of type T", "the same; lists of lists and maps as JSON"],
      ["`dict`", "a map of text to anything", "JSON"],
      ["`dict[K, V]`", "a map; K is `str`, `int`, `float` or `bool`", "JSON"],
      ["`object`", "a map; with a `schema`, of exactly these fields", "JSON"],
    ],
  ),
  'Nothing is converted inside a run: an `int` field takes 3 and refuses `"3"` and 3.5. A field of an object that is not `required` may be null, or left out of an input, which gives it its default. A model must answer every field.',
  "Two more forms of text are not types of values: a duration is `500ms`, `90s`, `15m`, `2h` or `14d`, a size `512m` or `2g`.",
];

export const TEMPLATES = [
  "## Templates",
  "Prompts, `inputs`, and the texts of all kinds of nodes that say so are templates. A name in braces is replaced by its value:",
  markdownTable(
    ["Template", "Stands for"],
    [
      ["`{name}`", "the node's input of that name, else the state field"],
      ["`{state.name}`", "the state field, also where an input has the same name"],
      ["`{name.a.b}`", "the value inside a map"],
      ["`{name.0}`", "the first item of a list"],
      [
        "`{item}`, `{index}`",
        "in a node that runs for each item of a list, the item and its place",
      ],
    ],
  ),
  'In a longer text, text goes in as it is, lists and maps as JSON, null as nothing. **A text that is one placeholder and nothing else keeps the type of its value**, where a value is wanted and not a text: in `inputs`, and in `arguments`, `body` and `workflow.inputs` at any depth. So `"{tags}"` gives a list to code or a tool.',
  "There is one pass: braces inside a value are never read as a template. Braces without a name in them, such as JSON in a prompt, are left alone. A name that does not exist is an error in the file; a value that is not there when the step starts (a field inside null) fails the step with its reason. The templates of `inputs` see the state and the item alone.",
  "`${NAME}` in `headers` and `env` is not a template but an environment variable, which the owner of the machine has to allow (`ALLOWED_VARIABLES`). The log keeps the name, never the value.",
];

export const CONDITIONS = [
  "## Conditions",
  "`routes` and `when` take conditions on the state. In a `when`, the node's inputs and the item of a map can be named too.",
  markdownTable(
    ["Condition", "Is true when"],
    [
      ["`state.score > 0.8`, `score > 0.8`", "the field is greater"],
      [
        '`status == "done"`, `status == done`',
        "the field is this text; on the right, a word that is no field is text",
      ],
      ["`0 < score <= 1`", "both are so"],
      [
        '`"urgent" in topics`, `not in`',
        "the list has the value, the map the key, the text the part",
      ],
      [
        "`len(topics) >= 3`",
        `the length is so; functions are ${CONDITION_FUNCTIONS.map((name) => `\`${name}\``).join(", ")}`,
      ],
      ["`review.items[0].stars == 5`", "the value inside lists and maps is so; `[-1]` is the last"],
      ["`total - paid > 2 * limit`", "the sum is so; `+ - * / %` are for numbers"],
      ["`answer is None`, `is not`", "nothing has been written"],
      ["`approved and not (late or score < 3)`", "`not` binds before `and`, `and` before `or`"],
    ],
  ),
  "Values alone are true unless they are false, null, 0 or empty. Nothing is converted: to compare a text with a number, or to look inside null, is an error. A condition that cannot be evaluated fails the step with `condition_failed` and its reason; it never means false.",
];

export const RESULTS = [
  "## Answers and results",
  "A model node with one `str` output is asked for plain text. Any other is asked for one JSON object of the form that its outputs describe, through the provider's own structured output where it has one. Every answer is checked; one that does not fit goes back to the model with the reasons, as often as `retry` allows.",
  "What other kinds of nodes give back is checked in the same way. A single output takes the whole result, or its own key of it when the whole does not have its type; several outputs are the keys of an object. Without `outputs` the result is dropped.",
];

const MERGE_MEANINGS: Readonly<Record<(typeof MERGE_MODES)[number], string>> = {
  last: "the new value replaces the old one (the default)",
  append: "the new list is put behind the old one; a value that is no list becomes an item",
  union: "as `append`, each value once",
  sum: "the sum",
  min: "the smaller one",
  max: "the greater one",
  object: "a map with the keys of both, where the new ones win",
};

export const MERGES = [
  "## Fields that several steps write",
  "`merge` of a state field says how what a step writes joins what is there:",
  markdownTable(
    ["`merge`", "What the field has then"],
    MERGE_MODES.map((mode) => [`\`${mode}\``, MERGE_MEANINGS[mode]]),
  ),
  "Branches that may run at the same time and write the same field need one of them, or the file is refused; who is last would be chance. The collected list of a map replaces what was there unless its field has a `merge`.",
];

export const PROVIDER_CHOICE =
  "A node that names no provider gets the one that its model's name stands for (`gpt-…`, `claude-…`, `gemini-…`, `name:tag` for Ollama), else `AGENTS_PROVIDER`, else the one that `AGENTS_MODEL` stands for, else the first of OpenAI, Anthropic, Google, an OpenAI-compatible server and Ollama that is set up, else the demo. Without a model it gets `AGENTS_MODEL`, where that is a model of this provider, else the one in the table. The demo provider is built in and works offline: it makes up values of the right shape, calls no tools, costs nothing and is labelled wherever it appears.";

export const TOOLS =
  "A node with `tools` lets the model call them; a `tool` node calls one itself. [tools.md](tools.md) has the parameters of each, and how to use those of MCP servers.";

export const COMPATIBILITY =
  'The format is that of configurable-agents, `schema_version: "1.0"`, with the keys of both of its branches. Additions are optional: the kinds of nodes beside `llm` and `code`, `when`, `timeout`, `retry`, `on_error`, `cache`, `files`, `merge`, fallbacks, budgets and MCP servers. Unknown keys, which it dropped in silence, are errors here, with the nearest known key. `config.execution.timeout` and `max_iterations`, which it never enforced, are enforced. Memory is off unless `enabled: true`. Code is confined also without a `sandbox` map, and then has no network. What this version does not do is refused or reported; nothing is left out in silence.';

export const PROBLEMS =
  "All problems are reported at once, each with its line, its column, the text, the reason and a fix; `agents validate --json` gives them as data. Errors keep a file from running. Warnings do not.";
