/**
 * Goal: whatever the graph, whoever is quicker and wherever workers die, a run comes to what the model
 * says: the same values, each step once, each call to the outside recorded once.
 *
 * Method: random workflows of scripted nodes on the store in memory and a fake clock. A worker "dies" at a
 * random port call, before or after it: from then on each of its calls throws. Another one goes on from the
 * journal. `AGENTS_TEST_SEED=17` repeats one case.
 */
import { describe, expect, test } from "bun:test";
import { approvalSignal, RUN_STATES_FINAL, STEP_RECOVERY_COUNT_MAX } from "../../src/domain/run.ts";
import { isItemKey } from "../../src/domain/event.ts";
import { isJsonObject } from "../../src/lib/json.ts";
import { createSeededRandom, type SeededRandom } from "../../src/lib/seeded-random.ts";
import { type Expected, expectedOf, settled } from "./model.ts";
import { initialOf, type Program, randomProgram } from "./random-workflow.ts";
import { type Outside, scriptedExecutor } from "./scripted-node.ts";
import { createWorld, type Probe, type World } from "./world.ts";

const SEED_COUNT = 1_500;
const FILE_SEED_COUNT = 30;
/** One below the limit: the step that was hit each time must still be finished. */
const CRASH_COUNT_MAX = STEP_RECOVERY_COUNT_MAX - 1;
/** Port calls after which a worker dies at the latest. */
const CRASH_MOMENT_MAX = 40;

class Crash extends Error {
  override readonly name = "Crash";
}

interface Ledger {
  /** Calls in the order in which they were begun. */
  readonly begun: string[];
  /** Those that are in the database. */
  readonly recorded: Set<string>;
  /** How often a call may have been repeated: it was in flight when a worker died. */
  readonly repeats: Map<string, number>;
  crashCount: number;
}

/** The outside and the ports of one worker that dies at its `crashAt`th moment. */
function live(
  world: World,
  ledger: Ledger,
  options: { crashAt: number; random: SeededRandom; isFile: boolean },
) {
  const { crashAt, random, isFile } = options;
  let moments = 0;
  let dead = false;
  const pass = () => {
    moments += 1;
    if (moments >= crashAt) dead = true;
    if (dead) throw new Crash();
  };
  // A real database takes its own time.
  const isSlow = !isFile && random.integer(0, 2) === 0;
  const outside: Outside = {
    durationMs: () => random.integer(0, 20),
    begin: (identity) => {
      pass();
      if (ledger.recorded.has(identity)) throw new Error(`${identity} was made again`);
      ledger.begun.push(identity);
    },
    end: pass,
  };
  const probe: Probe = (_, call) => {
    // Renewals and looks come by time, not by progress.
    if (call === "queue.touch" || call === "queue.nextDueAt" || call === "runs.get") {
      if (dead) throw new Crash();
      return undefined;
    }
    pass();
    return isSlow ? world.clock.sleep(random.integer(0, 3)) : undefined;
  };
  return { outside, probe, isDead: () => dead, kill: () => (dead = true) };
}

/** What comes to the run from outside: signals for its waits, and decisions. */
function createVisitor(
  world: World,
  runId: string,
  plan: { needs: string[]; random: SeededRandom },
) {
  const { needs, random } = plan;
  const { runs } = world.store;
  return async () => {
    if (random.integer(0, 3) > 0) return;
    const name = needs.pop();
    const payload = { approved: true, comment: null };
    if (name !== undefined) await runs.signal(runId, { name, payload, by: "test" });
    const [pending] = await runs.pendingApprovals({ limit: 1 });
    if (pending === undefined) return;
    const decision = { approved: true, comment: null, by: "test" };
    await runs.decide(pending.runId, pending.key, decision);
  };
}

async function readLedger(world: World, ids: readonly string[], ledger: Ledger): Promise<string[]> {
  const all: string[] = [];
  for (const id of ids)
    for (const { request } of (await world.store.runs.journal(id)).calls)
      if (isJsonObject(request) && typeof request["identity"] === "string")
        all.push(request["identity"]);
  all.forEach((identity) => ledger.recorded.add(identity));
  return all;
}

async function runIds(world: World): Promise<string[]> {
  return (await world.store.runs.list({ limit: 1_000 })).map((run) => run.id);
}

/** Executes the run under workers that die, until it has ended. @returns its calls in the database. */
async function survive(
  world: World,
  runId: string,
  options: {
    program: Program;
    expected: Expected;
    random: SeededRandom;
    ledger: Ledger;
    isFile: boolean;
  },
): Promise<string[]> {
  const { program, expected, random, ledger, isFile } = options;
  const needs = neededSignals(program, expected, random);
  const visit = createVisitor(world, runId, { needs, random });
  const crashes = random.integer(0, 2) === 0 ? 0 : random.integer(1, CRASH_COUNT_MAX);
  const isFinal = async () => RUN_STATES_FINAL.includes((await world.run(runId)).state);
  for (let life = 0; ; life += 1) {
    const worker = `worker-${life}`;
    const crashAt = life < crashes ? random.integer(1, CRASH_MOMENT_MAX) : Infinity;
    const { outside, probe, isDead, kill } = live(world, ledger, { crashAt, random, isFile });
    const begunBefore = ledger.begun.length;
    const executors = { llm: scriptedExecutor(program, outside) } as never;
    const concurrency = random.integer(1, 3);
    const runner = world.start({
      executors,
      probe,
      worker,
      concurrency,
      random: () => random.next(),
    });
    await world.until(async () => {
      if (isDead()) return true;
      if (await isFinal()) return true;
      await visit();
      return false;
    });
    const hasCrashed = isDead();
    kill();
    await world.settled(runner.stop({ graceMs: 0 }));
    const recorded = await readLedger(world, await runIds(world), ledger);
    if (!hasCrashed) return recorded;
    ledger.crashCount += 1;
    for (const identity of ledger.begun.slice(begunBefore))
      if (!ledger.recorded.has(identity))
        ledger.repeats.set(identity, (ledger.repeats.get(identity) ?? 0) + 1);
    if (random.integer(0, 1) === 0) await world.store.queue.releaseWorker(worker);
  }
}

