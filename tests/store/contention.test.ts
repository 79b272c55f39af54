/**
 * Goal: on one file, no run is executed by two processes at once, no signal is lost, no approval decided
 * twice. Method: three real processes do all of it at the same time; then what each says it did is
 * compared with the others and with the database.
 */
import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { type Report, SIGNAL_COUNT, STEP_COUNT, runIds } from "./support/contention.ts";
import { temporaryFolder } from "./support/folder.ts";
import { newRun, saveWorkflow } from "./support/seed.ts";

const WORKERS = ["w1", "w2", "w3"];

test("three processes on one file share its runs", async () => {
  await using folder = await temporaryFolder();
  const store = await openStore({ path: folder.database, clock: systemClock });
  const workflow = await saveWorkflow(store.workflows);
  await Promise.all(runIds.map((id) => store.runs.create(newRun(workflow, id), {})));

  const script = `${import.meta.dir}/support/contention-process.ts`;
  const children = WORKERS.map((worker) =>
    Bun.spawn([process.execPath, script, folder.database, worker], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const reports = await Promise.all(
    children.map(async (child): Promise<Report> =>
      JSON.parse(await new Response(child.stdout).text()),
    ),
  );

  const all = (key: keyof Report) => reports.flatMap((report) => report[key].map(String));
  expect(new Set(all("claimed")).size).toBe(all("claimed").length);
  expect(all("written").toSorted()).toEqual(
    runIds.flatMap((id) => Array.from({ length: STEP_COUNT }, (_, index) => `${id} s${index}`)),
  );
  expect(all("decided").toSorted()).toEqual(runIds);
  expect(all("signalled")).toHaveLength(runIds.length * WORKERS.length * SIGNAL_COUNT);

  for (const id of runIds) {
    const run = await store.runs.get(id);
    expect(run).toMatchObject({ state: "succeeded", values: { sum: STEP_COUNT } });
    const { signals } = await store.runs.journal(id);
    const count = WORKERS.length * SIGNAL_COUNT + 1;
    expect(signals.map((signal) => signal.seq)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
    const senders = signals
      .filter((signal) => signal.name === "go")
      .map((signal) => String(signal.by));
    expect(senders.toSorted()).toEqual(WORKERS.flatMap((worker) => [worker, worker]));
    const events = await store.runs.events(id, 0, 1000);
    expect(events.map((stored) => stored.seq)).toEqual(events.map((_, index) => index + 1));
  }
  await store.close();
}, 60_000);
