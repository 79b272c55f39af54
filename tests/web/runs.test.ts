/** Many runs: jobs, exports, comparisons, and what lies below a run's page. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Run } from "../../src/domain/run.ts";
import type { WorkflowRecord } from "../../src/domain/workflow.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { Browser, GREETING, startWorld, type World } from "./world.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
  browser = new Browser(world);
});
afterAll(() => world[Symbol.asyncDispose]());

const flow = (name: string) => world.addWorkflow(GREETING.replace("greeting", name));
const addRuns = (record: WorkflowRecord, count: number) =>
  Promise.all(Array.from({ length: count }, () => world.addRun(record)));
const stateOf = async ({ id }: Run) => (await world.store.runs.get(id))?.state;

/** The address of the page before or after this one. */
function link(html: string, rel: "prev" | "next"): string {
  const found = new RegExp(`href="([^"]+)" rel="${rel}"`).exec(html)?.[1] ?? "";
  return found.replaceAll("&amp;", "&");
}

function idsOf(html: string): (string | undefined)[] {
  return [...html.matchAll(/<tr id="run-(\w+)"/g)].map((hit) => hit[1]);
}

function seqsOf(html: string): number[] {
  return [...html.matchAll(/<li class="l-\w+" id="log-\w+-(\d+)"/g)].map((hit) => Number(hit[1]));
}

/** Follows a job to its end. @returns its page. */
async function follow(location: string | null): Promise<string> {
  for (;;) {
    const { text } = await browser.get(location ?? "");
    if (!text.includes('hx-trigger="every 1s"')) return text;
  }
}

describe("POST /runs/bulk", () => {
  test("asks before it works on all that match, and works on no others", async () => {
    const [mine, other] = [await flow("all"), await flow("others")];
    const runs = await addRuns(mine, 60);
    const [kept] = await addRuns(other, 1);
    if (kept === undefined) throw new Error("no run");
    const query = `workflow=${mine.id}&state=queued`;
    const asked = await browser.post("/runs/bulk", { action: "cancel", all: "yes", query });
    const job = asked.headers.get("Location");
    expect((await browser.get(job ?? "")).text).toContain("Cancel 60 runs?");
    expect(await Promise.all(runs.map(stateOf))).toEqual(runs.map(() => "queued"));
    await browser.post(`${job}/confirmation`);
    await browser.post(`${job}/confirmation`);
    expect(await follow(job)).toContain("<b>60</b> cancelled.");
    expect(await Promise.all(runs.map(stateOf))).toEqual(runs.map(() => "cancelled"));
    expect(await stateOf(kept)).toBe("queued");

    const undo = await browser.post(`${job}/undo`);
    expect(await follow(undo.headers.get("Location"))).toContain("<b>60</b> going on.");
    expect(await stateOf(runs[0] ?? kept)).toBe("queued");
    const again = await browser.post(`${job}/undo`);
    expect(again.headers.get("Location")).toBe(undo.headers.get("Location"));
  });

  test("says which runs were refused, and why", async () => {
    const [run] = await addRuns(await flow("refused"), 1);
    if (run === undefined) throw new Error("no run");
    const answer = await browser.post("/runs/bulk", { action: "resume", run: run.id });
    const page = await follow(answer.headers.get("Location"));
    expect(page).toContain("<b>0</b> going on, 1 refused.");
    expect(page).toContain("cannot be resumed: it is queued.");
    expect(page).toContain(`href="/runs/${run.id}"`);
    expect(page).not.toContain('id="undo"');
    const none = await browser.post("/runs/bulk", { action: "cancel" });
    expect([none.status, none.text.includes("No run was chosen.")]).toEqual([422, true]);
  });

  test("deletes for good, with its words", async () => {
    const [run] = await addRuns(await flow("gone"), 1);
    if (run === undefined) throw new Error("no run");
    await world.store.runs.requestCancel(run.id);
    const asked = await browser.post("/runs/bulk", { action: "delete", run: run.id });
    const job = asked.headers.get("Location");
    expect(await stateOf(run)).toBe("cancelled");
    await browser.post(`${job}/confirmation`);
    expect(await follow(job)).toContain("<b>1</b> deleted.");
    expect(await stateOf(run)).toBeUndefined();
    expect((await browser.get("/runs?search=gone")).text).toContain("No run matches");
    expect((await browser.post(`${job}/undo`)).status).toBe(409);
  });
});

