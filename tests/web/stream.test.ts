/** Live pages over real HTTP and a real database: nothing is lost, nothing comes twice. */
import { afterEach, expect, test } from "bun:test";
import type { Claim, Run } from "../../src/domain/run.ts";
import { STREAM_LIMITS } from "../../src/web/sse.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { openSse, type SseClient } from "./sse-client.ts";
import { Browser, startWorld, type World, type WorldOptions } from "./world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]();
});

async function start(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

const STEP = { key: "write", attempt: 1 };
const CALL = { step: "write", attempt: 1, call: 0 };

/** A run whose only step is in the middle of a model call. */
async function startAnswering(world: World): Promise<{ run: Run; claim: Claim }> {
  const run = await world.addRun(await world.addWorkflow());
  const claim = await world.claim(run.id);
  await beginStep(world.store.runs, claim, STEP);
  await world.store.runs.appendEvents(claim, [
    { type: "model.started", ...CALL, provider: "demo", model: "tiny" },
  ]);
  return { run, claim };
}

async function say(world: World, claim: Claim, pieces: readonly number[]): Promise<void> {
  await world.store.runs.appendEvents(
    claim,
    pieces.map((piece) => ({ type: "model.delta", ...CALL, text: `[${piece}]` })),
  );
}

async function finish(world: World, claim: Claim): Promise<void> {
  const patch = { text: "Hello Ada" };
  await endStep(world.store.runs, claim, { ...STEP, patch, last: true });
}

/** The numbered pieces of the answer, in the order in which they would be put on the page. */
const piecesOf = (client: SseClient) =>
  client.messages.flatMap(({ data }) =>
    [...data.matchAll(/\[(\d+)\]/g)].map((hit) => Number(hit[1])),
  );
const linesOf = (client: SseClient) =>
  client.messages.flatMap(({ data }) =>
    [...data.matchAll(/id="log-\w+-(\d+)"/g)].map((hit) => Number(hit[1])),
  );
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test("a run's stream goes on where its page ended, and says when it is over", async () => {
  const world = await start();
  const { run, claim } = await startAnswering(world);
  await say(world, claim, [1, 2, 3]);
  const page = await new Browser(world).get(`/runs/${run.id}`);
  expect(page.text).toContain("[1][2][3]");
  const path = /hx-sse:connect="([^"]+)"/.exec(page.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  await using client = await openSse(world.url + path);
  for (const piece of [4, 5, 6]) await say(world, claim, [piece]);
  await finish(world, claim);
  await client.until(() => client.messages.some((message) => message.event === "end"));
  expect(piecesOf(client)).toEqual([4, 5, 6]);
  const end = client.messages.at(-1);
  const last = await world.store.runs.events(run.id, 0, 100);
  expect(end).toEqual({ id: String(last.length), event: "end", data: "succeeded", retry: "" });
  const final = client.messages.at(-2)?.data ?? "";
  expect(final).toContain("Hello Ada");
  expect(final).toContain('data-phase="final"');
  expect(client.ended).toBe(false);
  expect(world.errors).toEqual([]);
});

test("a finished run's stream gives what was missed, then the end, and stays open", async () => {
  const world = await start();
  const { run, claim } = await startAnswering(world);
  await say(world, claim, numbers(5));
  await finish(world, claim);
  const count = (await world.store.runs.events(run.id, 0, 100)).length;
  await using all = await openSse(`${world.url}/runs/${run.id}/stream`);
  await all.until(() => all.messages.at(-1)?.event === "end");
  expect(piecesOf(all)).toEqual(numbers(5));
  await using none = await openSse(`${world.url}/runs/${run.id}/stream?after=${count}`);
  await none.until(() => none.messages.length > 0);
  expect(none.messages.map((message) => message.event)).toEqual(["end"]);
  expect([all.ended, none.ended]).toEqual([false, false]);
});

test("a run's stream loses nothing over reconnects and restarts of the server", async () => {
  const world = await start();
  const { run, claim } = await startAnswering(world);
  const total = 400;
  const writing = (async () => {
    for (let piece = 1; piece <= total; piece += 4) {
      await say(world, claim, [piece, piece + 1, piece + 2, piece + 3]);
      await Bun.sleep(8);
    }
    await finish(world, claim);
  })();
  const pieces: number[] = [];
  const lines: number[] = [];
  let last = "0";
  let isOver = false;
  for (let round = 0; !isOver; round += 1) {
    const client = await openSse(`${world.url}/runs/${run.id}/stream`, {
      headers: { "Last-Event-ID": last },
    });
    expect(client.status).toBe(200);
    const wanted = 1 + (round % 3);
    const isEnd = () => client.messages.some((message) => message.event === "end");
    await client.until(() => client.messages.length >= wanted || isEnd());
    if (round % 2 === 1) await world.restart();
    await client.close();
    pieces.push(...piecesOf(client));
    lines.push(...linesOf(client));
    last = client.messages.at(-1)?.id ?? last;
    isOver = isEnd();
  }
  await writing;
  expect(pieces).toEqual(numbers(total));
  const events = await world.store.runs.events(run.id, 0, 1_000);
  const shown = events.filter(({ event }) => event.type !== "model.delta").map(({ seq }) => seq);
  expect(lines).toEqual(shown);
  expect(world.errors).toEqual([]);
}, 20_000);