/** A signal for each execution of a node that waits for one, and some decisions ahead of their time. */
function neededSignals(
  { workflow }: Program,
  { executions }: Expected,
  random: SeededRandom,
): string[] {
  return workflow.nodes.flatMap((node) => {
    const count = executions[node.id] ?? 0;
    if (node.kind === "wait" && node.wait.for === "signal")
      return Array.from({ length: count }, () => `go_${node.id}`);
    return node.kind === "approval" && count > 0 && random.integer(0, 1) === 0
      ? [approvalSignal(node.id)]
      : [];
  });
}

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

interface Outcome {
  readonly crashCount: number;
  readonly repeatCount: number;
}

/** Executes one random case and compares what came of it with the model. */
async function check(seed: number, store: "file" | "memory"): Promise<Outcome> {
  const program = randomProgram(`program ${seed}`);
  const initial = initialOf(program);
  const expected = expectedOf(program, initial);
  await using world = await createWorld(program.workflow, {
    store,
    others: [program.childWorkflow],
  });
  const runId = await world.submit(initial);
  const random = createSeededRandom(`interleaving ${seed}`);
  const ledger: Ledger = { begun: [], recorded: new Set(), repeats: new Map(), crashCount: 0 };
  const isFile = store === "file";
  const recorded = await survive(world, runId, { program, expected, random, ledger, isFile });

  const run = await world.run(runId);
  const begun = countBy(ledger.begun);
  for (const [identity, count] of begun) {
    const most = 1 + (ledger.repeats.get(identity) ?? 0);
    // A run that fails elsewhere meanwhile does not come back to it.
    if (expected.failedKey === undefined) expect(count, identity).toBe(most);
    else expect(count, identity).toBeLessThanOrEqual(most);
  }
  const bugs = world.errors.filter((error) => !(error instanceof Crash));
  expect(bugs).toEqual([]);
  if (expected.failedKey === undefined) {
    expect([run.state, run.error]).toEqual(["succeeded", null]);
    expect(settled(run.values)).toEqual(settled(expected.values));
    expect(recorded.toSorted()).toEqual(expected.calls.toSorted());
    await checkSteps(world, runId, expected);
    const modelCount = expected.calls.filter((call) => call.startsWith("model ")).length;
    expect([run.costNanoUsd, run.usage.input]).toEqual([10 * modelCount, 3 * modelCount]);
  } else {
    expect([run.state, run.error?.code]).toEqual(["failed", "tool_failed"]);
    expect(run.error?.message).toBe(`Step \`${expected.failedKey}\` failed: It is broken.`);
    const most = new Set(expected.calls);
    expect(recorded.filter((identity) => !most.has(identity))).toEqual([]);
    expect(recorded.length).toBe(new Set(recorded).size);
  }
  return { crashCount: ledger.crashCount, repeatCount: ledger.begun.length - begun.size };
}

/** Each execution is in the journal once, and in the log its end is. */
async function checkSteps(world: World, runId: string, expected: Expected): Promise<void> {
  const steps = await world.steps(runId);
  const ended = steps.filter(({ key, next }) => next !== null && !isItemKey(key));
  const counts = countBy(ended.map(({ nodeId }) => nodeId));
  expect(Object.fromEntries(counts)).toEqual(expected.executions);
  expect(new Set(steps.map(({ key }) => key)).size).toBe(
    steps.filter(({ next }) => next !== null).length,
  );
  const events = await world.events(runId);
  const ends = events.flatMap((event) =>
    event.type === "step.succeeded" || event.type === "step.skipped" ? [event.step] : [],
  );
  expect(ends.length).toBe(new Set(ends).size);
  const exhausted = events.filter(({ type }) => type === "loop.exhausted");
  expect(exhausted.length).toBe(expected.exhaustedCount);
}

async function checkAll(seeds: readonly number[], store: "file" | "memory"): Promise<Outcome> {
  let crashCount = 0;
  let repeatCount = 0;
  for (const seed of seeds) {
    try {
      const outcome = await check(seed, store);
      crashCount += outcome.crashCount;
      repeatCount += outcome.repeatCount;
    } catch (error) {
      const how = `repeat it with AGENTS_TEST_SEED=${seed}`;
      throw new Error(`seed ${seed}, store: ${store} (${how})`, { cause: error });
    }
  }
  return { crashCount, repeatCount };
}

const only = process.env["AGENTS_TEST_SEED"];

function seedsTo(count: number): number[] {
  return only === undefined
    ? Array.from({ length: count }, (_, index) => index + 1)
    : [Number(only)];
}

describe("random workflows under random crashes come to what the model says", () => {
  test(`in memory, ${SEED_COUNT} seeds`, async () => {
    const { crashCount, repeatCount } = await checkAll(seedsTo(SEED_COUNT), "memory");
    if (only !== undefined) return;
    // The test would prove nothing if workers hardly died, or never in the middle of a call.
    expect(crashCount).toBeGreaterThan(SEED_COUNT);
    expect(repeatCount).toBeGreaterThan(SEED_COUNT / 20);
  }, 120_000);

  test(`on a real database, ${FILE_SEED_COUNT} seeds`, async () => {
    await checkAll(seedsTo(FILE_SEED_COUNT), "file");
  }, 60_000);
});