test("the files hold all runs that match, more than a page, and no formula", async () => {
  const record = await flow("exported");
  const runs = await addRuns(record, 130);
  const csv = await browser.get(`/runs/export.csv?workflow=${record.id}`);
  const lines = csv.text.trim().split("\r\n").slice(1);
  expect(lines.map((line) => line.slice(0, 16)).toSorted()).toEqual(
    runs.map((run) => run.id).toSorted(),
  );
  const json: { id: string }[] = JSON.parse(
    (await browser.get(`/runs/export.json?workflow=${record.id}`)).text,
  );
  expect(json.map((run) => run.id)).toEqual(lines.map((line) => line.slice(0, 16)));
  const [failed] = runs;
  const claim = await world.claim(failed?.id ?? "");
  await world.store.runs.failRun(claim, { code: "timeout", message: '=HYPERLINK("x"), late' });
  const { text } = await browser.get(`/runs/export.csv?workflow=${record.id}&state=failed`);
  expect(text).toContain(`"'=HYPERLINK(""x""), late"`);
  expect((await browser.get("/runs/export.csv?cost=much")).status).toBe(422);
});

test("a list says what of its filter it cannot read", async () => {
  const { text } = await browser.get("/runs?range=custom&from=yesterday&cost=much");
  expect(text).toContain("The time &quot;yesterday&quot; cannot be read");
  expect(text).toContain("The cost &quot;much&quot; is no number of US dollars.");
  const turned = await browser.get("/runs?from=2026-02-01T00:00&to=2026-01-01T00:00");
  expect(turned.text).toContain("The time begins after its end");
});

test("a page is left for the one before it, and the first page is itself again", async () => {
  const record = await flow("walked");
  await addRuns(record, 120);
  const first = await browser.get(`/runs?workflow=${record.id}`);
  const second = await browser.get(link(first.text, "next"));
  const third = await browser.get(link(second.text, "next"));
  const back = await browser.get(link(third.text, "prev"));
  expect(idsOf(back.text)).toEqual(idsOf(second.text));
  const start = await browser.get(link(second.text, "prev"));
  expect(idsOf(start.text)).toEqual(idsOf(first.text));
  const above = await browser.get(link(start.text, "prev"));
  expect([above.status, above.headers.get("Location")]).toEqual([
    303,
    `/runs?workflow=${record.id}`,
  ]);
});

test("a loop shows in which round it is, and what is over is nothing left to do", async () => {
  const source = GREETING.replace("greeting", "looped").replace(
    "{ from: write, to: END }",
    "{ from: write, loop: { condition_field: polite, max_iterations: 9, exit_to: END } }",
  );
  const [run] = await addRuns(await world.addWorkflow(source), 1);
  if (run === undefined) throw new Error("no run");
  const claim = await world.claim(run.id);
  await beginStep(world.store.runs, claim, { key: "write" });
  await endStep(world.store.runs, claim, { key: "write", patch: {} });
  await beginStep(world.store.runs, claim, { key: "write#2", nodeId: "write" });
  const open = await browser.get("/runs?search=looped");
  expect(open.text).toContain('aria-label="1 step done, 0 to come, round 2"');
  await world.store.runs.failRun(claim, { code: "timeout", message: "Late." });
  const over = await browser.get("/runs?search=looped");
  expect(over.text).toContain('aria-label="1 step done"');
});

test("two runs are compared by the ends of their ids, with what differs", async () => {
  const [first, second] = await addRuns(await flow("compared"), 2);
  if (first === undefined || second === undefined) throw new Error("no runs");
  for (const [run, text] of [
    [first, "Hello"],
    [second, "Good day"],
  ] as const) {
    const claim = await world.claim(run.id);
    await beginStep(world.store.runs, claim, { key: "write" });
    await endStep(world.store.runs, claim, { key: "write", patch: { text }, last: true });
  }
  const { text } = await browser.get(
    `/runs/compare?a=${first.id.slice(-6)}&b=${second.id.slice(-6)}`,
  );
  expect(text).toContain("They part at step <b>write</b>: it wrote something else into text.");
  expect(text).toContain("Both were given the same.");
  expect(text).toContain(`value="${first.id}"`);
  const missing = await browser.get(`/runs/compare?a=${first.id}&b=nothing`);
  expect([missing.status, missing.text.includes("There is no run nothing.")]).toEqual([404, true]);
});

