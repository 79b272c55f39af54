import { afterAll, beforeAll, expect, test } from "bun:test";
import { GREETING, startWorld, type World } from "../world.ts";
import { call } from "./client.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const put = (id: string, text: string, tag?: string) =>
  call(world, `PUT /workflows/${id}`, {
    body: { source: `${GREETING}# ${text}\n` },
    headers: tag === undefined ? {} : { "If-Match": tag },
  });

test("a save with If-Match changes only what was read, and its answer has the next tag", async () => {
  const { id } = await world.addWorkflow();
  const read = await call(world, `GET /workflows/${id}`);
  const tag = read.headers.get("ETag") ?? "";
  const saved = await put(id, "first", tag);
  expect([saved.status, saved.json.version.number]).toEqual([200, 2]);
  const lost = await put(id, "second", tag);
  expect([lost.status, lost.json.code]).toEqual([412, "precondition_failed"]);
  const next = saved.headers.get("ETag") ?? "";
  expect((await put(id, "second", next)).json.version.number).toBe(3);
  expect((await put(id, "third", "*")).json.version.number).toBe(4);
  expect((await put(id, "fourth")).json.version.number).toBe(5);
  const weak = await call(world, `GET /workflows/${id}`);
  expect((await put(id, "fifth", `W/${weak.headers.get("ETag")}`)).status).toBe(412);
});

test("of saves at the same time with the same tag one wins", async () => {
  const { id } = await world.addWorkflow();
  const tag = (await call(world, `GET /workflows/${id}`)).headers.get("ETag") ?? "";
  const answers = await Promise.all([1, 2, 3, 4].map((text) => put(id, `race ${text}`, tag)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412]);
});

test("a deletion with If-Match leaves what was changed meanwhile", async () => {
  const { id } = await world.addWorkflow(GREETING.replace("greeting", "doomed"));
  const tag = (await call(world, `GET /workflows/${id}`)).headers.get("ETag") ?? "";
  const source = `${GREETING.replace("greeting", "doomed")}# changed\n`;
  await call(world, `PUT /workflows/${id}`, { body: { source } });
  const lost = await call(world, `DELETE /workflows/${id}`, { headers: { "If-Match": tag } });
  expect(lost.status).toBe(412);
  const now = (await call(world, `GET /workflows/${id}`)).headers.get("ETag") ?? "";
  const gone = await call(world, `DELETE /workflows/${id}`, { headers: { "If-Match": now } });
  expect([gone.status, gone.text]).toEqual([204, ""]);
});

test("a file of another name is refused, and mistakes are told by line", async () => {
  const { id } = await world.addWorkflow();
  const other = GREETING.replace("greeting", "renamed");
  const renamed = await call(world, `PUT /workflows/${id}`, { body: { source: other } });
  expect([renamed.status, renamed.json.errors[0].field]).toEqual([422, "/source"]);
  const broken = GREETING.replace("outputs: [text]", "outputs: [txt]");
  const refused = await call(world, `PUT /workflows/${id}`, { body: { source: broken } });
  expect([refused.status, refused.json.code]).toEqual([422, "workflow_invalid"]);
  expect(refused.json.errors[0]).toMatchObject({
    in: "body",
    field: "/source",
    line: 16,
    column: 15,
  });
});

test("inputs that do not fit are all named", async () => {
  await world.addWorkflow();
  const body = { inputs: { count: "three", nme: "Ada" } };
  const refused = await call(world, "POST /workflows/greeting/runs", { body });
  expect(refused.status).toBe(422);
  const fields = refused.json.errors.map(({ field }: { field: string }) => field);
  expect(fields.toSorted()).toEqual(["/inputs/count", "/inputs/name", "/inputs/nme"]);
});
