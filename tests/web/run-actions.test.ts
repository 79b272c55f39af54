/** What people do with runs and memories on the pages: decisions, resumptions, retries, undo; refusals change nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { MEMORY_VALUE_CHARS_MAX, type Memory } from "../../src/domain/memory.ts";
import type { Run } from "../../src/domain/run.ts";
import { askApproval, beginStep, endStep } from "../support/journal.ts";
import { HOSTILE } from "../views/fixtures.ts";
import { Browser, startWorld, type World } from "./world.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  browser = new Browser(world);
});

const KEY = { key: "write" };

async function newRun() {
  const run = await world.addRun(await world.addWorkflow());
  return { run, claim: await world.claim(run.id) };
}

async function askingRun(message = "Greet Ada?"): Promise<Run> {
  const { run, claim } = await newRun();
  await beginStep(world.store.runs, claim, KEY);
  await askApproval(world.store.runs, claim, { ...KEY, message });
  return run;
}

async function failedRun(): Promise<Run> {
  const { run, claim } = await newRun();
  await beginStep(world.store.runs, claim, KEY);
  await world.store.runs.failRun(claim, { code: "timeout", message: "Too slow." });
  return run;
}

async function finishedRun(): Promise<Run> {
  const { run, claim } = await newRun();
  await beginStep(world.store.runs, claim, KEY);
  await endStep(world.store.runs, claim, { ...KEY, patch: { text: "Hello" }, last: true });
  return run;
}

/** It waits for a larger budget. */
async function brokeRun(): Promise<Run> {
  const { run, claim } = await newRun();
  const { runs } = world.store;
  await beginStep(runs, claim, KEY);
  const wait = { type: "wait", ...KEY, attempt: 1, wait: { for: "budget" } } as const;
  const turn = { state: "waiting", for: "budget", dueAt: null, seenWakeCount: 0 } as const;
  await runs.write(claim, { steps: [wait], turn, merges: {} });
  return run;
}

async function stateOf({ id }: Run) {
  const run = await world.store.runs.get(id);
  return run?.state === "waiting" ? run.waitingFor : run?.state;
}

describe("decisions", () => {
  test("the page asks; approving keeps the comment and the first answer counts", async () => {
    const run = await askingRun(`Publish? ${HOSTILE}`);
    const page = await browser.get(`/runs/${run.id}`);
    expect(page.text).toContain("Needs your approval");
    expect(page.text).toContain("Publish? &quot;&gt;&lt;script&gt;");
    expect(page.text).not.toContain("<script>alert");
    expect((await browser.get("/")).text).toContain("for your approval:");

    const path = `/runs/${run.id}/decisions`;
    const fields = { approve: "write", "comment:write": ` Gladly. ${HOSTILE} ` };
    const answer = await browser.post(path, fields);
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `/runs/${run.id}`]);
    const { signals } = await world.store.runs.journal(run.id);
    expect(signals).toMatchObject([
      {
        name: "approval:write",
        payload: { approved: true, comment: `Gladly. ${HOSTILE}` },
        by: "dashboard",
      },
    ]);
    const late = await browser.post(path, { reject: "write" });
    expect(late.status).toBe(409);
    expect((await world.store.runs.journal(run.id)).signals).toHaveLength(1);
    const after = await browser.get(`/runs/${run.id}`);
    expect(after.text).not.toContain("<script>alert");
    expect(after.text).not.toContain("Needs your approval");
  });

  test("rejecting without a comment keeps none", async () => {
    const run = await askingRun();
    await browser.post(`/runs/${run.id}/decisions`, { reject: "write", "comment:write": "  " });
    const { signals } = await world.store.runs.journal(run.id);
    expect(signals).toMatchObject([{ payload: { approved: false, comment: null } }]);
  });

  test.each([
    [{}, 404],
    [{ approve: "nowhere" }, 404],
    [{ approve: HOSTILE }, 404],
    [{ approve: "write", _csrf: "wrong" }, 403],
  ])("%p is refused with %p and decides nothing", async (fields, status) => {
    const run = await askingRun();
    const answer = await browser.post(`/runs/${run.id}/decisions`, { ...fields });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("<script>alert");
    expect(await stateOf(run)).toBe("approval");
    expect((await world.store.runs.journal(run.id)).signals).toEqual([]);
  });
});

describe("resumptions", () => {
  test("a failed run goes on; one that has succeeded does not", async () => {
    const run = await failedRun();
    const answer = await browser.post(`/runs/${run.id}/resumptions`);
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `/runs/${run.id}`]);
    expect(await stateOf(run)).toBe("queued");
    const done = await finishedRun();
    expect((await browser.post(`/runs/${done.id}/resumptions`)).status).toBe(409);
    expect((await browser.post("/runs/nowhere/resumptions")).status).toBe(404);
  });

  test("a run whose budget is used up shows its limits and goes on with larger ones", async () => {
    const run = await brokeRun();
    const page = await browser.get(`/runs/${run.id}`);
    expect(page.text).toContain("The budget is used up");
    const fields = { max_cost_usd: "2.5", max_tokens: "" };
    expect((await browser.post(`/runs/${run.id}/resumptions`, fields)).status).toBe(303);
    expect(await world.store.runs.get(run.id)).toMatchObject({
      state: "queued",
      overrides: { budget: { maxCostNanoUsd: 2_500_000_000 } },
    });
  });

  test.each(["much", "-1", "0", "1e999", "NaN"])("the limit %p is refused", async (text) => {
    const run = await brokeRun();
    const answer = await browser.post(`/runs/${run.id}/resumptions`, { max_tokens: text });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("is no limit.");
    expect(await stateOf(run)).toBe("budget");
  });
});

