/** Scripted models, tools and the other ports of llm nodes, and one attempt of such a node. */
import type { ErrorRecord } from "../../../src/domain/error.ts";
import type { Memory, MemoryNamespace, MemoryStore } from "../../../src/domain/memory.ts";
import type {
  AnswerCache,
  ModelAnswer,
  ModelEvent,
  ModelPort,
  ModelRequest,
  ProviderTurns,
  ToolCall,
} from "../../../src/domain/model.ts";
import type { OpenTool, Tool, ToolContext, ToolPort } from "../../../src/domain/tool.ts";
import type { LlmNode, ToolUse } from "../../../src/domain/workflow.ts";
import type { NodeExecutor, StepContext, StepPorts } from "../../../src/engine/node/executor.ts";
import { llmNode } from "../../../src/engine/node/llm.ts";
import type { Json, JsonObject } from "../../../src/lib/json.ts";
import { AppError } from "../../../src/domain/error.ts";
import { BASE, createTestStep } from "./harness.ts";

export const USAGE = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
export const COST = 1_000;

/** A node of one text, so that every answer fits. */
export function textNode(changes: Partial<LlmNode> = {}): LlmNode {
  return {
    ...BASE,
    kind: "llm",
    prompt: "Do it about {topic}.",
    outputs: [{ name: "text", type: { kind: "str" } }],
    tools: [],
    llm: { provider: "openai", model: "m1", fallbacks: [] },
    cache: false,
    files: [],
    ...changes,
  };
}

/** A node of two outputs, so that every answer is a JSON object: `a` (text) and `a_count` (a number). */
export function jsonNode(changes: Partial<LlmNode> = {}): LlmNode {
  const outputs = [
    { name: "a", type: { kind: "str" } },
    { name: "a_count", type: { kind: "int" } },
  ] as const;
  return textNode({ id: "a", outputs, ...changes });
}

export const FITTING = JSON.stringify({ a: "a!", a_count: 2 });

export type Script = (request: ModelRequest, callCount: number) => AsyncIterable<ModelEvent>;

