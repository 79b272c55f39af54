/**
 * A node that asks a model: inputs → prompt → calls → patch.
 *
 * Tools and a required answer format do not go together everywhere: Ollama's grammar keeps a model
 * from calling tools at all, Gemini refuses the combination, and others call a tool and then ignore
 * the format. So tool rounds are free-form, with the format asked for in words; when the answer that
 * ends them fits, it is the answer. Only when it does not, one more call without tools asks for the
 * format. That call carries the tool results as plain text, because Anthropic refuses tool messages
 * in a request that offers no tools.
 */
import { AppError } from "../../domain/error.ts";
import type { ModelMessage, ModelRequest, ToolCall } from "../../domain/model.ts";
import type { RunOverrides } from "../../domain/run.ts";
import { TOOL_ROUNDS_MAX } from "../../domain/tool.ts";
import type { LlmNode, LlmSettings } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import { defined } from "../../lib/defined.ts";
import type { JsonObject } from "../../lib/json.ts";
import { outputJsonSchema, readOutput } from "../../language/output.ts";
import { renderTemplate } from "../../language/template.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { type Answer, callModel } from "./model-call.ts";
import { callTools, type OpenTool, openTools, type ToolMessage } from "./tool-call.ts";

/** Reasons that an error message names; the others are in its details. */
const REASONS_SHOWN_MAX = 3;

type LlmInput = { readonly inputs: JsonObject; readonly prompt: string };

export const llmNode: NodeExecutor<LlmNode, LlmInput> = {
  render: (node, values) => {
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([name, template]) => [
        name,
        renderTemplate(template, { locals: {}, values }),
      ]),
    );
    return { inputs, prompt: renderTemplate(node.prompt, { locals: inputs, values }) };
  },
  execute: async (node, { prompt }, step) => {
    const settings = await abortable(
      step.signal,
      step.models.resolve(chooseModel(node.llm, step.overrides)),
    );
    // The demo model answers from the schema alone; its runs need no key of any tool.
    const tools = settings.provider === "demo" ? [] : openTools(node, step.tools);
    const talk = createTalk(node, step, { settings, prompt });
    const answer = tools.length === 0 ? undefined : await talkWithTools(talk, step, tools);
    if (answer !== undefined) {
      const read = readAnswer(node, answer);
      if ("patch" in read) return read.patch;
    }
    const read = readAnswer(node, await talk.askForFormat());
    if ("patch" in read) return read.patch;
    throw outputInvalid(node, read.issues);
  },
};

/**
 * The node's settings under those of the run. A model and an address belong to the provider that the
 * node names: a run that names another one gets that provider's own.
 */
function chooseModel(llm: LlmSettings, overrides: RunOverrides) {
  const provider = overrides.provider ?? llm.provider;
  const keeps = provider === llm.provider || (llm.provider === undefined && provider !== "demo");
  return defined({
    provider,
    model: overrides.model ?? (keeps ? llm.model : undefined),
    apiBase: keeps ? llm.apiBase : undefined,
  });
}

interface Round {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly results: readonly ToolMessage[];
}

/** The conversation of one attempt; ordinals follow from what was said, so they are deterministic. */
interface Talk {
  readonly rounds: readonly Round[];
  nextOrdinal(): number;
  /** Asks with tools on offer and no format. */
  askWithTools(tools: readonly OpenTool[]): Promise<Answer>;
  addRound(round: Round): void;
  /** Asks without tools, in the node's format. */
  askForFormat(): Promise<Answer>;
}

type Resolved = Awaited<ReturnType<StepContext["models"]["resolve"]>>;

function createTalk(
  node: LlmNode,
  step: StepContext,
  start: { readonly settings: Resolved; readonly prompt: string },
): Talk {
  const { temperature, maxTokens } = node.llm;
  const settings = { ...start.settings, ...defined({ temperature, maxTokens }) };
  const schema = isFreeText(node) ? undefined : outputJsonSchema(node);
  const prompt = withCorrection(start.prompt, step.correction);
  const rounds: Round[] = [];
  let ordinal = 0;

  const ask = async (request: Pick<ModelRequest, "messages" | "tools" | "output">) => {
    const answer = await callModel(step, ordinal, { ...settings, ...request });
    ordinal += 1 + answer.toolCalls.length;
    if (answer.finish === "refused") throw refused(node);
    return answer;
  };
  const system: ModelMessage = { role: "system", text: instruction(node, schema) };
  return {
    rounds,
    nextOrdinal: () => ordinal,
    askWithTools: (tools) =>
      ask({
        messages: [system, { role: "user", text: prompt }, ...rounds.flatMap(toMessages)],
        tools: tools.map(({ tool }) => tool.spec),
      }),
    addRound: (round) => rounds.push(round),
    askForFormat: () =>
      ask({
        messages: [system, { role: "user", text: withToolResults(prompt, rounds) }],
        tools: [],
        ...defined({ output: schema === undefined ? undefined : toOutput(node, schema) }),
      }),
  };
}

