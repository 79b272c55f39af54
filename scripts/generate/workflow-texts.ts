/** The words of docs/workflow-reference.md that no schema holds. */
import { TOOL_OUTPUT_CHARS_MAX, TOOL_ROUNDS_MAX, TOOL_TIMEOUT_MS } from "../../src/domain/tool.ts";
import { RETRY_DELAY_MS_MAX } from "../../src/engine/retry.ts";
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
    "Every node asks a model: its inputs are filled into the prompt, and the answer goes into the state fields that `outputs` lists. A node needs a `prompt`.",
  ],
  "nodes[].output_schema": [
    "With `type: object` there is one entry in `fields` for each of `outputs`. With any other type there is exactly one output. An output without a `schema` of its own takes the one of its state field.",
  ],
  "nodes[].tools[]": [
    "An entry of `tools` is a name, or a map with these keys. Wrong arguments and unknown tools always go back to the model, whatever `on_error` says.",
  ],
  "nodes[].llm": [
    "A node's keys win over those of `config.llm`, one by one. `api_base` belongs to a provider: a node with another provider does not take it over. Your key goes to it only when it is on this machine or the private network, the provider's own address, or the one in your settings. `agents run --provider` and `--model` win over the file.",
  ],
  "nodes[].retry": [
    `\`timeout\`, \`rate_limit\` and \`unavailable\` are failures of the outside; \`invalid_output\` is an answer that does not fit, which goes back to the model with the reasons. Other failures, a missing key for one, are never tried again. No pause grows beyond ${RETRY_DELAY_MS_MAX / 60_000} minutes. Exponential and linear pauses are drawn at random between nothing and the grown pause; what the provider asks for is waited on top.`,
  ],
  "edges[]": [
    "Exactly one edge begins at START. From there each node has one edge to the next, the last one to END.",
  ],
  "config.execution": [
    "`timeout` counts the time in which the run is worked on; waiting for the next try does not count. `max_retries` counts all tries of a step, the first one included, and a node's `retry.max_attempts` wins over it.",
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
  "nodes[].llm": { file: "models-per-node.yaml", from: "    llm: { provider: anthropic", lines: 1 },
  "nodes[].retry": { file: "retries-and-timeouts.yaml", from: "    retry:", lines: 5 },
  "edges[]": { file: "two-step-article.yaml", from: "edges:", lines: 4 },
  config: { file: "models-per-node.yaml", from: "config:", lines: 4 },
  "config.execution": { file: "retries-and-timeouts.yaml", from: "config:", lines: 4 },
  "schema.NAME": { file: "nested-profile.yaml", from: "    customer:", lines: 14 },
};

/** Better words than the short ones that an editor shows. */
export const MEANINGS: Readonly<Record<string, string>> = {
  "nodes[].inputs":
    "Names for use in this node's prompt: local name to template. They hide state fields of the same name.",
  "edges[].to": "A node id, or END.",
  "config.observability": "Traces and logging. **No effect.**",
};

/** When a feature counts, by its message; without an entry always. */
export const CONDITIONS: Readonly<Record<string, string>> = {
  "`sandbox` cannot be used by this version, as it runs no code.": "beside `code`",
  "`memory` between runs is not part of this version.": "with `enabled: true`",
  "A list of targets (a fork) cannot be run by this version.": "with more than one target",
  "`ab_test` (comparing prompt variants) cannot be run by this version.": "with `enabled: true`",
  "`gates` (limits for results) cannot be enforced by this version.": "with a limit",
  "`sandbox` has no effect on a node without `code`.": "without `code`",
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
];

export const TEMPLATES = [
  "## Templates",
  "Prompts and `inputs` are templates. A name in braces is replaced by its value:",
  markdownTable(
    ["Template", "Stands for"],
    [
      ["`{name}`", "the node's input of that name, else the state field"],
      ["`{state.name}`", "the state field, also where an input has the same name"],
      ["`{name.a.b}`", "the value inside a map"],
    ],
  ),
  "Text goes in as it is, lists and maps as JSON, null as nothing. There is one pass: braces inside a value are never read as a template. Braces without a name in them, such as JSON in a prompt, are left alone. A name that does not exist is an error in the file; a value that is not there when the step starts (a field inside null) fails the step with its reason. The templates of `inputs` see the state alone.",
];

export const ANSWERS = [
  "## Answers",
  "A node with one `str` output is asked for plain text. Any other node is asked for one JSON object of the form that its outputs describe, through the provider's own structured output where it has one. Every answer is checked; one that does not fit goes back to the model with the reasons, as often as `retry` allows.",
];

export const PROVIDER_CHOICE =
  "A node that names no provider gets the one that its model's name stands for (`gpt-…`, `claude-…`, `gemini-…`, `name:tag` for Ollama), else `AGENTS_PROVIDER`, else the one that `AGENTS_MODEL` stands for, else the first of OpenAI, Anthropic, Google, an OpenAI-compatible server and Ollama that is set up, else the demo. Without a model it gets `AGENTS_MODEL`, where that is a model of this provider, else the one in the table. The demo provider is built in and works offline: it makes up values of the right shape, calls no tools, costs nothing and is labelled wherever it appears.";

export const TOOLS = `A node with \`tools\` lets the model look things up: it may call tools in at most ${TOOL_ROUNDS_MAX} rounds before it must answer. A tool's answer is cut after ${TOOL_OUTPUT_CHARS_MAX.toLocaleString("en")} characters, and a call ends after ${TOOL_TIMEOUT_MS / 1000} seconds. \`config\` is handed to the tool; the tools of this version read nothing from it.`;

export const COMPATIBILITY =
  'The format is that of configurable-agents, `schema_version: "1.0"`, with the keys of both of its branches. `nodes[].timeout` and `nodes[].retry` are additions. Unknown keys, which it dropped in silence, are errors here, with the nearest known key. `config.execution.timeout`, which it never enforced, is enforced. What this version does not do yet is refused or reported; nothing is left out in silence.';

export const PROBLEMS =
  "All problems are reported at once, each with its line, its column, the text, the reason and a fix; `agents validate --json` gives them as data. Errors keep a file from running. Warnings do not.";
