/** A model port and tools that follow a script, and the ledger of what happened outside. */
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { AppError, type ErrorRecord } from "../../src/domain/error.ts";
import type {
  ModelAnswer,
  ModelEvent,
  ModelPort,
  ModelRequest,
  ToolCall,
} from "../../src/domain/model.ts";
import type { Tool, ToolContext, ToolPort } from "../../src/domain/tool.ts";

export const USAGE = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

/** What every call costs at least. */
export const INPUT_NANO_USD = 400;

export type ModelScript = (
  request: ModelRequest,
  /** How often the model was called before. */
  callCount: number,
) => AsyncIterable<ModelEvent>;

export function answer(text: string, changes: Partial<ModelAnswer> = {}): ModelAnswer {
  return {
    text,
    toolCalls: [],
    finish: "stop",
    usage: USAGE,
    costNanoUsd: 1_000,
    model: "scripted-1",
    ...changes,
  };
}

export async function* say(
  text: string,
  changes?: Partial<ModelAnswer>,
): AsyncIterable<ModelEvent> {
  if (text !== "") yield { type: "text", text };
  yield { type: "end", reason: "finished", answer: answer(text, changes) };
}

/** The JSON that fits the outputs of `fixture.llmNode(id)`. */
export function sayFor(id: string, text = `${id}!`): AsyncIterable<ModelEvent> {
  return say(JSON.stringify({ [id]: text, [`${id}_count`]: text.length }));
}

export async function* failWith(
  error: ErrorRecord,
  retryAfterMs?: number,
): AsyncIterable<ModelEvent> {
  yield {
    type: "end",
    reason: "failed",
    error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export async function* askFor(...calls: readonly ToolCall[]): AsyncIterable<ModelEvent> {
  yield {
    type: "end",
    reason: "finished",
    answer: answer("", { toolCalls: calls, finish: "tool_calls" }),
  };
}

export interface ScriptedModels extends ModelPort {
  /** Every request that reached the model, in order. */
  readonly requests: readonly ModelRequest[];
}

export function scriptedModels(script: ModelScript): ScriptedModels {
  const requests: ModelRequest[] = [];
  return {
    requests,
    resolve: async ({ provider = "openai", model = "scripted-1", apiBase }) => ({
      provider,
      model,
      ...(apiBase === undefined ? {} : { apiBase }),
    }),
    estimateInputNanoUsd: async () => INPUT_NANO_USD,
    contextWindow: async () => undefined,
    accountOf: () => undefined,
    call: (request) => {
      const callCount = requests.length;
      requests.push(request);
      return script(request, callCount);
    },
  };
}

/** Text of the user's message in a request. */
export function promptOf(request: ModelRequest): string {
  const message = request.messages.find(({ role }) => role === "user");
  return message !== undefined && message.role === "user" ? message.text : "";
}

/** The node that a request of `fixture.llmNode` comes from. */
export function nodeOf(request: ModelRequest): string {
  return /^Do (\w+)/.exec(promptOf(request))?.[1] ?? "?";
}

export interface ToolUseRecord {
  readonly tool: string;
  readonly input: JsonObject;
  readonly key: string;
}

export interface ScriptedTools extends ToolPort {
  readonly uses: readonly ToolUseRecord[];
}

type ToolBody = (input: JsonObject, context: ToolContext) => Promise<Json> | Json;

export function scriptedTools(bodies: Readonly<Record<string, ToolBody>>): ScriptedTools {
  const uses: ToolUseRecord[] = [];
  const tool = (name: string, body: ToolBody): Tool => ({
    spec: { name, description: `The ${name} tool.`, parameters: { type: "object" } },
    check: async () => undefined,
    run: async (input, context) => {
      uses.push({ tool: name, input, key: context.idempotencyKey });
      return body(input, context);
    },
  });
  const tools = new Map(Object.entries(bodies).map(([name, body]) => [name, tool(name, body)]));
  return {
    uses,
    names: [...tools.keys()],
    open: async (wanted) =>
      wanted.map((use) => {
        const found = tools.get(use.name);
        if (found === undefined) throw new AppError("invalid", `There is no tool ${use.name}.`);
        return { use, tool: found };
      }),
    close: async () => undefined,
  };
}
