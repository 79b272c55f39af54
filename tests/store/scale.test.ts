/**
 * Goal: pages and lists stay as fast with a million runs and ten million events as with a thousand.
 * Method: no statement that the store sends while it answers may walk a whole table that grows with
 * history, nor sort what it finds: SQLite's own plan is asked for each.
 */
import { Database } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";
import { EVENT_COUNT_MAX } from "../../src/domain/run.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

test("no statement walks or sorts a table that grows with history", async () => {
  await using folder = await temporaryFolder();
  const sent = new Set<string>();
  // oxlint-disable-next-line typescript/unbound-method -- Called on the right object below.
  const prepare = Database.prototype.prepare;
  const spy = spyOn(Database.prototype, "prepare").mockImplementation(function (
    this: Database,
    text: string,
    ...rest: never[]
  ) {
    sent.add(text);
    return prepare.call(this, text, ...rest);
  } as typeof prepare);
  try {
    const store = await openStore({ path: folder.database, clock: createManualClock() });
    const { runs, queue, system, workflows } = store;
    const workflow = await saveWorkflow(workflows);
    const mine = await startRun(store, newRun(workflow, "r1"));
    const step = { key: "read", nodeId: "read", attempt: 1, input: null };
    await runs.startStep(mine, step);
    await runs.succeedStep(mine, { ...step, patch: {} }, undefined);
    await runs.get("r1");
    await runs.find("1");
    await runs.list({ limit: 5 });
    await runs.list({ limit: 5, states: ["running", "failed"], before: "z" });
    await runs.list({ limit: 5, workflowId: workflow.id });
    await runs.list({ limit: 5, search: "echo" });
    await runs.counts();
    await runs.stats({ sinceMs: 0, untilMs: 3_600_000, bucketCount: 60 });
    await runs.journal("r1");
    await runs.events("r1", 0, 5);
    await runs.recentEvents(5);
    await queue.fetch("w", 1);
    await queue.fetch("w", 1, "r1");
    await queue.touch([mine]);
    await queue.nextDueAt();
    await queue.releaseWorker("w");
    await system.beginSession({ startedAt: 1, pid: 1, url: "", version: "" });
    await system.beginSession({ startedAt: 1, pid: 1, url: "", version: "" });
    await workflows.remove(workflow.id).catch(() => {});
    await runs.requestCancel("r1");
    await store.close();
  } finally {
    spy.mockRestore();
  }
  using client = new Database(folder.database, { readonly: true });
  const plans = [...sent]
    .filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/i.test(sql))
    .flatMap((sql) => stepsOf(client, sql));
  expect([...new Set(plans)].toSorted()).toEqual([
    // Newest events: along the index, as far as the limit.
    "SCAN events USING INDEX events_by_at",
    "SEARCH runs USING COVERING INDEX runs_by_due_at (due_at>?)",
    "SEARCH runs USING COVERING INDEX runs_by_state (state=? AND id>? AND id<?)",
    "SEARCH runs USING COVERING INDEX runs_by_state (state=?)",
    "SEARCH runs USING COVERING INDEX runs_by_workflow (workflow_id=? AND state=? AND id>? AND id<?)",
    "SEARCH runs USING COVERING INDEX runs_by_workflow (workflow_id=?)",
    "SEARCH runs USING COVERING INDEX sqlite_autoindex_runs_1 (id>? AND id<?)",
    "SEARCH runs USING INDEX runs_by_due_at (due_at>? AND due_at<?)",
    "SEARCH runs USING INDEX runs_by_reversed_id (reversed_id>? AND reversed_id<?)",
    // The runs of a dead worker are among the running ones.
    "SEARCH runs USING INDEX runs_by_state (state=?)",
  ]);
});

/** What SQLite would do with the tables that grow; nothing to tell for one run, or the rows of one. */
function stepsOf(client: Database, sql: string): string[] {
  const details = client
    .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((step) => step.detail);
  const growing = details.filter((detail) =>
    /^(SCAN|SEARCH) (runs|steps|step_calls|events)\b/.test(detail),
  );
  if (growing.length === 0 || growing.some((detail) => /\((id|run_id)=\?/.test(detail))) return [];
  return [...growing, ...details.filter((detail) => detail.startsWith("USE TEMP B-TREE"))];
}

function deltas(count: number, content = "x") {
  const event = { type: "model.delta", step: "a", attempt: 1, call: 0, text: content } as const;
  return Array.from({ length: count }, () => event);
}

test("a full log takes one notice, then only changes of state", async () => {
  const store = await openStore({ path: ":memory:", clock: createManualClock() });
  const mine = await startRun(store, newRun(await saveWorkflow(store.workflows), "r1"));
  await store.runs.appendEvents(mine, deltas(EVENT_COUNT_MAX - 5));
  const step = { key: "a", nodeId: "a", attempt: 1, input: null };
  await store.runs.startStep(mine, step);
  await store.runs.appendEvents(mine, deltas(3));
  await store.runs.appendEvents(mine, deltas(2));
  await store.runs.succeedStep(mine, { ...step, patch: {} }, { outputs: {} });
  const notice =
    "\n[The log of this run is full (100000 entries): the rest of the text is not kept.]\n";
  const last = await store.runs.events("r1", EVENT_COUNT_MAX - 3, 10);
  expect(last.map(({ seq, event }) => [seq - EVENT_COUNT_MAX, event])).toEqual([
    [-2, { type: "step.started", node: "a", step: "a", attempt: 1 }],
    [-1, ...deltas(1)],
    [0, ...deltas(1, notice)],
    [1, { type: "step.succeeded", step: "a", attempt: 1, patch: {} }],
    [2, { type: "run.succeeded", outputs: {} }],
  ]);
  await store.close();
}, 20_000);