/** @returns the answer that ended the rounds; undefined when the model still wanted tools at the limit. */
async function talkWithTools(
  talk: Talk,
  step: StepContext,
  tools: readonly OpenTool[],
): Promise<Answer | undefined> {
  for (let round = 0; round < TOOL_ROUNDS_MAX; round += 1) {
    // Each round asks for what the one before it found.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await talk.askWithTools(tools);
    if (answer.toolCalls.length === 0) return answer;
    // oxlint-disable-next-line no-await-in-loop
    const results = await callTools(step, tools, {
      calls: answer.toolCalls,
      firstOrdinal: talk.nextOrdinal() - answer.toolCalls.length,
      askedInAttempt: answer.madeInAttempt,
    });
    talk.addRound({ text: answer.text, calls: answer.toolCalls, results });
  }
  return undefined;
}

function toMessages({ text, calls, results }: Round): ModelMessage[] {
  return [{ role: "assistant", text, toolCalls: calls }, ...results];
}

function withToolResults(prompt: string, rounds: readonly Round[]): string {
  const results = rounds.flatMap(({ calls, results: answers }) =>
    answers.map((answer, index) => {
      const input = JSON.stringify(calls[index]?.arguments ?? null);
      return `${answer.name}(${input}):\n${answer.text}`;
    }),
  );
  if (results.length === 0) return prompt;
  return `${prompt}\n\nResults of the tools that you have used:\n\n${results.join("\n\n")}`;
}

function withCorrection(prompt: string, correction: string | undefined): string {
  if (correction === undefined) return prompt;
  return `${prompt}\n\nYour answer before this one was refused:\n${correction}\nAnswer again and mend this.`;
}

/** One text needs no JSON around it: it streams as it is, and small models write it better. */
function isFreeText({ outputs: [only, second] }: LlmNode): boolean {
  return only?.type.kind === "str" && second === undefined;
}

function toOutput(node: LlmNode, schema: JsonObject): NonNullable<ModelRequest["output"]> {
  return { name: node.id, ...defined({ description: node.outputDescription }), schema };
}

function instruction(node: LlmNode, schema: JsonObject | undefined): string {
  const form =
    schema === undefined
      ? "Answer with the text that is asked for and nothing else: no introduction, no remarks."
      : "Answer with one JSON object and nothing else: no explanation, no code fence. " +
        `It must satisfy this JSON Schema:\n${JSON.stringify(schema)}`;
  const what = node.outputDescription ?? node.outputs[0]?.description;
  return schema !== undefined || what === undefined ? form : `${form}\nWhat is asked for: ${what}`;
}

function readAnswer(node: LlmNode, answer: Answer): ReturnType<typeof readOutput> {
  const read = readOutput(node, answer.text);
  if ("patch" in read || answer.finish !== "length") return read;
  return { issues: ["The answer was cut at the token limit.", ...read.issues] };
}

function outputInvalid(node: LlmNode, issues: readonly string[]): AppError {
  const shown = issues.slice(0, REASONS_SHOWN_MAX).join("; ");
  const more = issues.length - REASONS_SHOWN_MAX;
  return new AppError(
    "output_invalid",
    `The model's answer does not fit the outputs: ${shown}${more > 0 ? `; and ${more} more` : ""}`,
    {
      fix: `Say in the prompt of node \`${node.id}\` what its answer must hold, or use a stronger model.`,
      // The next attempt shows these to the model.
      cause: issues.map((issue) => `- ${issue}`).join("\n"),
    },
  );
}

function refused(node: LlmNode): AppError {
  return new AppError("provider_rejected", "The provider's filter stopped the answer.", {
    fix: `Change the prompt of node \`${node.id}\` or use another model.`,
  });
}