test("many readers of one run see the same, wherever they begin", async () => {
  const world = await start();
  const { run, claim } = await startAnswering(world);
  const clients: SseClient[] = [];
  for (let piece = 1; piece <= 30; piece += 1) {
    await say(world, claim, [piece]);
    const after = (await world.store.runs.events(run.id, 0, 100)).length;
    clients.push(await openSse(`${world.url}/runs/${run.id}/stream?after=${after}`));
  }
  await finish(world, claim);
  await Promise.all(
    clients.map((client) => client.until(() => client.messages.at(-1)?.event === "end")),
  );
  const expected = clients.map((_, index) => numbers(30).slice(index + 1));
  expect(clients.map(piecesOf)).toEqual(expected);
  await Promise.all(clients.map((client) => client.close()));
});

test("a stream of what does not exist is refused, never answered with nothing", async () => {
  const world = await start();
  const { status } = await fetch(`${world.url}/runs/nothing/stream`);
  expect(status).toBe(404);
});

test("streams above the limit get 503 with the time to wait", async () => {
  const world = await start({
    deps: { streamLimits: { ...STREAM_LIMITS, connectionCountMax: 1 } },
  });
  await using first = await openSse(`${world.url}/status/stream`);
  expect(first.status).toBe(200);
  const second = await fetch(`${world.url}/status/stream`);
  expect([second.status, second.headers.get("Retry-After")]).toEqual([503, "15"]);
});

test("a reader that has gone, or never came, takes no place", async () => {
  const world = await start({
    deps: { streamLimits: { ...STREAM_LIMITS, connectionCountMax: 1 } },
  });
  const url = `${world.url}/status/stream`;
  for (let round = 0; round < 5; round += 1) {
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
  }
  const abort = new AbortController();
  const gone = fetch(url, { signal: abort.signal }).catch(() => undefined);
  abort.abort();
  await gone;
  let status = 503;
  for (const end = Date.now() + 5_000; status === 503 && Date.now() < end; await Bun.sleep(10)) {
    const client = await openSse(url);
    status = client.status;
    await client.close();
  }
  expect(status).toBe(200);
});

test("a quiet stream outlives the server's idle timeout", async () => {
  const world = await start({ idleSeconds: 1, deps: { memoryBytes: () => 1 } });
  const run = await world.addRun(await world.addWorkflow());
  await using client = await openSse(`${world.url}/runs/${run.id}/stream?after=1`);
  // Bun looks at idle connections every four seconds.
  await Bun.sleep(6_000);
  expect(client.ended).toBe(false);
  expect(client.messages).toEqual([]);
}, 10_000);

test("the status stream starts with everything, then sends what changed, at most once a second", async () => {
  const world = await start({ deps: { memoryBytes: () => 1 } });
  const record = await world.addWorkflow();
  await using client = await openSse(`${world.url}/status/stream?range=1h`);
  await client.until(() => client.messages.length === 1);
  expect(client.messages[0]?.data).toContain('hx-target="#tile-active"');
  expect(client.messages[0]?.id).toMatch(/^\w+-1$/);
  const startedAt = performance.now();
  const runs: Run[] = [];
  for (let index = 0; index < 20; index += 1) {
    runs.push(await world.addRun(record));
    await Bun.sleep(5);
  }
  const isShown = (run: Run) => () => client.messages.some(({ data }) => data.includes(run.id));
  await client.until(isShown(runs.at(-1)!));
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect(client.messages.length).toBeLessThanOrEqual(3);
  const later = await world.addRun(record);
  runs.push(later);
  await client.until(isShown(later));
  const html = client.messages.map(({ data }) => data).join("");
  const ids = [...html.matchAll(/id="(log-\w+-\d+)"/g)].map((hit) => hit[1] ?? "");
  expect(new Set(ids)).toEqual(new Set(runs.map((run) => `log-${run.id}-1`)));
  expect(ids).toHaveLength(runs.length);
});

test("the status stream replays by Last-Event-ID, and begins anew after a restart", async () => {
  const world = await start({ deps: { memoryBytes: () => 1 } });
  const record = await world.addWorkflow();
  const witness = await openSse(`${world.url}/status/stream`);
  await witness.until(() => witness.messages.length === 1);
  const run = await world.addRun(record);
  await witness.until(() => witness.messages.length === 2);
  const [first, second] = witness.messages;
  const open = (id: string) =>
    openSse(`${world.url}/status/stream`, { headers: { "Last-Event-ID": id } });
  const again = await open(first?.id ?? "");
  await again.until(() => again.messages.length === 1);
  expect(again.messages[0]).toEqual({ ...second!, retry: "1000" });
  await again.close();

  await world.restart();
  await witness.until(() => witness.ended);
  await using fresh = await open(second?.id ?? "");
  await fresh.until(() => fresh.messages.length === 1);
  expect(fresh.messages[0]?.data).toContain(run.id);
  expect(fresh.messages[0]?.id).not.toBe(second?.id);
}, 10_000);

test("a run that ends while its page is read is shown as ended: its stream would tell nothing of it", async () => {
  await using own = await startWorld();
  const { runs, runReader } = own.store;
  const run = await own.addRun(await own.addWorkflow());
  const claim = await own.claim(run.id);
  await beginStep(runs, claim, { key: "write" });
  const glance = runReader.glance.bind(runReader);
  let isFirst = true;
  Object.assign(runReader, {
    async glance(id: string) {
      const found = await glance(id);
      if (isFirst) {
        isFirst = false;
        await endStep(runs, claim, { key: "write", patch: { text: "Hello" }, last: true });
      }
      return found;
    },
  });
  const page = await new Browser(own).get(`/runs/${run.id}`);
  expect(page.text).toContain('data-phase="final"');
  expect(page.text).toContain("Run again");
});