const stepsOf = (html: string) =>
  [...html.matchAll(/class="wf-text" href="[^"]+">([^<]+)</g)].map(([, name = ""]) => name);
const keyOf = (index: number) => `s${index}`;
const startOf = (key: string, more: { itemCount?: number } = {}) =>
  ({ type: "start", key, nodeId: "write", attempt: 1, input: {}, ...more }) as const;

/** All windows from this one on, in the order in which they are met. */
const walk = async (address: string, rel: "prev" | "next") => {
  const windows: string[][] = [];
  for (let at = address; at !== "";) {
    const { text, status } = await browser.get(at);
    expect(status).toBe(200);
    windows.push(stepsOf(text));
    at = link(text, rel);
  }
  return windows;
};

describe("the trace of a large run", () => {
  let run: Run;
  beforeAll(async () => {
    const [made] = await addRuns(await flow("traced"), 1);
    if (made === undefined) throw new Error("no run");
    run = made;
    const claim = await world.claim(run.id);
    const attempts = Array.from({ length: 99 }, (_, index) => startOf(keyOf(index)));
    const items = Array.from({ length: 120 }, (_, index) => startOf(`many[${index}]`));
    const steps = [...attempts, startOf("many", { itemCount: 120 }), ...items];
    await world.store.runs.write(claim, { steps, merges: {} });
  });

  test("is walked from the newest to the first step and back, each once", async () => {
    const page = await browser.get(`/runs/${run.id}`);
    expect(page.text).toContain(`href="/runs/${run.id}/trace">Whole trace`);
    const all = [...Array.from({ length: 99 }, (_, index) => keyOf(index)), "many"];
    const back = await walk(`/runs/${run.id}/trace`, "prev");
    expect(back.map((window) => window.length)).toEqual([40, 40, 20]);
    expect(back.toReversed().flat()).toEqual(all);
    const first = /trace\?before=\d+/.exec(page.text)?.[0] ?? "";
    expect((await walk(`/runs/${run.id}/${first}`, "prev")).toReversed().flat()).toEqual(
      all.slice(0, 70),
    );
    const forth = await walk(`/runs/${run.id}/trace?after=0`, "next");
    expect(forth.flat()).toEqual(all);
    expect((await browser.get(`/runs/${run.id}/trace?before=1`)).text).toContain("No steps here");
  });

  test("has windows of the items of each map, which lead to their pages", async () => {
    const newest = await browser.get(`/runs/${run.id}/trace`);
    expect(newest.text).toContain(`href="/runs/${run.id}/trace?map=many"`);
    const windows = await walk(`/runs/${run.id}/trace?map=many`, "next");
    expect(windows.flat()).toEqual(Array.from({ length: 120 }, (_, index) => `many[${index}]`));
    const last = await browser.get(`/runs/${run.id}/trace?map=many&from=100`);
    expect(last.text).toContain("100 to 119 of 120");
    const [, href = ""] = /class="wf-text" href="([^"]+)"/.exec(last.text) ?? [];
    expect((await browser.get(href)).status).toBe(200);
    expect((await browser.get(`/runs/${run.id}/trace?map=none`)).status).toBe(404);
  });
});

test("the log is walked in windows, both ways, and narrowed", async () => {
  const [run] = await addRuns(await flow("logged"), 1);
  if (run === undefined) throw new Error("no run");
  const claim = await world.claim(run.id);
  await beginStep(world.store.runs, claim, { key: "write" });
  const event = {
    type: "tool.started",
    step: "write",
    attempt: 1,
    call: 0,
    tool: "t",
    input: {},
  } as const;
  await world.store.runs.appendEvents(
    claim,
    Array.from({ length: 700 }, () => event),
  );
  await endStep(world.store.runs, claim, { key: "write", patch: { text: "x" }, last: true });
  const newest = await browser.get(`/runs/${run.id}/log`);
  const earlier = await browser.get(link(newest.text, "prev"));
  const later = await browser.get(link(earlier.text, "next"));
  expect(seqsOf(newest.text)).toHaveLength(300);
  expect(seqsOf(earlier.text).at(-1)).toBe((seqsOf(newest.text)[0] ?? 0) - 1);
  expect(seqsOf(later.text)).toEqual(seqsOf(newest.text));
  const one = await browser.get(`/runs/${run.id}/log?step=nothing`);
  expect(one.text).toContain("Nothing in the log matches.");
});