describe("retries", () => {
  test("a run goes back to a step, whose result no longer counts", async () => {
    const run = await finishedRun();
    const page = await browser.get(`/runs/${run.id}`);
    expect(page.text).toContain("Do again from here");
    const answer = await browser.post(`/runs/${run.id}/retries`, { from: "write" });
    expect(answer.status).toBe(303);
    expect(await stateOf(run)).toBe("queued");
    const { steps } = await world.store.runs.journal(run.id);
    expect(steps.map(({ state }) => state)).toEqual(["superseded"]);
  });

  test.each([
    [{ from: "nowhere" }, 404],
    [{ from: HOSTILE }, 404],
    [{}, 404],
    [{ from: "write", _csrf: "" }, 403],
  ])("%p is refused with %p and changes nothing", async (fields, status) => {
    const run = await finishedRun();
    const answer = await browser.post(`/runs/${run.id}/retries`, { ...fields });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("<script>alert");
    expect(await stateOf(run)).toBe("succeeded");
  });

  test("a run that has not ended keeps going", async () => {
    const run = await askingRun();
    expect((await browser.post(`/runs/${run.id}/retries`, { from: "write" })).status).toBe(409);
    expect(await stateOf(run)).toBe("approval");
  });
});

test("a run that was made from another is linked with it, both ways", async () => {
  const run = await finishedRun();
  const answer = await browser.post(`/runs/${run.id}/reruns`);
  const again = answer.headers.get("Location") ?? "";
  expect((await browser.get(again)).text).toContain(`href="/runs/${run.id}"`);
  expect((await browser.get(`/runs/${run.id}`)).text).toContain(`href="${again}"`);
});

async function remember(key: string, agent = "greeting"): Promise<Memory> {
  return await world.store.memory.save({
    namespace: { scope: "agent", agent, runId: null, nodeId: null },
    key,
    value: `What ${key} is.`,
    maxEntries: 10,
    expiresAt: null,
  });
}

async function memoryCount(agent: string): Promise<number> {
  return (await world.store.memory.list({ agent, limit: 5 })).length;
}

describe("memory", () => {
  test("an entry is changed, and lines stay lines", async () => {
    const { id } = await remember("tone");
    const answer = await browser.post(`/memory/${id}`, { value: "Dry.\r\nShort. " });
    expect(answer.status).toBe(303);
    expect((await world.store.memory.get(id))?.value).toBe("Dry.\nShort.");
  });

  test.each([
    ["", 422],
    [" \n ", 422],
    ["x".repeat(MEMORY_VALUE_CHARS_MAX + 1), 413],
  ])("a text that cannot be kept is refused", async (value, status) => {
    const { id } = await remember("kept");
    expect((await browser.post(`/memory/${id}`, { value })).status).toBe(status);
    expect((await world.store.memory.get(id))?.value).toBe("What kept is.");
  });

  test("a forgotten entry can be put back, once", async () => {
    const { id } = await remember("mistake");
    const gone = await browser.post(`/memory/${id}/deletion`);
    expect(await world.store.memory.get(id)).toBeUndefined();
    const page = await browser.get(gone.headers.get("Location") ?? "");
    expect(page.text).toContain("Forgotten: <b>mistake</b>");
    expect(page.text).toContain("Undo");
    const undo = await browser.post("/memory/restorations", { id });
    expect([undo.status, undo.headers.get("Location")]).toEqual([303, "/memory"]);
    const found = await world.store.memory.list({ search: "mistake", limit: 5 });
    expect(found).toMatchObject([{ key: "mistake", value: "What mistake is." }]);
    expect((await browser.post("/memory/restorations", { id })).status).toBe(404);
    // The address of the undo is of no use any more.
    expect((await browser.get(gone.headers.get("Location") ?? "")).text).not.toContain("Undo");
  });

  test("all entries of a workflow go only with the box ticked", async () => {
    await remember("one", "tidy");
    await remember("two", "tidy");
    expect((await browser.post("/memory/clearance", { agent: "tidy" })).status).toBe(422);
    expect((await browser.post("/memory/clearance", { sure: "yes" })).status).toBe(422);
    expect(await memoryCount("tidy")).toBe(2);
    const done = await browser.post("/memory/clearance", { agent: "tidy", sure: "yes" });
    expect(done.headers.get("Location")).toBe("/memory?cleared=2");
    expect(await memoryCount("tidy")).toBe(0);
    expect((await browser.get("/memory?cleared=2")).text).toContain("2 entries forgotten.");
  });

  test("hostile texts stay texts, in entries, filters and addresses", async () => {
    await remember(HOSTILE, HOSTILE);
    const query = new URLSearchParams({ search: "script", agent: HOSTILE }).toString();
    const page = await browser.get(`/memory?${query}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain("&lt;script&gt;");
    for (const path of [
      `/memory?${query}`,
      `/memory?search=${encodeURIComponent(HOSTILE)}`,
      `/memory?search=${encodeURIComponent('" OR * NEAR(')}`,
      `/memory?undo=${encodeURIComponent(HOSTILE)}&cleared=${encodeURIComponent(HOSTILE)}`,
      `/memory?scope=nothing&before=${encodeURIComponent(HOSTILE)}`,
    ]) {
      const answer = await browser.get(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.text).not.toContain("<script>alert");
    }
  });

  test("nothing is changed without the page's token", async () => {
    const { id } = await remember("safe");
    for (const [path, fields] of [
      [`/memory/${id}`, { value: "x" }],
      [`/memory/${id}/deletion`, {}],
      ["/memory/clearance", { agent: "greeting", sure: "yes" }],
    ] as const) {
      expect((await browser.post(path, { ...fields, _csrf: "forged" })).status).toBe(403);
    }
    expect((await world.store.memory.get(id))?.value).toBe("What safe is.");
  });
});