export function answer(text: string, changes: Partial<ModelAnswer> = {}): ModelAnswer {
  return {
    text,
    toolCalls: [],
    finish: "stop",
    usage: USAGE,
    costNanoUsd: COST,
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

export function askFor(...toolCalls: readonly ToolCall[]): AsyncIterable<ModelEvent> {
  return say("", { toolCalls, finish: "tool_calls" });
}

/** Fails after the text, if there is any. */
export async function* failWith(
  code: ErrorRecord["code"],
  { retryAfterMs, text = "" }: { readonly retryAfterMs?: number; readonly text?: string } = {},
): AsyncIterable<ModelEvent> {
  if (text !== "") yield { type: "text", text };
  const error = { code, message: `It is ${code}.` };
  yield {
    type: "end",
    reason: "failed",
    error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export interface ScriptedModels extends ModelPort {
  /** Every request that reached a model, in order. */
  readonly requests: readonly ModelRequest[];
}

export function scriptedModels(script: Script): ScriptedModels {
  const requests: ModelRequest[] = [];
  return {
    requests,
    resolve: async ({ provider = "openai", model = "scripted-1", apiBase }) => ({
      provider,
      model,
      ...(apiBase === undefined ? {} : { apiBase }),
    }),
    estimateInputNanoUsd: async () => 0,
    contextWindow: async () => undefined,
    accountOf: ({ provider }) =>
      provider === "demo" ? undefined : { name: `${provider}:account`, limits: { concurrency: 2 } },
    call: (request) => {
      requests.push(request);
      return script(request, requests.length - 1);
    },
  };
}

/** Takes the one secret of these tests out. */
export function redactSecret(text: string): string {
  return text.replaceAll("sk-secret", "[redacted]");
}

/** What work is rejected with. */
export async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

/** Text of the user's message in a request. */
export function promptOf(request: ModelRequest | undefined): string {
  return request?.messages.find(({ role }) => role === "user")?.text ?? "";
}

type ToolBody = (input: JsonObject, context: ToolContext) => Promise<Json> | Json;

export interface ScriptedTools extends ToolPort {
  readonly uses: readonly {
    readonly tool: string;
    readonly input: JsonObject;
    readonly key: string;
  }[];
  /** What was opened, with the servers it was opened with. */
  readonly opened: readonly (readonly [names: readonly string[], servers: readonly string[]])[];
}

export function scriptedTools(bodies: Readonly<Record<string, ToolBody>>): ScriptedTools {
  const uses: { tool: string; input: JsonObject; key: string }[] = [];
  const opened: [readonly string[], readonly string[]][] = [];
  const open = (use: ToolUse): OpenTool => {
    const body = bodies[use.name];
    if (body === undefined) throw new AppError("invalid", `There is no tool \`${use.name}\`.`);
    const tool: Tool = {
      spec: { name: use.name, description: "A tool.", parameters: { type: "object" } },
      check: async () => {},
      run: async (input, context) => {
        uses.push({ tool: use.name, input, key: context.idempotencyKey });
        return body(input, context);
      },
    };
    return { use, tool };
  };
  return {
    uses,
    opened,
    names: Object.keys(bodies),
    open: async (wanted, { servers }) => {
      opened.push([wanted.map(({ name }) => name), Object.keys(servers)]);
      return wanted.map(open);
    },
    close: async () => {},
  };
}

/** Turns in memory: all are free but where the test says otherwise. */
export interface TestTurns extends ProviderTurns {
  readonly log: readonly string[];
  /** What `take` says next, before turns are free again. */
  refuse(...retryAtMs: readonly number[]): void;
}

export function freeTurns(): TestTurns {
  const log: string[] = [];
  const refusals: number[] = [];
  return {
    log,
    refuse: (...times) => void refusals.push(...times),
    take: async (account, { concurrency }) => {
      const retryAtMs = refusals.shift();
      if (retryAtMs !== undefined) {
        log.push(`refused ${account}`);
        return { taken: false, retryAtMs };
      }
      log.push(`take ${account} of ${concurrency ?? "any"}`);
      return { taken: true, release: async () => void log.push(`release ${account}`) };
    },
    block: async (account, untilMs) => void log.push(`block ${account} until ${untilMs}`),
  };
}

export function memoryCache(): AnswerCache & { readonly kept: Map<string, ModelAnswer> } {
  const kept = new Map<string, ModelAnswer>();
  return {
    kept,
    get: async (key) => kept.get(key),
    put: async (key, value) => void (kept.has(key) || kept.set(key, value)),
  };
}

/** Remembers these and tells what it was asked. */
export function remembering(entries: readonly (readonly [key: string, value: string])[]): Pick<
  MemoryStore,
  "recall"
> & {
  readonly asked: readonly [MemoryNamespace, { text: string; limit: number }][];
} {
  const asked: [MemoryNamespace, { text: string; limit: number }][] = [];
  return {
    asked,
    recall: async (namespace, query) => {
      asked.push([namespace, query]);
      return entries.map(([key, value]): Memory => ({
        id: key,
        namespace,
        key,
        value,
        createdAt: 0,
        updatedAt: 0,
        expiresAt: null,
      }));
    },
  };
}

interface Options {
  readonly models: ModelPort;
  readonly ports?: Partial<StepPorts>;
  readonly step?: Partial<StepContext>;
  readonly values?: JsonObject;
}

/** A step of an llm node whose turns are free; the test gives what else it needs. */
export function llmStep({
  models,
  ports = {},
  step: changes = {},
  values = { topic: "tea" },
}: Options) {
  const turns = freeTurns();
  const step = createTestStep({ ports: { models, turns, ...ports }, step: changes, values });
  return {
    ...step,
    turns,
    run: (node: LlmNode, options?: { readonly signal?: AbortSignal; readonly attempt?: number }) =>
      step.execute(llmNode, node, options),
    /** What the work makes of the context that a node of such a step gets. */
    within: async (
      work: (context: StepContext) => Promise<Json>,
      options?: { readonly signal?: AbortSignal },
    ): Promise<Json> => {
      const executor: NodeExecutor<LlmNode, JsonObject> = {
        render: () => ({}),
        execute: async (_node, _input, context) => ({ patch: { result: await work(context) } }),
      };
      const made = await step.execute(executor, textNode(), options);
      return "patch" in made ? (made.patch["result"] ?? null) : null;
    },
    typed: (type: string) => step.events.filter((event) => event.type === type),
  };
}
