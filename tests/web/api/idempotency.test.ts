import { afterAll, beforeAll, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { IDEMPOTENCY_KEPT_MS } from "../../../src/domain/idempotent-answer.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { setUp, type Setting } from "../scenarios.ts";
import { startWorld, type World } from "../world.ts";
import { call } from "./client.ts";

let world: World;
let setting: Setting;
let passedMs = 0;
beforeAll(async () => {
  const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
  world = await startWorld({ clock });
  setting = await setUp(world);
});
afterAll(() => world[Symbol.asyncDispose]());

const keyed = (key: string) => ({ "Idempotency-Key": key });
const start = (key: string, name = "Ada") =>
  call(world, "POST /workflows/greeting/runs", { body: { inputs: { name } }, headers: keyed(key) });
const runCount = async () => (await world.store.runs.list({ limit: 1_000 })).length;

test("the same request under the same key gets the same answer, and acts once", async () => {
  const before = await runCount();
  const first = await start("same");
  const again = await start("same");
  expect(first.status).toBe(201);
  expect([again.status, again.text]).toEqual([first.status, first.text]);
  expect(again.headers.get("Location")).toBe(first.headers.get("Location"));
  expect(first.headers.get("Idempotency-Replayed")).toBeNull();
  expect(again.headers.get("Idempotency-Replayed")).toBe("true");
  expect(await runCount()).toBe(before + 1);
});

test("another body, address or method under the key is refused", async () => {
  await start("other");
  const refusals = [
    await start("other", "Grace"),
    await call(world, `POST /runs/${setting.finished.id}/reruns`, { headers: keyed("other") }),
  ];
  for (const { status, json } of refusals) {
    expect([status, json.code]).toEqual([422, "idempotency_key_reused"]);
  }
});

test("a refusal that would be the same again is kept, one of the request's form is not", async () => {
  const gone = `POST /runs/${setting.finished.id}/signals`;
  const send = (name: unknown) => call(world, gone, { body: { name }, headers: keyed("refused") });
  expect((await send(1)).status).toBe(422);
  const first = await send("late");
  const again = await send("late");
  expect([first.status, first.json.code]).toEqual([409, "conflict"]);
  expect([again.status, again.text]).toEqual([first.status, first.text]);
  expect(again.headers.get("Idempotency-Replayed")).toBe("true");
  expect(again.headers.get("Content-Type")).toBe("application/problem+json");
});

test("of many at the same time one acts", async () => {
  const before = await runCount();
  const answers = await Promise.all(Array.from({ length: 8 }, () => start("many")));
  const ids = new Set(answers.filter(({ status }) => status === 201).map(({ json }) => json.id));
  expect(ids.size).toBe(1);
  for (const { status, json } of answers) {
    if (status !== 201) expect([status, json.code]).toEqual([409, "idempotency_in_flight"]);
  }
  expect(await runCount()).toBe(before + 1);
});

/** What a process leaves that dies between taking the key and answering: a row without an answer. */
async function leaveOpen(key: string, send: () => Promise<unknown>): Promise<void> {
  await send();
  // The answer is not there, as if the process had died the moment before it was written.
  using database = new Database(join(world.folder, "agents.sqlite"));
  const row = database.run(
    "UPDATE idempotent_answers SET status = NULL, location = NULL, body = NULL WHERE key = ?",
    [key],
  );
  expect(row.changes).toBe(1);
  await world.restart();
}

test("after a crash a start is made anew and comes to the same run", async () => {
  const before = await runCount();
  await leaveOpen("crashed-start", () => start("crashed-start"));
  expect(await runCount()).toBe(before + 1);
  const again = await start("crashed-start");
  const third = await start("crashed-start");
  expect(again.status).toBe(201);
  expect(third.text).toBe(again.text);
  expect(await runCount()).toBe(before + 1);
});

test("after a crash a rerun and a fork are made once as well", async () => {
  const { finished } = setting;
  for (const [path, body] of [
    ["reruns", undefined],
    ["forks", { from: "write", set: { name: "Grace" } }],
  ] as const) {
    const key = `crashed-${path}`;
    const send = () =>
      call(world, `POST /runs/${finished.id}/${path}`, { body, headers: keyed(key) });
    const before = await runCount();
    await leaveOpen(key, send);
    expect((await send()).status).toBe(201);
    expect(await runCount()).toBe(before + 1);
  }
});

test("after a crash what cannot be made twice is refused, with what to do", async () => {
  const { run } = setting;
  const send = () =>
    call(world, `POST /runs/${run.id}/signals`, {
      body: { name: "delivered" },
      headers: keyed("crashed-signal"),
    });
  await leaveOpen("crashed-signal", send);
  const again = await send();
  expect([again.status, again.json.code]).toEqual([409, "idempotency_outcome_unknown"]);
  expect(again.json.fix).toContain("new key");
  const { signals } = await world.store.runs.journal(run.id);
  expect(signals.filter(({ name }) => name === "delivered").length).toBe(1);
});

test("the secret of a token is neither kept nor shown twice", async () => {
  const send = () =>
    call(world, "POST /tokens", { body: { name: "Once" }, headers: keyed("token") });
  const first = await send();
  expect(first.json.token).toMatch(/^agents_[\w-]{43}$/);
  const again = await send();
  expect([again.status, again.json.code]).toEqual([409, "idempotency_answer_secret"]);
  expect(again.text).not.toContain("agents_");
  const files = await Array.fromAsync(new Bun.Glob("agents.sqlite*").scan(world.folder));
  for (const file of files) {
    const bytes = await Bun.file(`${world.folder}/${file}`).bytes();
    expect(Buffer.from(bytes).includes(first.json.token)).toBe(false);
  }
});

test("after its time a key is as new", async () => {
  const first = await start("old");
  passedMs += IDEMPOTENCY_KEPT_MS;
  const later = await start("old", "Grace");
  expect(later.status).toBe(201);
  expect(later.json.id).not.toBe(first.json.id);
});
