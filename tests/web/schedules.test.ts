/** What people do with schedules, without script, against the real app and a real database. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { WorkflowRecord } from "../../src/domain/workflow.ts";
import { Browser, startWorld, type World } from "./world.ts";

let world: World;
let workflow: WorkflowRecord;
beforeAll(async () => {
  world = await startWorld();
  workflow = await world.addWorkflow();
});
afterAll(() => world[Symbol.asyncDispose]());

const FIELDS = {
  frequency: "weekdays",
  time: "09:30",
  timeZone: "UTC",
  "input.name": "Ada",
  "input.tags": "x\ny",
  overlap: "skip",
};
const all = () => world.store.schedules.list({ limit: 10 });

test("a schedule is made, changed, paused, resumed, run, deleted and put back", async () => {
  const browser = new Browser(world);
  const path = `/workflows/${workflow.id}/schedules`;
  const preview = await browser.post(path, { ...FIELDS, preview: "yes" });
  expect(preview.status).toBe(200);
  expect(preview.text).toContain("At 09:30, Monday through Friday");
  expect(preview.text).toContain(">Ada</textarea>");
  expect(await all()).toEqual([]);

  expect((await browser.post(path, FIELDS)).headers.get("Location")).toBe("/schedules");
  const [made] = await all();
  if (made === undefined) throw new Error("no schedule was made");
  expect(made).toMatchObject({
    workflowName: "greeting",
    cron: "30 9 * * 1-5",
    timeZone: "UTC",
    inputs: { name: "Ada", tags: ["x", "y"] },
    overlap: "skip",
    catchUp: false,
    lastOutcome: null,
  });
  expect(made.nextAt).toBeGreaterThan(Date.now());

  const own = `/schedules/${made.id}`;
  const form = await browser.get(own);
  expect(form.text).toContain("x\ny");
  await browser.post(own, { ...FIELDS, frequency: "hourly", "input.name": "Eve", catchUp: "yes" });
  const [changed] = await all();
  expect(changed).toMatchObject({ cron: "30 * * * *", inputs: { name: "Eve" }, catchUp: true });

  await browser.post(`${own}/state`, { state: "paused" });
  expect(await all()).toMatchObject([{ nextAt: null }]);
  // What is changed while it is paused stays paused.
  await browser.post(own, FIELDS);
  expect(await all()).toMatchObject([{ nextAt: null, cron: "30 9 * * 1-5" }]);
  await browser.post(`${own}/state`, { state: "active" });
  expect(await all()).toMatchObject([{ nextAt: made.nextAt }]);

  const started = await browser.post(`${own}/runs`);
  const run = await world.store.runs.get(started.headers.get("Location")?.split("/").at(-1) ?? "");
  expect(run?.inputs).toMatchObject({ name: "Ada" });

  const deleted = await browser.post(`${own}/deletion`);
  expect(await all()).toEqual([]);
  const after = await browser.get(deleted.headers.get("Location") ?? "");
  expect(after.text).toContain("Undo");
  expect(after.text).toContain("Nothing is scheduled");
  await browser.post("/schedules/restorations", { id: made.id });
  expect(await all()).toMatchObject([{ id: made.id, cron: "30 9 * * 1-5" }]);
});

test("a schedule that is refused keeps all that was typed", async () => {
  const browser = new Browser(world);
  const answer = await browser.post(`/workflows/${workflow.id}/schedules`, {
    ...FIELDS,
    frequency: "cron",
    cron: "every now and then",
    timeZone: "Mars/North",
    "input.name": "",
    "input.count": "many",
  });
  expect(answer.status).toBe(422);
  for (const text of ["every now and then", "Mars/North", "many", "was not given"])
    expect(answer.text).toContain(text);
});

test("a schedule of a workflow that no longer takes its inputs is not run, and says so", async () => {
  const record = await world.addWorkflow(workflow.version.source.replace("greeting", "changing"));
  const schedule = await world.store.schedules.create({
    workflowId: record.id,
    cron: "0 9 * * *",
    timeZone: "UTC",
    inputs: {},
    overrides: {},
    overlap: "skip",
    catchUp: false,
    nextAt: null,
  });
  const answer = await new Browser(world).post(`/schedules/${schedule.id}/runs`);
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("is required and was not given");
});
