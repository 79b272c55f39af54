/**
 * Goal: pages and lists stay as fast with a million runs and ten million events as with a thousand.
 * Method: no statement that the store sends while it answers may walk a whole table that grows with
 * history, nor sort what it finds: SQLite's own plan is asked for each.
 */
import { Database } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";
import { EVENT_COUNT_MAX, SIGNAL_COUNT_MAX } from "../../src/domain/run.ts";
import { WORKFLOW_ORDERS } from "../../src/domain/workflow.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { start, succeed, wait, waiting, write } from "../conformance/support.ts";
import { claim, newRun, saveWorkflow, startRun } from "./support/seed.ts";

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
    const { runs, queue, system, workflows, memory, cache, turns, metrics, eventLog } = store;
    const workflow = await saveWorkflow(workflows);
    const mine = await startRun(store, newRun(workflow, "r1"));
    await write(store, mine, {
      steps: [start(), succeed(), start("b"), wait({ for: "budget" }, "b")],
    });
    const origin = { kind: "child", runId: "r1", step: "b" } as const;
    await runs.create(newRun(workflow, "c1", { origin }), {});
    await runs.signal("r1", { name: "go", payload: null, by: null });
    await runs.decide("r1", "b", { approved: true, comment: null, by: null }).catch(() => {});
    await runs.pendingApprovals({ limit: 5 });
    await runs.pendingApprovals({ runId: "r1", limit: 5 });
    await runs.descendants("r1", 5);
    await runs.get("r1");
    await runs.find("1");
    await runs.list({ limit: 5 });
    await runs.list({ limit: 5, states: ["running", "failed"], before: "z" });
    await runs.list({ limit: 5, workflowId: workflow.id });
    await runs.list({ limit: 5, search: "echo" });
    const times = { sinceMs: 1, untilMs: 9_000_000_000_000 };
    await runs.page({ limit: 5, ...times, after: "a" });
    await runs.page({ limit: 5, states: ["running"], after: "a" });
    await runs.page({ limit: 5, workflowId: workflow.id, after: "a" });
    await runs.page({ limit: 5, search: "echo te", ...times });
    await runs.page({ limit: 5, search: "echo", after: "a" });
    await runs.page({ limit: 5, order: "dearest" });
    await runs.page({ limit: 5, minCostNanoUsd: 1, after: "5~a" });
    await runs.removeEnded({ untilMs: 1 }, 5);
    await runs.removeEnded({ upToId: "0" }, 5);
    await runs.findEndedBeyond(1);
    await runs.remove("c1").catch(() => {});
    for (const order of WORKFLOW_ORDERS) await workflows.listings({ order, sinceMs: 1 });
    await workflows.listings({ order: "name", sinceMs: 1, lastResult: "failed" });
    await workflows.figures([workflow.id], 1);
    await runs.counts();
    await runs.stats({ sinceMs: 0, untilMs: 3_600_000, bucketCount: 60 });
    await runs.journal("r1");
    await runs.events("r1", 0, 5);
    await runs.recentEvents(5);
    await queue.fetch("w", 1);
    await queue.fetch("w", 1, "r1");
    await queue.touch([mine]);
    await queue.nextDueAt();
    await queue.nextDueAt("r1");
    const namespace = { scope: "agent", agent: "echo", runId: null, nodeId: null } as const;
    const entry = { namespace, key: "k", value: "v", maxEntries: 5, expiresAt: null };
    const { id } = await memory.save(entry);
    await memory.recall(namespace, { text: "v w", limit: 5 });
    await memory.agents();
    await memory.list({ limit: 5, agent: "echo" });
    await memory.list({ limit: 5, scope: "node" });
    await memory.list({ limit: 5, runId: "r1" });
    await memory.list({ limit: 5, before: "z", search: "v" });
    await memory.update(id, "w");
    await memory.clear({ runId: "r1" });
    await memory.remove(id);
    await cache.put("k", { text: "x" } as never);
    await cache.get("k");
    const turn = await turns.take("a", { concurrency: 1, requestsPerMinute: 2 });
    if (turn.taken) await turn.release();
    await turns.block("a", 1);
    const place = { at: 1, runId: "r1", seq: 2 };
    await eventLog.eventsBefore({ untilMs: 1, limit: 5 });
    await eventLog.eventsBefore({ untilMs: 1, limit: 5, before: place });
    await eventLog.eventsBefore({ untilMs: 1, limit: 5, runId: "r1" });
    await system.providerPauses(1);
    const filter = { sinceMs: 0, untilMs: 3_600_000, workflowId: workflow.id, limit: 5 };
    await metrics.series({ ...filter, spanMs: 3_600_000 });
    await metrics.totals(filter);
    await metrics.byWorkflow(filter);
    await metrics.byNode({ ...filter, order: "cost" });
    await metrics.byNode({ ...filter, order: "duration" });
    await metrics.nodeTotals(filter);
    await metrics.byModel(filter);
    await metrics.removeOldHours();
    await queue.releaseWorker("w");
    await system.beginSession({ startedAt: 1, pid: 1, url: "", version: "" });
    await system.beginSession({ startedAt: 1, pid: 1, url: "", version: "" });
    await workflows.remove(workflow.id).catch(() => {});
    await write(store, await claim(queue, "w", "c1"), { turn: waiting({ for: "budget" }) });
    await runs.resume("c1", { supersede: ["b"], by: null });
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
    // The newest answer, and the newest events: along the index, as far as the limit.
    "SCAN cached_answers",
    "SCAN events USING INDEX events_by_at",
    "SEARCH cached_answers USING INDEX cached_answers_by_key (key=?)",
    "SEARCH cached_answers USING INTEGER PRIMARY KEY (rowid<?)",
    "SEARCH events USING INDEX events_by_at ((at,run_id,seq)<(?,?,?))",
    // The least number of an index.
    "SEARCH memories",
    // Expired ones are removed by the next write.
    "SEARCH memories USING COVERING INDEX memories_by_expires_at (expires_at>? AND expires_at<?)",
    "SEARCH memories USING COVERING INDEX memories_by_id (id=?)",
    "SEARCH memories USING COVERING INDEX memories_by_updated_at (namespace=?)",
    "SEARCH memories USING INDEX memories_by_agent (agent=?)",
    "SEARCH memories USING INDEX memories_by_expires_at (expires_at>? AND expires_at<?)",
    "SEARCH memories USING INDEX memories_by_scope (scope=?)",
    "SEARCH memories USING INDEX memories_by_updated_at (namespace=?)",
    "SEARCH memories USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH provider_turns USING COVERING INDEX provider_turns_by_account (account=? AND taken_at>?)",
    "SEARCH provider_turns USING COVERING INDEX provider_turns_held (account=? AND held_until>?)",
    "SEARCH provider_turns USING INDEX provider_turns_by_account (account=? AND taken_at<?)",
    "SEARCH provider_turns USING INTEGER PRIMARY KEY (rowid=?)",
    // The newest row.
    "SEARCH runs",
    "SEARCH runs USING COVERING INDEX runs_by_due_at (due_at>?)",
    "SEARCH runs USING COVERING INDEX runs_by_state (state=? AND id>? AND id<?)",
    "SEARCH runs USING COVERING INDEX runs_by_state (state=?)",
    "SEARCH runs USING COVERING INDEX runs_by_workflow (workflow_id=? AND state=? AND id>? AND id<?)",
    // The newest of each state.
    "SEARCH runs USING COVERING INDEX runs_by_workflow (workflow_id=? AND state=?)",
    "SEARCH runs USING COVERING INDEX runs_by_workflow (workflow_id=?)",
    "SEARCH runs USING COVERING INDEX sqlite_autoindex_runs_1 (id<?)",
    "SEARCH runs USING COVERING INDEX sqlite_autoindex_runs_1 (id>? AND id<?)",
    "SEARCH runs USING INDEX runs_by_cost ((cost_nano_usd,id)>(?,?))",
    "SEARCH runs USING INDEX runs_by_cost (cost_nano_usd>? AND (cost_nano_usd,id)<(?,?))",
    "SEARCH runs USING INDEX runs_by_due_at (due_at>? AND due_at<?)",
    "SEARCH runs USING INDEX runs_by_origin (origin_run_id=?)",
    "SEARCH runs USING INDEX runs_by_reversed_id (reversed_id>? AND reversed_id<?)",
    // Those inside of one run that are due.
    "SEARCH runs USING INDEX runs_by_root (root_id=? AND due_at>?)",
    // Ended runs from the oldest on: those that ended late are passed over.
    "SEARCH runs USING INDEX runs_by_state (state=? AND id<?)",
    // The runs of a dead worker are among the running ones.
    "SEARCH runs USING INDEX runs_by_state (state=?)",
    "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)",
    "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
    // Only steps that wait for a person are in it.
    "SEARCH steps USING INDEX steps_by_asked_at (asked_at>?)",
    // What is due inside of one run, and the memories of one namespace by relevance: few.
    "USE TEMP B-TREE FOR ORDER BY",
  ]);
});

