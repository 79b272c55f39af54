/** A store, a fake clock, and runners on them. The store is a real one on a file unless a test asks for memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelPort } from "../../src/domain/model.ts";
import type {
  ChangeSignal,
  NewRun,
  Queue,
  Run,
  RunOverrides,
  RunStore,
} from "../../src/domain/run.ts";
import type { ToolPort } from "../../src/domain/tool.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import type { ChildRun, StepPorts } from "../../src/engine/node/executor.ts";
import { EXECUTORS, type NodeExecutors } from "../../src/engine/node/registry.ts";
import { type Runner, type RunnerOptions, startRunner } from "../../src/engine/runner.ts";
import { defined } from "../../src/lib/defined.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { openStore } from "../../src/store/store.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { scriptedTools } from "./script.ts";

/** Called before and after each call of a port; may throw to break it there, or take its time. */
export type Probe = (moment: "before" | "after", call: string) => void | Promise<void>;

/** A port whose calls are counted while they last, and seen by `probe`. */
function watched<Port extends object>(
  port: Port,
  name: string,
  { probe, busy }: { probe: Probe; busy: { count: number } },
): Port {
  return new Proxy(port, {
    get: (target, property, receiver) => {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        const call = `${name}.${String(property)}`;
        busy.count += 1;
        try {
          await probe("before", call);
          const result: unknown = await Reflect.apply(member, target, args);
          await probe("after", call);
          return result;
        } finally {
          busy.count -= 1;
        }
      };
    },
  });
}

/** A port that no node of a test uses. */
function unused(name: string): never {
  const fail = () => Promise.reject(new Error(`the test has no ${name}`));
  return new Proxy({}, { get: () => fail }) as never;
}

export interface StartOptions {
  readonly models?: ModelPort;
  readonly tools?: ToolPort;
  readonly executors?: Partial<NodeExecutors>;
  readonly worker?: string;
  readonly concurrency?: number;
  readonly only?: string;
  readonly probe?: Probe;
  readonly random?: () => number;
  readonly loadWorkflow?: RunnerOptions["loadWorkflow"];
}

interface WorldStore extends MemoryStore {
  close(): Promise<void>;
}

