/**
 * Goal: a worker that dies at any instant loses nothing and repeats only what was in flight.
 *
 * Method: a runner's ports (store, queue, models, tools) are watched. At a random call, before or after
 * it, the worker "dies": from then on each of its port calls throws, so it can change nothing any more.
 * Another worker goes on by the lease alone. A ledger outside keeps every model call and tool use, and
 * what is left at the end is compared with a run that nobody disturbed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ModelRequest } from "../../src/domain/model.ts";
import { STEP_RECOVERY_COUNT_MAX } from "../../src/domain/run.ts";
import type { ToolPort } from "../../src/domain/tool.ts";
import { createSeededRandom } from "../../src/lib/seeded-random.ts";
import { line, llmNode, RETRY_ALL } from "./fixture.ts";
import {
  askFor,
  nodeOf,
  promptOf,
  say,
  sayFor,
  scriptedModels,
  type ScriptedModels,
  scriptedTools,
} from "./script.ts";
import { createWorld, type Probe, type World } from "./world.ts";

const SEED_COUNT = 220;
/** One below the limit: the step that was hit each time must still be finished. */
const CRASH_COUNT_MAX = STEP_RECOVERY_COUNT_MAX - 1;

const TOOLS = ["search", "store"].map((name) => ({ name, onError: "fail" as const, config: {} }));
const WORKFLOW = line([
  llmNode("plain"),
  llmNode("tools", { tools: TOOLS }),
  llmNode("corrected", { retry: RETRY_ALL }),
  llmNode("last"),
]);

/** What the model says depends on the request alone, as after a crash it must be able to say it again. */
function script(request: ModelRequest) {
  const node = nodeOf(request);
  const results = request.messages.filter((message) => message.role === "tool");
  if (node === "tools" && request.tools.length > 0) {
    if (results.length === 0)
      return askFor(
        { id: "1", name: "search", arguments: { q: "a" } },
        { id: "2", name: "search", arguments: { q: "b" } },
        { id: "3", name: "store", arguments: { n: 1 } },
      );
    if (results.length === 3) return askFor({ id: "1", name: "store", arguments: { n: 2 } });
    return say("I have all that I need.");
  }
  if (node === "corrected" && !promptOf(request).includes("refused")) return say("Sorry?");
  return sayFor(node);
}

class Crash extends Error {
  override readonly name = "Crash";
}

/** What one outside call is, whichever worker makes it. */
function identityOf(request: ModelRequest): string {
  return `${Bun.hash(JSON.stringify([request.messages, request.tools.length]))}`;
}

interface Ledger {
  /** Outside calls in the order in which they were begun. */
  readonly begun: string[];
  /** Those whose record reached the database. */
  readonly recorded: Set<string>;
}

interface Life {
  readonly probe: Probe;
  readonly models: ScriptedModels;
  readonly tools: ToolPort;
  readonly isDead: () => boolean;
  readonly kill: () => void;
  readonly seen: () => number;
}

/** The ports of one worker that dies at its `crashAt`th moment. */
function live(crashAt: number, ledger: Ledger): Life {
  let moments = 0;
  let dead = false;
  const pass = () => {
    moments += 1;
    if (moments >= crashAt) dead = true;
    if (dead) throw new Crash();
  };
  const begin = (identity: string) => {
    pass();
    // Never again once it is recorded; and once only in the life of one worker.
    if (ledger.recorded.has(identity)) throw new Error(`${identity} was made again`);
    if (begun.has(identity)) throw new Error(`${identity} was begun twice by one worker`);
    begun.add(identity);
    ledger.begun.push(identity);
  };
  const begun = new Set<string>();
  const scripted = scriptedModels(script);
  const tools = scriptedTools({
    search: (input) => ({ found: input["q"] ?? null }),
    store: () => ({ stored: true }),
  });
  return {
    probe: (_moment, call) => {
      // Renewals and looks come by time, not by progress.
      if (call === "queue.touch" || call === "queue.nextDueAt") {
        if (dead) throw new Crash();
      } else pass();
    },
    models: {
      ...scripted,
      call: async function* (request) {
        begin(identityOf(request));
        for await (const event of scripted.call(request)) {
          pass();
          yield event;
        }
      },
    },
    tools: {
      ...tools,
      open: async (uses, scope) =>
        (await tools.open(uses, scope)).map(({ use, tool }) => ({
          use,
          tool: {
            ...tool,
            run: async (input, context) => {
              begin(context.idempotencyKey);
              const result = await tool.run(input, context);
              pass();
              return result;
            },
          },
        })),
    },
    isDead: () => dead,
    kill: () => {
      dead = true;
    },
    seen: () => moments,
  };
}

/** Reads back what has been recorded, and says how outside calls and records belong together. */
async function readRecorded(world: World, runId: string, ledger: Ledger): Promise<number> {
  const { calls } = await world.store.runs.journal(runId);
  for (const { kind, request } of calls) {
    const { messages, tools, idempotencyKey } = request as unknown as {
      messages: ModelRequest["messages"];
      tools: string[];
      idempotencyKey: string;
    };
    const identity =
      kind === "tool" ? idempotencyKey : `${Bun.hash(JSON.stringify([messages, tools.length]))}`;
    ledger.recorded.add(identity);
  }
  return calls.length;
}

