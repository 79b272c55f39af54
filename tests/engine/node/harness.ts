/** One attempt of one node, with a call log in memory that survives a "crash": the next attempt reads it. */
import { AppError } from "../../../src/domain/error.ts";
import type { RunEvent } from "../../../src/domain/event.ts";
import type { Run, StepCall } from "../../../src/domain/run.ts";
import type { Workflow, WorkflowNode } from "../../../src/domain/workflow.ts";
import { createCallLog } from "../../../src/engine/call-log.ts";
import type {
  NodeExecutor,
  StepContext,
  StepPorts,
  WaitAnswer,
} from "../../../src/engine/node/executor.ts";
import { renderValue, type TemplateScope } from "../../../src/language/template.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { JsonObject } from "../../../src/lib/json.ts";

export const NO_RETRY = { maxAttempts: 1, backoff: "fixed", delayMs: 0, on: [] } as const;
export const STARTED_AT = 1_800_000_000_000;

/** What every node of these tests has. */
export const BASE = {
  id: "n",
  inputs: {},
  outputs: [],
  retry: NO_RETRY,
  onError: { kind: "fail" },
} as const;

export const RUN: Run = {
  id: "run1",
  workflowId: "w1",
  workflowName: "test",
  versionHash: "hash",
  nodeIds: ["n"],
  state: "running",
  waitingFor: null,
  dueAt: null,
  inputs: {},
  overrides: {},
  source: "cli",
  origin: null,
  depth: 0,
  rootId: "run1",
  wakeCount: 0,
  values: {},
  error: null,
  cancelRequestedAt: null,
  createdAt: STARTED_AT,
  startedAt: STARTED_AT,
  finishedAt: null,
  activeMs: 0,
  doneNodeIds: [],
  worker: "worker",
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  costNanoUsd: 0,
  unpricedCount: 0,
};

const WORKFLOW: Workflow = {
  name: "test",
  state: [],
  nodes: [],
  edges: [],
  mcpServers: {},
  budget: {},
  onBudget: "fail",
  concurrency: 1,
};

interface Options {
  readonly ports?: Partial<StepPorts>;
  readonly values?: JsonObject;
  /** The item of a map. */
  readonly locals?: JsonObject;
  readonly variables?: Readonly<Record<string, string>>;
  readonly step?: Partial<StepContext>;
}

/** The step of a node; each `execute` is a new start of the same attempt, with the calls that had finished. */
export function createTestStep(options: Options = {}) {
  const { ports = {}, values = {}, locals = {}, variables = {} } = options;
  const calls: StepCall[] = [];
  const events: RunEvent[] = [];

  const scopeOf = (node: WorkflowNode): TemplateScope => {
    const inputs = Object.entries(node.inputs).map(([name, template]) => [
      name,
      renderValue(template, { locals, values }),
    ]);
    return { locals: { ...locals, ...Object.fromEntries(inputs) }, values };
  };

  const open = (signal: AbortSignal, attempt: number): StepContext => {
    const log = createCallLog({
      key: "n",
      attempt,
      finished: new Map(calls.map((call) => [call.ordinal, call])),
      signal,
      clock: systemClock,
      events: {
        add: (event) => void events.push(event),
        take: async () => [],
        flush: async () => {},
      },
      record: async (call, batch) => {
        calls.push(call);
        events.push(...batch);
      },
    });
    return {
      ...unused(),
      ...ports,
      variable: (name) => variables[name],
      run: RUN,
      workflow: WORKFLOW,
      key: "n",
      attempt,
      firstAttempt: 1,
      startedAt: STARTED_AT,
      signal,
      clock: systemClock,
      correction: undefined,
      calls: log,
      redact: (text) => text,
      reserveBudget: async () => () => {},
      sharedBudget: () => ({}),
      ...options.step,
    };
  };

  return {
    /** Finished calls, as the store has them. */
    calls,
    events,
    render: <Node extends WorkflowNode, Input extends JsonObject>(
      executor: NodeExecutor<Node, Input>,
      node: Node,
    ): Input => executor.render(node, scopeOf(node)),
    execute: async <Node extends WorkflowNode, Input extends JsonObject>(
      executor: NodeExecutor<Node, Input>,
      node: Node,
      { signal = new AbortController().signal, attempt = 1 } = {},
    ) => executor.execute(node, executor.render(node, scopeOf(node)), open(signal, attempt)),
    resume: async <Node extends WorkflowNode, Input extends JsonObject>(
      executor: NodeExecutor<Node, Input>,
      node: Node,
      answer: WaitAnswer,
    ) => {
      const step = open(new AbortController().signal, 1);
      return executor.resume?.(node, executor.render(node, scopeOf(node)), { answer, step });
    },
  };
}

const port = (name: string) =>
  new Proxy(() => undefined, {
    get: (_, method) => {
      throw new Error(`${name}.${String(method)} was used`);
    },
    apply: () => {
      throw new Error(`${name} was used`);
    },
  }) as never;

/** Ports that a node of this kind must not touch. */
function unused(): StepPorts {
  return {
    models: port("models"),
    tools: port("tools"),
    cache: port("cache"),
    turns: port("turns"),
    files: port("files"),
    memory: port("memory"),
    code: port("code"),
    commands: port("commands"),
    http: port("http"),
    agents: port("agents"),
    registeredAgent: port("registeredAgent"),
    startChild: port("startChild"),
    variable: port("variable"),
  };
}

/** The AppError that the work rejects with, in the parts that a user sees. */
export async function failureOf(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, fix, retryAfterMs } = error;
    return { code, message, fix, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  throw new Error("it did not fail");
}

/** What the work rejects with. */
export async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
