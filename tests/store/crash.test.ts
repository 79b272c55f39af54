/**
 * Goal: a write that was acknowledged survives `kill -9` at any instant, and the file is whole after it.
 * Method: twenty worker processes after one another on one file, each killed when its ledger of
 * acknowledged writes has reached a random length; after each death the file is checked against the
 * ledger. The last worker may finish; then every run must have every step once.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { createSeededRandom } from "../../src/lib/seeded-random.ts";
import { openStore } from "../../src/store/store.ts";
import { STEP_COUNT } from "./support/crash.ts";
import { temporaryFolder } from "./support/folder.ts";
import { waitUntil } from "./support/wait.ts";

const ROUND_COUNT = 20;
const RUN_COUNT_NEW = 8;
const SEED = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

async function ledgerLines(path: string): Promise<string[]> {
  const file = Bun.file(path);
  return (await file.exists()) ? (await file.text()).split("\n").slice(0, -1) : [];
}

/** What the database says that does not fit the ledger or itself; empty when all is well. */
function faults(path: string, ledger: readonly string[]): string[] {
  using client = new Database(path);
  const list = <Row>(sql: string) => client.query<Row, []>(sql).all();
  const states = new Map(
    list<{ run_id: string; key: string; state: string }>("SELECT * FROM steps").map((step) => [
      `${step.run_id} ${step.key}`,
      step.state,
    ]),
  );
  const runIds = new Set(list<{ id: string }>("SELECT id FROM runs").map((run) => run.id));
  const received = list<{ run_id: string; name: string; consumed_by: string | null }>(
    "SELECT run_id, name, consumed_by FROM signals",
  );
  const signals = new Set(received.map((signal) => `${signal.run_id} ${signal.name}`));
  // A signal is consumed with the step that answers to it, and only then.
  const halfConsumed = received.filter(
    ({ run_id, name, consumed_by }) =>
      (states.get(`${run_id} ${name}`) === "succeeded") !== (consumed_by === name),
  );
  const lost = ledger.filter((line) => {
    const [what = "", runId = "", key = ""] = line.split(" ");
    if (what === "created") return !runIds.has(runId);
    if (what === "signalled") return !signals.has(`${runId} ${key}`);
    const state = states.get(`${runId} ${key}`);
    return what === "succeeded" ? state !== "succeeded" : state === undefined;
  });
  const stored = list<{ key: string; seen: number }>(
    `SELECT key, (SELECT count(*) FROM memory_words WHERE rowid = number) AS seen FROM memories`,
  );
  const memories = new Map(stored.map((memory) => [memory.key, memory.seen]));
  const unremembered = [...states].filter(
    ([step, state]) => (state === "succeeded") !== (memories.get(step) === 1),
  );
  const integrity = list<{ integrity_check: string }>("PRAGMA integrity_check");
  const gaps = list(
    "SELECT run_id FROM events GROUP BY run_id HAVING count(*) <> max(seq) OR min(seq) <> 1",
  );
  const doubled = list(
    `SELECT run_id FROM events WHERE type = 'step.succeeded'
     GROUP BY run_id, json_extract(data, '$.step') HAVING count(*) > 1`,
  );
  const counts = list(
    `SELECT state FROM run_counts
     WHERE count <> (SELECT count(*) FROM runs WHERE runs.state = run_counts.state)`,
  );
  const halves = list(
    `SELECT id FROM runs WHERE json_array_length(done_node_ids) <>
       (SELECT count(*) FROM steps WHERE run_id = runs.id AND state = 'succeeded')`,
  );
  // The end of a step and the beginning of the next are one write.
  const untaken = list(
    `SELECT run_id, key FROM steps WHERE state = 'succeeded' AND next <> '["END"]' AND NOT EXISTS
       (SELECT 1 FROM steps AS taken WHERE taken.run_id = steps.run_id AND taken.key = steps.next ->> 0)`,
  );
  const places = list(
    `SELECT * FROM steps JOIN events ON events.run_id = steps.run_id AND events.seq = ended_seq
     WHERE type <> 'step.succeeded' OR json_extract(data, '$.step') <> key OR ended_seq <= steps.seq`,
  );
  return [
    ...lost.map((line) => `lost: ${line}`),
    ...integrity.filter((row) => row.integrity_check !== "ok").map((row) => row.integrity_check),
    ...[
      ...gaps,
      ...doubled,
      ...counts,
      ...halves,
      ...halfConsumed,
      ...unremembered,
      ...places,
      ...untaken,
    ].map((row) => JSON.stringify(row)),
  ];
}

test(`acknowledged writes survive SIGKILL (AGENTS_TEST_SEED=${SEED})`, async () => {
  await using folder = await temporaryFolder();
  const random = createSeededRandom(String(SEED));
  const ledger = join(folder.path, "ledger");
  const script = `${import.meta.dir}/support/crash-process.ts`;
  const start = (round: number, runCount: number) => {
    const names = [`w${round}`, `w${round - 1}`];
    const command = [process.execPath, script, folder.database, ledger, ...names, String(runCount)];
    return Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] });
  };
  let midwayCount = 0;
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const killAt = (await ledgerLines(ledger)).length + random.integer(1, 150);
    const child = start(round, RUN_COUNT_NEW);
    const reached = async () =>
      child.exitCode !== null || (await ledgerLines(ledger)).length >= killAt;
    await waitUntil("the ledger to grow", reached);
    child.kill("SIGKILL");
    await child.exited;
    if (child.signalCode === "SIGKILL") midwayCount += 1;
    expect({ round, faults: faults(folder.database, await ledgerLines(ledger)) }).toEqual({
      round,
      faults: [],
    });
  }
  expect(midwayCount).toBeGreaterThan(ROUND_COUNT / 2);

  expect(await start(ROUND_COUNT, 0).exited).toBe(0);
  expect(faults(folder.database, await ledgerLines(ledger))).toEqual([]);
  const store = await openStore({ path: folder.database, clock: systemClock });
  const { succeeded, ...others } = await store.runs.counts();
  expect(succeeded).toBeGreaterThan(RUN_COUNT_NEW);
  expect(others).toEqual({ queued: 0, running: 0, waiting: 0, failed: 0, cancelled: 0 });
  const keys = Array.from({ length: STEP_COUNT }, (_, index) => `s${index}`);
  const values = {
    ...Object.fromEntries(keys.map((key, index) => [key, index])),
    sum: STEP_COUNT,
  };
  for (const run of await store.runs.list({ limit: 1000 })) {
    expect([run.id, run.values, run.doneNodeIds]).toEqual([run.id, values, keys]);
  }
  await store.close();
}, 60_000);