/** What SQLite would do with the tables that grow; nothing to tell for one run, or the rows of one. */
function stepsOf(client: Database, sql: string): string[] {
  const details = client
    .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((step) => step.detail);
  const growing = details.filter((detail) =>
    /^(SCAN|SEARCH) (runs|steps|step_calls|events|signals|memories|cached_answers|provider_turns)\b/.test(
      detail,
    ),
  );
  if (growing.every((detail) => /\((id|run_id)=\?/.test(detail))) return [];
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
  await write(store, mine, { steps: [start("a")] });
  await store.runs.appendEvents(mine, deltas(3));
  await store.runs.appendEvents(mine, deltas(2));
  await write(store, mine, {
    steps: [succeed("a")],
    turn: { state: "succeeded", outputs: {} },
  });
  const notice =
    "\n[The log of this run is full (100000 entries): the rest of the text is not kept.]\n";
  const last = await store.runs.events("r1", EVENT_COUNT_MAX - 3, 10);
  expect(last.map(({ seq, event }) => [seq - EVENT_COUNT_MAX, event])).toEqual([
    [-2, { type: "step.started", node: "a", step: "a", attempt: 1 }],
    [-1, ...deltas(1)],
    [0, ...deltas(1, notice)],
    [1, { type: "step.succeeded", step: "a", attempt: 1, patch: {}, next: [] }],
    [2, { type: "run.succeeded", outputs: {} }],
  ]);
  await store.close();
}, 20_000);

test("a run takes so many signals and no more", async () => {
  const store = await openStore({ path: ":memory:", clock: createManualClock() });
  await store.runs.create(newRun(await saveWorkflow(store.workflows), "r1"), {});
  const send = () => store.runs.signal("r1", { name: "go", payload: null, by: null });
  await Promise.all(Array.from({ length: SIGNAL_COUNT_MAX }, send));
  expect(await codeOf(send())).toBe("limit_reached");
  expect((await store.runs.journal("r1")).signals).toHaveLength(SIGNAL_COUNT_MAX);
  await store.close();
}, 20_000);
