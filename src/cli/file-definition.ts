/** Commands that make or draw workflow files. */
import { databaseUrl } from "./definition.ts";
import { define } from "./flag.ts";

export const NEW = define({
  name: "new",
  summary: "Describe a workflow in words and get the file",
  details: [
    "The model's answer is checked, and its mistakes go back to it at most 3 times. Then it asks whether to save, change or write the workflow. With --save, --output, --json, --yes or without a terminal it asks nothing. TEXT `-` is standard input.",
    "What is said goes to standard error, the file to standard output when that is no terminal. The conversation is kept and goes on here with --continue, or in the chat of the dashboard. Exit code 0 means that the workflow is valid.",
  ],
  examples: [
    'agents new "Rate each review and sum them up"',
    'agents new --continue 01k9x2 "Ask me before it sends" --save',
    'agents new "Greet somebody" > greet.yaml',
  ],
  positionals: [{ name: "TEXT", required: false, repeatable: true }],
  flags: {
    continue: { type: "text", value: "ID", description: "Go on with this conversation" },
    model: {
      type: "text",
      value: "PROVIDER/MODEL",
      description: "Model that writes it (default: as set up)",
    },
    save: { type: "boolean", description: "Save it when it is valid" },
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      description: "Write it to this file",
      complete: "file",
    },
    force: { type: "boolean", description: "Write over FILE" },
    yes: { type: "boolean", short: "y", description: "Ask nothing" },
    json: { type: "boolean", description: "Print one JSON document, nothing else" },
    "db-url": databaseUrl,
  },
});

const GRAPH_FORMATS = ["text", "mermaid", "svg"] as const;

export const GRAPH = define({
  name: "graph",
  summary: "Show a workflow file as a graph",
  examples: ["agents graph workflow.yaml", "agents graph workflow.yaml -f svg -o workflow.svg"],
  positionals: [{ name: "FILE", required: true, complete: "file" }],
  flags: {
    format: {
      type: "text",
      short: "f",
      value: "FORMAT",
      description: "text, mermaid or svg (default text)",
      choices: GRAPH_FORMATS,
    },
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      description: "Write to this file",
      complete: "file",
    },
  },
});
