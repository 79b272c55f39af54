/** A real store in a temporary folder, a fake clock, and runners on them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelPort } from "../../src/domain/model.ts";
import type { ChangeSignal, Queue, Run, RunOverrides, RunStore } from "../../src/domain/run.ts";
import type { ToolPort } from "../../src/domain/tool.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { type Runner, type RunnerOptions, startRunner } from "../../src/engine/runner.ts";
import { defined } from "../../src/lib/defined.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { openStore } from "../../src/store/store.ts";
import { createFakeClock } from "./fake-clock.ts";
import { scriptedTools } from "./script.ts";

/** Called before and after each call of a port; may throw to break it there. */
export type Probe = (moment: "before" | "after", call: string) => void;

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
          probe("before", call);
          const result: unknown = await Reflect.apply(member, target, args);
          probe("after", call);
          return result;
        } finally {
          busy.count -= 1;
        }
      };
    },
  });
}

export interface StartOptions {
  readonly models: ModelPort;
  readonly tools?: ToolPort;
  readonly worker?: string;
  readonly concurrency?: number;
  readonly only?: string;
  readonly probe?: Probe;
  readonly random?: () => number;
  readonly loadWorkflow?: RunnerOptions["loadWorkflow"];
}

export async function createWorld(workflow: Workflow) {
  const folder = await mkdtemp(join(tmpdir(), "agents-engine-"));
  const clock = createFakeClock();
  const store = await openStore({ path: join(folder, "agents.db"), clock });
  const record = await store.workflows.save({
    name: workflow.name,
    description: null,
    source: JSON.stringify(workflow),
    format: "json",
  });
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
    for (let quiet = 0; quiet < 3;) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = busy.count === 0 ? quiet + 1 : 0;
    }
  }

  const world = {
    clock,
    store,
    /** What runners have reported; empty at the end of most tests. */
    errors,
    /** Who listens to changes of the database. */
    get listenerCount() {
      return listenerCount;
    },
    async submit(
      inputs: JsonObject = { topic: "tea" },
      overrides: RunOverrides = {},
      reservedFor?: string,
    ) {
      runCount += 1;
      const id = `run${String(runCount).padStart(6, "0")}`;
      const nulls = Object.fromEntries(workflow.state.map((field) => [field.name, field.default]));
      await store.runs.create(
        {
          id,
          workflowId: record.id,
          versionHash: record.version.hash,
          workflowName: workflow.name,
          nodeIds: workflow.nodes.map((node) => node.id),
          inputs,
          overrides,
          source: "cli",
          ...defined({ reservedFor }),
        },
        { ...nulls, ...inputs },
      );
      return id;
    },
    start(options: StartOptions): Runner {
      const probe = options.probe ?? (() => undefined);
      const port = { probe, busy };
      const runner = startRunner({
        runs: watched<RunStore>(store.runs, "runs", port),
        queue: watched<Queue>(store.queue, "queue", port),
        changes,
        clock,
        models: options.models,
        tools: options.tools ?? scriptedTools({}),
        loadWorkflow: options.loadWorkflow ?? (async () => workflow),
        worker: options.worker ?? "worker-1",
        concurrency: options.concurrency ?? 4,
        ...defined({ only: options.only }),
        redact: (text) => text.replaceAll("sk-secret", "[redacted]"),
        reportError: (error) => errors.push(error),
        random: options.random ?? (() => 0.5),
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
    /** Submits a run, executes it to its end and stops the runner. */
    async execute(options: StartOptions, inputs?: JsonObject, overrides?: RunOverrides) {
      const id = await world.submit(inputs, overrides);
      const runner = world.start(options);
      await world.settled(runner.drained);
      await world.settled(runner.stop({ graceMs: 0 }));
      return world.run(id);
    },
    async events(id: string) {
      return (await store.runs.events(id, 0, 10_000)).map((stored) => stored.event);
    },
    async [Symbol.asyncDispose]() {
      await world.settled(Promise.all(runners.map((runner) => runner.stop({ graceMs: 0 }))));
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

export type World = Awaited<ReturnType<typeof createWorld>>;
