/** What the steps of the benchmark use: a tool and a model that answer at once. Nothing else may be asked for. */
import type { ModelPort } from "../../src/domain/model.ts";
import type { ToolPort } from "../../src/domain/tool.ts";
import type { StepPorts } from "../../src/engine/node/executor.ts";
import type { Store } from "../../src/store/store.ts";
import { INSTANT_TOOL } from "./graphs.ts";

const USAGE = { input: 10, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

const models: ModelPort = {
  async *call() {
    const answer = { text: "x", toolCalls: [], usage: USAGE, costNanoUsd: 0, model: "instant" };
    yield { type: "end", reason: "finished", answer: { ...answer, finish: "stop" } };
  },
  resolve: async () => ({ provider: "demo", model: "instant" }),
  estimateInputNanoUsd: async () => 0,
  contextWindow: () => Promise.resolve(undefined),
  accountOf: () => undefined,
};

/** @param answer What happens in a call of the tool, by its idempotency key. */
export function instantTools(
  answer: (idempotencyKey: string) => Promise<string> = async () => "x",
): ToolPort {
  const tool = {
    spec: { name: INSTANT_TOOL, description: "Answers.", parameters: { type: "object" } },
    check: async () => {},
    run: async (_: unknown, context: { readonly idempotencyKey: string }) =>
      answer(context.idempotencyKey),
  };
  return {
    names: [INSTANT_TOOL],
    open: async (uses) => uses.map((use) => ({ use, tool })),
    close: async () => {},
  };
}

const unused = () => Promise.reject(new Error("The benchmark does not use this."));

export function benchPorts(store: Store, tools: ToolPort): StepPorts {
  return {
    models,
    tools,
    cache: store.cache,
    turns: store.turns,
    memory: store.memory,
    files: { read: unused },
    code: { run: unused },
    commands: { run: unused },
    http: { request: unused },
    agents: { send: unused, follow: unused, cancel: unused },
    registeredAgent: unused,
    startChild: unused,
    variable: () => undefined,
  };
}
