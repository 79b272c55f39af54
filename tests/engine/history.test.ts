/** A history that has been kept while a run went on decides as one that is made from the journal. */
import { expect, test } from "bun:test";
import type { StepAttempt } from "../../src/domain/run.ts";
import { END, START, type WorkflowNode } from "../../src/domain/workflow.ts";
import { History } from "../../src/engine/history.ts";
import { newAttempt } from "../../src/engine/new-attempt.ts";
import { plan } from "../../src/engine/plan.ts";
import { planReopen } from "../../src/engine/reopen.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { createSeededRandom } from "../../src/lib/seeded-random.ts";
import { graph, llmNode, to } from "./fixture.ts";
import { pickOf } from "./model.ts";
import { createPlay, pictureOf } from "./play.ts";
import { itemsOf, randomProgram } from "./random-workflow.ts";
import { stepNumber } from "../../src/engine/key.ts";

const SEED_COUNT = 250;
/** Ends of steps that one case takes at most. */
const END_COUNT_MAX = 120;

/** What a node leaves so that its loops and circles come to an end. */
function patchOf({ id, outputs }: WorkflowNode, key: string): JsonObject {
  const number = stepNumber(key);
  const patch: JsonObject = { [`v_${id}`]: key, log: [key], total: 1 };
  const more = outputs.map(({ name }): [string, Json] => {
    if (name.startsWith("done_")) return [name, number % 2 === 0];
    if (name.startsWith("again_")) return [name, number % 3 !== 0];
    return [name, name.startsWith("pick_") ? pickOf(id, number, 2) : key];
  });
  return { ...patch, ...Object.fromEntries(more) };
}

test(`History: ${SEED_COUNT} random runs, compared after each write with what the journal says`, async () => {
  let compared = 0;
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    const where = `seed ${seed}`;
    const program = randomProgram(`history ${seed}`);
    const random = createSeededRandom(where);
    const { workflow } = program;
    const nodes = new Map(workflow.nodes.map((node) => [node.id, node]));
    const play = await createPlay(workflow, itemsOf(program.graph));
    await play.begin();
    for (let count = 0; count < END_COUNT_MAX; count += 1) {
      expect(pictureOf(play.history), where).toEqual(pictureOf(await play.readHistory()));
      compared += 1;
      if (random.integer(0, 15) === 0) {
        await play.recover();
        await play.begin();
      }
      const active = play.active();
      if (play.last.kind === "failed" || active.length === 0) break;
      const key = active[random.integer(0, active.length - 1)] ?? "";
      const node = nodes.get(play.history.open.get(key)?.node.id ?? "");
      if (node === undefined) throw new Error(`no node of ${key}`);
      const isFailing = node.onError.kind !== "fail" && random.integer(0, 3) === 0;
      if (isFailing) await play.fail(key);
      else await play.end(key, patchOf(node, key));
    }
    const run = await play.store.runs.get("run1");
    // What is compared all along is what the store has too.
    expect(play.history.values, where).toEqual(run?.values ?? {});
  }
  expect(compared).toBeGreaterThan(SEED_COUNT * 5);
});

test("History: a succeeded step that does not say where it led has taken the only way", () => {
  const workflow = graph(
    ["a", "b", "c"].map((id) => llmNode(id)),
    to({ [START]: ["a"], a: ["b"], b: ["c"], c: [END] }),
  );
  const begun = newAttempt({ key: "a", nodeId: "a", attempt: 1, input: {}, startedAt: 1 });
  const old: StepAttempt = { ...begun, state: "succeeded", patch: {}, startedSeq: 3, endedSeq: 4 };
  const journal = { steps: [old], calls: [], signals: [] };
  const history = new History(workflow, journal, { values: {}, entry: ["a"] });
  const options = { nowMs: 1, isStopping: false, render: () => ({}) };
  expect(plan(workflow, history, options)).toMatchObject({
    kind: "moves",
    moves: [{ type: "start", key: "b", attempt: 1 }],
  });
  const place = { initialValues: {}, from: "a" };
  const later = { ...begun, key: "b", nodeId: "b", startedSeq: 5 };
  expect(planReopen(workflow, { ...journal, steps: [old, later] }, place).supersede).toEqual([
    "a",
    "b",
  ]);
});