interface Outcome {
  readonly ledger: Ledger;
  readonly crashCount: number;
  readonly repeatsAllowed: Map<string, number>;
  readonly moments: number;
}

/** Executes one run under workers that die, until one survives. */
async function survive(
  world: World,
  runId: string,
  nextCrashAt: (crashCount: number) => number,
): Promise<Outcome> {
  const ledger: Ledger = { begun: [], recorded: new Set() };
  const repeatsAllowed = new Map<string, number>();
  for (let crashCount = 0; ; crashCount += 1) {
    const life = live(nextCrashAt(crashCount), ledger);
    const begunBefore = ledger.begun.length;
    const runner = world.start({
      models: life.models,
      tools: life.tools,
      probe: life.probe,
      worker: `${runId}-${crashCount}`,
      only: runId,
    });
    let drained = false;
    void runner.drained.then(() => (drained = true));
    await world.until(() => drained || life.isDead());
    const survived = !life.isDead();
    life.kill();
    await world.settled(runner.stop({ graceMs: 0 }));
    await readRecorded(world, runId, ledger);
    if (survived) return { ledger, crashCount, repeatsAllowed, moments: life.seen() };
    // In flight at the crash: begun by this worker, and not in the database.
    for (const identity of ledger.begun.slice(begunBefore))
      if (!ledger.recorded.has(identity))
        repeatsAllowed.set(identity, (repeatsAllowed.get(identity) ?? 0) + 1);
  }
}

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

describe("a run whose workers die at random instants", () => {
  let world: World;
  let undisturbed: Awaited<ReturnType<typeof undisturbedRun>>;

  async function undisturbedRun() {
    const id = await world.submit();
    const { ledger, moments } = await survive(world, id, () => Infinity);
    const run = await world.run(id);
    return {
      moments,
      values: run.values,
      usage: run.usage,
      costNanoUsd: run.costNanoUsd,
      state: run.state,
      doneNodeIds: run.doneNodeIds,
      // Keys of tool calls begin with the run's id.
      outside: ledger.begun.map((identity) => identity.replace(id, "run")).toSorted(),
    };
  }

  beforeAll(async () => {
    world = await createWorld(WORKFLOW);
    undisturbed = await undisturbedRun();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("the undisturbed run does what the workflow says", () => {
    const { moments, outside, ...run } = undisturbed;
    expect(run).toEqual({
      values: {
        topic: "tea",
        ...Object.fromEntries(
          ["plain", "tools", "corrected", "last"].flatMap((id) => [
            [id, `${id}!`],
            [`${id}_count`, id.length + 1],
          ]),
        ),
      },
      usage: { input: 80, output: 40, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
      costNanoUsd: 8_000,
      state: "succeeded",
      doneNodeIds: ["plain", "tools", "corrected", "last"],
    });
    // Eight model calls (four of them in `tools`, two in `corrected`) and four tool calls.
    expect(outside.length).toBe(12);
    expect(moments).toBeGreaterThan(60);
  });

  test(`${SEED_COUNT} seeds: same values, totals and outside calls; only what was in flight is repeated`, async () => {
    let crashes = 0;
    let repeats = 0;
    for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
      const random = createSeededRandom(`crash ${seed}`);
      const id = await world.submit();
      const outcome = await survive(world, id, (crashCount) =>
        crashCount < CRASH_COUNT_MAX ? random.integer(1, undisturbed.moments) : Infinity,
      );
      const { ledger, repeatsAllowed } = outcome;
      const run = await world.run(id);
      const { values, usage, costNanoUsd, state, doneNodeIds } = run;
      const { moments: _, outside, ...expected } = undisturbed;
      const where = `seed ${seed}`;
      expect({ values, usage, costNanoUsd, state, doneNodeIds }, where).toEqual(expected);
      const counts = countBy(ledger.begun);
      expect(
        [...counts.keys()].map((identity) => identity.replace(id, "run")).toSorted(),
        where,
      ).toEqual([...new Set(outside)]);
      for (const [identity, count] of counts)
        expect(count, `${where}: ${identity}`).toBe(1 + (repeatsAllowed.get(identity) ?? 0));
      const ends = (await world.events(id)).map((event) =>
        event.type === "step.succeeded" ? `${event.type} ${event.step}` : event.type,
      );
      expect(
        ends.filter((type) => /^(step|run)\.(succeeded|failed|cancelled)/.test(type)),
        where,
      ).toEqual([
        "step.succeeded plain",
        "step.succeeded tools",
        "step.failed",
        "step.succeeded corrected",
        "step.succeeded last",
        "run.succeeded",
      ]);
      crashes += outcome.crashCount;
      repeats += ledger.begun.length - counts.size;
    }
    // The test would prove nothing if workers hardly died, or never in the middle of a call.
    expect(crashes).toBeGreaterThan(SEED_COUNT);
    expect(repeats).toBeGreaterThan(SEED_COUNT / 4);
    const bugs = world.errors.filter((error) => !(error instanceof Crash));
    expect(bugs).toEqual([]);
  }, 60_000);
});
