import { afterAll, beforeAll, expect, test } from "bun:test";
import { systemClock } from "../../../src/lib/clock.ts";
import { GREETING, startWorld, type World } from "../world.ts";
import { call } from "./client.ts";

let world: World;
let passedMs = 0;
beforeAll(async () => {
  const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
  world = await startWorld({ clock });
});
afterAll(() => world[Symbol.asyncDispose]());

/** All ids of a list, page by page; `between` is called after each page. */
async function walk(path: string, between = async () => {}): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (;;) {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page = await call(world, `GET ${path}${more}`);
    expect(page.status, page.text).toBe(200);
    ids.push(
      ...page.json.items.map((item: Record<string, unknown>) => item["id"] ?? item["number"]),
    );
    cursor = page.json.next;
    const link = page.headers.get("Link");
    if (cursor === null) {
      expect(link).toBeNull();
      return ids;
    }
    expect(link).toContain(`cursor=${cursor}`);
    expect(link).toEndWith('>; rel="next"');
    await between();
  }
}

test("runs: each once, newest first, while others are started and end", async () => {
  const workflow = await world.addWorkflow();
  const made: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    passedMs += 10;
    made.push((await world.addRun(workflow)).id);
  }
  const seen = await walk("/runs?limit=3", async () => {
    passedMs += 10;
    const { id } = await world.addRun(workflow);
    await world.store.runs.requestCancel(id);
  });
  expect(seen).toEqual(made.toReversed());
  expect(await walk("/runs?limit=2&state=queued&workflow=greeting")).toEqual(made.toReversed());
  expect(await walk("/runs?limit=2&search=nothing")).toEqual([]);
  expect((await walk("/runs?limit=2&state=cancelled&state=failed")).length).toBeGreaterThan(0);
  expect(await walk("/runs?limit=2&workflow=nobody")).toEqual([]);
});

const iso = (at = 0) => encodeURIComponent(new Date(at).toISOString());

test("runs: since is included, until is not, also over pages", async () => {
  const workflow = await world.addWorkflow(GREETING.replace("greeting", "timed"));
  const made: { id: string; at: number }[] = [];
  for (let count = 0; count < 6; count += 1) {
    passedMs += 1_000;
    const { id, createdAt: at } = await world.addRun(workflow);
    made.push({ id, at });
  }
  const [, second, , , fifth] = made;
  const range = `since=${iso(second?.at)}&until=${iso(fifth?.at)}`;
  const wanted = made.slice(1, 4).map(({ id }) => id);
  expect(await walk(`/runs?limit=1&workflow=timed&${range}`)).toEqual(wanted.toReversed());
  expect(await walk("/runs?limit=1&workflow=timed&until=2000-01-01")).toEqual([]);
});

test("workflows, versions, agents and memories come in pages too", async () => {
  const names = ["one", "two", "three"].map((name) => GREETING.replace("greeting", name));
  const workflows = [];
  for (const source of names) {
    passedMs += 5;
    workflows.push((await world.addWorkflow(source)).id);
  }
  expect((await walk("/workflows?limit=2")).slice(0, 3)).toEqual(workflows.toReversed());
  for (let count = 0; count < 4; count += 1) {
    await world.addWorkflow(`${GREETING.replace("greeting", "one")}# ${count}\n`);
  }
  expect(await walk("/workflows/one/versions?limit=2")).toEqual(
    [5, 4, 3, 2, 1].map((n) => n as never),
  );
  for (const id of ["c", "a", "b"]) {
    const body = { id, name: id, url: "http://127.0.0.1:1" };
    await call(world, "POST /agents", { body });
  }
  expect(await walk("/agents?limit=1")).toEqual(["a", "b", "c"]);
  const memories = [];
  for (const key of ["x", "y", "z"]) {
    const body = { scope: "agent", agent: "pages", key, value: key };
    memories.push((await call(world, "POST /memories", { body })).json.id);
  }
  expect(await walk("/memories?limit=2&agent=pages")).toEqual(memories.toReversed());
});

test("a cursor that no page has given is refused", async () => {
  for (const cursor of ["x", "AA", "_____"]) {
    const answer = await call(world, `GET /runs?cursor=${cursor}`);
    expect([answer.status, answer.json.errors?.[0]?.field]).toEqual([422, "cursor"]);
  }
});

test("events go on where the last piece ended", async () => {
  const workflow = await world.addWorkflow(GREETING.replace("greeting", "logged"));
  const { id } = await world.addRun(workflow);
  const first = await call(world, `GET /runs/${id}/events?limit=1`);
  expect(first.json).toMatchObject({ last_seq: 1, has_more: false });
  await world.store.runs.requestCancel(id);
  const next = await call(world, `GET /runs/${id}/events?after=${first.json.last_seq}`);
  expect(next.json.items.map((event: { type: string }) => event.type)).toContain("run.cancelled");
});

test("an entry that would have expired already is refused, and nothing is kept", async () => {
  const expires_at = "0301-09-24T11:42:30Z";
  const body = { scope: "agent", agent: "past", key: "tone", value: "Dry.", expires_at };
  const refused = await call(world, "POST /memories", { body });
  expect([refused.status, refused.json.errors[0].field]).toEqual([422, "/expires_at"]);
  expect((await call(world, "GET /memories?agent=past")).json.items).toEqual([]);
});
