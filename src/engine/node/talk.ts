/** The conversation that one attempt of an llm node has with a model. */
import { AppError } from "../../domain/error.ts";
import type { ModelFile, ModelMessage, ModelRequest } from "../../domain/model.ts";
import type { OpenTool } from "../../domain/tool.ts";
import type { LlmNode } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import { defined } from "../../lib/defined.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { outputJsonSchema, readOutput } from "../../language/output.ts";
import type { StepContext } from "./executor.ts";
import { notesRequest, recall } from "./memory.ts";
import { type Answer, callModel, type ModelCall } from "./model-call.ts";
import type { ModelChain, ResolvedModel } from "./model-chain.ts";
import type { ToolMessage } from "./tool-call.ts";

/** `files` are references: a path, an address or a data: URL. */
export type LlmInput = {
  readonly inputs: JsonObject;
  readonly prompt: string;
  readonly files?: readonly string[];
};

/** An answer that asked for tools, and what they gave. */
interface Round {
  readonly answer: Answer;
  readonly results: readonly ToolMessage[];
}

/** Ordinals follow from what was said, so they are deterministic. */
export interface Talk {
  nextOrdinal(): number;
  /** Asks with tools on offer and no format. */
  askWithTools(tools: readonly OpenTool[]): Promise<Answer>;
  addRound(round: Round): void;
  /** Asks without tools, in the node's format. */
  askForFormat(): Promise<Answer>;
  /** Asks what is worth remembering of the answer. */
  askForNotes(answer: string): Promise<string>;
}

type Ask = Pick<ModelRequest, "messages"> &
  Partial<Pick<ModelRequest, "tools" | "output" | "temperature" | "maxTokens" | "reasoning">>;

/** All methods @throws AppError as the provider failed, `provider_rejected` for a refused answer; StepPostponed. */
export function createTalk(
  node: LlmNode,
  step: StepContext,
  { chain, input }: { readonly chain: ModelChain; readonly input: LlmInput },
): Talk {
  const schema = isFreeText(node) ? undefined : outputJsonSchema(node);
  const output = schema === undefined ? undefined : toOutput(node, schema);
  const system: ModelMessage = { role: "system", text: instruction(node, schema) };
  const { temperature, maxTokens, reasoning } = node.llm;
  const settings = defined({ temperature, maxTokens, reasoning });
  const rounds: Round[] = [];
  let ordinal = 0;
  // Only a call that goes out needs these: what is journaled is read without them.
  const recollect = once(() => recall(node, step, input.prompt));
  const readFiles = once(() => readAll(input.files ?? [], step));

  const ask = async (
    isKept: NonNullable<ModelCall["isKept"]>,
    question: (model: ResolvedModel) => Promise<Ask>,
  ) => {
    const answer = await callModel(step, chain, {
      ordinal,
      ask: async (model) => ({ ...model, tools: [], ...(await question(model)) }),
      isKept: node.cache ? isKept : undefined,
    });
    ordinal += 1 + answer.toolCalls.length;
    if (answer.finish === "refused") throw refused(node);
    return answer;
  };
  const task = async ({ provider }: ResolvedModel, results = ""): Promise<ModelMessage> => {
    const asked = `${await recollect()}${withCorrection(input.prompt, step.correction)}`;
    // The demo looks at no file, so it runs without them too.
    const files = provider === "demo" ? [] : await readFiles();
    return {
      role: "user",
      text: `${asked}${results}`,
      ...(files.length === 0 ? {} : { files }),
    };
  };
  return {
    nextOrdinal: () => ordinal,
    addRound: (round) => rounds.push(round),
    askWithTools: (open) =>
      ask(always, async (model) => ({
        ...settings,
        messages: [system, await task(model), ...rounds.flatMap(toMessages)],
        tools: open.map(({ tool }) => tool.spec),
      })),
    askForFormat: () =>
      // An answer that does not fit is asked for again; kept, it would fail every later run too.
      ask(
        (answer) => "patch" in readAnswer(node, answer),
        async (model) => ({
          ...settings,
          messages: [system, await task(model, describeResults(rounds))],
          ...defined({ output }),
        }),
      ),
    askForNotes: async (answer) => {
      const { prompt } = input;
      const notes = await ask(always, async () =>
        notesRequest({ prompt, answer, recollection: await recollect() }),
      );
      return notes.text;
    },
  };
}

const always = () => true;

async function readAll(
  references: readonly string[],
  { signal, files }: StepContext,
): Promise<readonly ModelFile[]> {
  return Promise.all(
    references.map((reference) => abortable(signal, files.read(reference, signal))),
  );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function toMessages({ answer, results }: Round): ModelMessage[] {
  const { text, toolCalls, thoughts } = answer;
  return [{ role: "assistant", text, toolCalls, ...defined({ thoughts }) }, ...results];
}

function describeResults(rounds: readonly Round[]): string {
  const results = rounds.flatMap(({ answer: { toolCalls }, results: answers }) =>
    answers.map((answer, index) => {
      const input: Json = toolCalls[index]?.arguments ?? null;
      return `${answer.name}(${JSON.stringify(input)}):\n${answer.text}`;
    }),
  );
  if (results.length === 0) return "";
  return `\n\nResults of the tools that you have used:\n\n${results.join("\n\n")}`;
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

/** The patch that an answer makes, or what is wrong with it. */
export function readAnswer(
  node: LlmNode,
  answer: Pick<Answer, "text" | "finish">,
): ReturnType<typeof readOutput> {
  const read = readOutput(node, answer.text);
  if ("patch" in read || answer.finish !== "length") return read;
  return { issues: ["The answer was cut at the token limit.", ...read.issues] };
}

function refused(node: LlmNode): AppError {
  return new AppError("provider_rejected", "The provider's filter stopped the answer.", {
    fix: `Change the prompt of node \`${node.id}\` or use another model.`,
  });
}