async function openFileStore(clock: FakeClock): Promise<WorldStore> {
  const folder = await mkdtemp(join(tmpdir(), "agents-engine-"));
  const store = await openStore({ path: join(folder, "agents.db"), clock });
  return {
    ...store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface WorldOptions {
  readonly store?: "file" | "memory";
  /** Workflows that the first one calls, by their names. */
  readonly others?: readonly Workflow[];
}

export async function createWorld(workflow: Workflow, options: WorldOptions = {}) {
  const clock = createFakeClock();
  const { store: kind = "file", others = [] } = options;
  const store =
    kind === "file"
      ? await openFileStore(clock)
      : { ...createMemoryStore(clock), close: async () => undefined };
  const saved = await Promise.all(
    [workflow, ...others].map(async (one) => ({
      workflow: one,
      record: await store.workflows.save({
        name: one.name,
        description: null,
        source: JSON.stringify(one),
        format: "json",
      }),
    })),
  );
  const busy = { count: 0 };
  const errors: unknown[] = [];
  const runners: Runner[] = [];
  let listenerCount = 0;
  const changes: ChangeSignal = {
    onChange: (listener) => {
      const stop = store.changes.onChange(listener);
      listenerCount += 1;
      return () => {
        listenerCount -= 1;
        stop();
      };
    },
  };
  let runCount = 0;

  /** Resolves when nothing happens any more except by time passing. */
  async function idle(): Promise<void> {
    // In memory all is done when the promises are; a port that is busy then waits for time itself.
    if (kind === "memory") return new Promise((resolve) => setImmediate(resolve));
    for (let quiet = 0; quiet < 3;) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = busy.count === 0 ? quiet + 1 : 0;
    }
  }

  async function create(
    name: string,
    inputs: JsonObject,
    more: Pick<NewRun, "id" | "source" | "overrides"> & Partial<NewRun>,
  ): Promise<void> {
    const found = saved.find((one) => one.workflow.name === name);
    if (found === undefined) throw new Error(`no workflow ${name}`);
    const { record, workflow: called } = found;
    const defaults = called.state.map((field) => [field.name, field.default]);
    await store.runs.create(
      {
        workflowId: record.id,
        versionHash: record.version.hash,
        workflowName: name,
        nodeIds: called.nodes.map((node) => node.id),
        inputs,
        ...more,
      },
      { ...Object.fromEntries(defaults), ...inputs },
    );
  }

  const startChild = ({ id, workflow: name, inputs, parent, step, overrides }: ChildRun) => {
    const origin = { kind: "child", runId: parent.id, step } as const;
    return create(name, inputs, { id, overrides, origin, source: "workflow" });
  };

  function portsOf({ models, tools }: StartOptions): StepPorts {
    return {
      models: models ?? unused("models"),
      tools: tools ?? scriptedTools({}),
      cache: unused("cache"),
      turns: unused("turns"),
      files: unused("files"),
      memory: unused("memory"),
      code: unused("code"),
      commands: unused("commands"),
      http: unused("http"),
      agents: unused("agents"),
      registeredAgent: unused("registeredAgent"),
      startChild,
      variable: () => undefined,
    };
  }

  const world = {
    clock,
    store,
    workflow,
    /** What runners have reported; empty at the end of most tests. */
    errors,
    /** Who listens to changes of the database. */
    get listenerCount() {
      return listenerCount;
    },
    async submit(
      inputs: JsonObject = { topic: "tea" },
      overrides: RunOverrides = {},
      more: Partial<NewRun> = {},
    ) {
      runCount += 1;
      const id = `run${String(runCount).padStart(6, "0")}`;
      await create(workflow.name, inputs, { id, overrides, source: "cli", ...more });
      return id;
    },
    start(started: StartOptions): Runner {
      const probe = started.probe ?? (() => undefined);
      const port = { probe, busy };
      const ports = portsOf(started);
      const runner = startRunner({
        runs: watched<RunStore>(store.runs, "runs", port),
        queue: watched<Queue>(store.queue, "queue", port),
        changes,
        clock,
        ports: { ...ports, startChild: watched({ startChild }, "ports", port).startChild },
        executors: { ...EXECUTORS, ...started.executors },
        loadWorkflow:
          started.loadWorkflow ??
          (async (id) => saved.find(({ record }) => record.id === id)?.workflow ?? workflow),
        worker: started.worker ?? "worker-1",
        concurrency: started.concurrency ?? 4,
        ...defined({ only: started.only }),
        redact: (text) => text.replaceAll("sk-secret", "[redacted]"),
        reportError: (error) => errors.push(error),
        random: started.random ?? (() => 0.5),
      });
      runners.push(runner);
      return runner;
    },
    /** Lets time pass, one sleeper after another, until the condition holds. */
    async until(condition: () => boolean | Promise<boolean>, limitMs = 24 * 60 * 60_000) {
      const deadline = clock.now() + limitMs;
      for (;;) {
        await idle();
        if (await condition()) return;
        if (clock.now() > deadline) throw new Error("the condition never held");
        if (!clock.step()) throw new Error("the condition does not hold and nobody sleeps");
      }
    },
    async settled<T>(promise: Promise<T>): Promise<T> {
      let done = false;
      void promise.finally(() => (done = true)).catch(() => undefined);
      await world.until(() => done);
      return promise;
    },
    async run(id: string): Promise<Run> {
      const run = await store.runs.get(id);
      if (run === undefined) throw new Error(`no run ${id}`);
      return run;
    },
    async steps(id: string) {
      return (await store.runs.journal(id)).steps;
    },
    /** Executes what there is to do, until nothing is left or all that is left waits for ever. */
    async drain(started: StartOptions) {
      const runner = world.start(started);
      await world.settled(runner.drained);
      await world.settled(runner.stop({ graceMs: 0 }));
    },
    /** Submits a run, executes it as far as it goes and stops the runner. */
    async execute(started: StartOptions, inputs?: JsonObject, overrides?: RunOverrides) {
      const id = await world.submit(inputs, overrides);
      await world.drain(started);
      return world.run(id);
    },
    async events(id: string) {
      return (await store.runs.events(id, 0, 10_000)).map((stored) => stored.event);
    },
    async [Symbol.asyncDispose]() {
      await world.settled(Promise.all(runners.map((runner) => runner.stop({ graceMs: 0 }))));
      await store.close();
    },
  };
  return world;
}

export type World = Awaited<ReturnType<typeof createWorld>>;
