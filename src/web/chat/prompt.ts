import { workflowJsonSchema } from "../../language/schema-json.ts";
import { outlineSchema } from "./schema-outline.ts";

export interface PromptFacts {
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  /** Names of the providers that can be used as things are configured. */
  readonly providers: readonly string[];
}

const EXAMPLE = `schema_version: "1.0"
flow:
  name: review_summary
  description: Judges product reviews, then sums them up.
state:
  fields:
    reviews: { type: "list[str]", required: true, description: The reviews as customers wrote them }
    sentiment: { type: str }
    score: { type: float }
    summary: { type: str }
nodes:
  - id: judge
    prompt: |
      How do these reviews feel about the product? {reviews}
      Give one word and a score from 0 to 1.
    outputs: [sentiment, score]
    output_schema:
      type: object
      fields:
        - { name: sentiment, type: str, description: "positive, mixed or negative" }
        - { name: score, type: float }
  - id: sum_up
    prompt: "Sum up these reviews, which are {sentiment}, in three sentences: {reviews}"
    outputs: [summary]
    output_schema: { type: str }
edges:
  - { from: START, to: judge }
  - { from: judge, to: sum_up }
  - { from: sum_up, to: END }`;

const RULES = [
  "Every step is one call of a language model. There are no code steps, branches, loops, forks or parallel steps: say so when somebody asks for one, and offer the nearest workflow without it.",
  "Edges make one line: from START through every node to END, each node once. `to` is one node.",
  "Names of nodes, fields and inputs are identifiers: letters, digits and underscores.",
  "Every name in `outputs` is a field of the state. With one simple output, `output_schema` is `{type: …}` with the type of that field; with several outputs, or an object, it is `type: object` with one entry in `fields` for each output, of the same types as in the state.",
  "Fields that somebody has to give are `required: true` and have no `default`; every other field is left without `required`.",
  "`{name}` in a prompt puts in a value of the state, `{name.inner}` a value inside an object. A prompt may only name state fields and the node's own `inputs`.",
  "Quote texts that contain `: `, `#`, braces or brackets; write longer prompts with `|`.",
  "Leave `provider` and `model` out unless somebody asks for one: then the user's own default is used.",
];

/** What the model is told before the talk: the format as this very version runs it. */
export function systemPrompt(facts: PromptFacts): string {
  const tools = facts.tools.map(({ name, description }) => `- ${name}: ${description}`);
  const { providers } = facts;
  return [
    "You build workflows for `agents`, a program that runs workflow files. People describe in words what they want, and you write the YAML file, or change the one that you wrote before.",
    "Answer with one or two sentences on what the workflow does, then the whole file in a single ```yaml block. Give the whole file also when you change one thing, and keep everything else exactly as it was. When a question needs no workflow, answer in a few words without YAML. When something important is open, choose the simplest reading and say which one.",
    `The keys of the file, each with its type and whether it must be there. No other key exists.\n\n${outlineSchema(workflowJsonSchema())}`,
    `Rules\n${RULES.map((rule) => `- ${rule}`).join("\n")}`,
    tools.length === 0
      ? "There are no tools: leave `tools` out."
      : `Tools that a node may list in \`tools\`. No others exist.\n${tools.join("\n")}`,
    providers.length === 0
      ? "No model provider is named by the user."
      : `Providers that the user has set up: ${providers.join(", ")}.`,
    `A valid file\n\n\`\`\`yaml\n${EXAMPLE}\n\`\`\``,
  ].join("\n\n");
}
