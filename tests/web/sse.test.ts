/** The hub alone: real HTTP and real time, over a log that lives in memory. */
import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import {
  createStreamHub,
  encodeMessage,
  STREAM_LIMITS,
  type StreamHub,
  type StreamLimits,
  type StreamMessage,
  type StreamSource,
} from "../../src/web/sse.ts";
import { AppError } from "../../src/domain/error.ts";
import { openSse } from "./sse-client.ts";

interface Bench {
  readonly hub: StreamHub;
  readonly url: string;
  readonly errors: unknown[];
  readonly log: string[];
  readonly counts: { produced: number; missed: number; listeners: number };
  /** Adds to the log and tells the hub. */
  add(...texts: string[]): void;
  fail: boolean;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const messageOf = (texts: readonly string[], position: number): StreamMessage => ({
  position,
  bytes: encodeMessage({ id: `${position}`, data: texts.join("\n") || "none" }),
});

/** `/log` is a log topic with `?after=`, `/state` a snapshot topic with Last-Event-ID `e-N`. */
function startBench(options: { limits?: Partial<StreamLimits>; log?: string[] } = {}): Bench {
  const listeners = new Set<() => void>();
  const counts = { produced: 0, missed: 0, listeners: 0 };
  const errors: unknown[] = [];
  const log = options.log ?? [];
  const hub = createStreamHub({
    clock: systemClock,
    changes: {
      onChange(listener) {
        listeners.add(listener);
        counts.listeners = listeners.size;
        return () => {
          listeners.delete(listener);
          counts.listeners = listeners.size;
        };
      },
    },
    limits: { ...STREAM_LIMITS, ...options.limits },
    reportError: (error) => errors.push(error),
  });
  const createLogSource = (): StreamSource => {
    let position: number | undefined;
    return {
      kind: "log",
      intervalMs: 20,
      refreshMs: 1_000,
      ended: false,
      produce() {
        counts.produced += 1;
        if (bench.fail) throw new Error("the log cannot be read");
        if (position === log.length) return Promise.resolve([]);
        const news = position === undefined ? [] : log.slice(position);
        position = log.length;
        return Promise.resolve([messageOf(news, position)]);
      },
      missed(after) {
        counts.missed += 1;
        const texts = log.slice(after, after + 10);
        return Promise.resolve(
          texts.length === 0 ? undefined : messageOf(texts, after + texts.length),
        );
      },
    };
  };
  const createStateSource = (): StreamSource => {
    let position = 0;
    let shown: string | undefined;
    return {
      kind: "snapshot",
      intervalMs: 10,
      refreshMs: 1_000,
      ended: false,
      produce() {
        counts.produced += 1;
        const state = log.at(-1) ?? "empty";
        if (state === shown) return Promise.resolve([]);
        shown = state;
        position += 1;
        const bytes = encodeMessage({ id: `e-${position}`, data: state });
        return Promise.resolve([{ position, bytes }]);
      },
      snapshot: () =>
        Promise.resolve(encodeMessage({ id: `e-${position}`, data: `all: ${shown}` })),
    };
  };
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const url = new URL(request.url);
      const id = request.headers.get("Last-Event-ID")?.replace("e-", "");
      const after = id ?? url.searchParams.get("after") ?? undefined;
      const position = after === undefined ? undefined : Number(after);
      try {
        const place = { after: position, signal: request.signal };
        return url.pathname === "/log"
          ? hub.open("log", createLogSource, place)
          : hub.open("state", createStateSource, place);
      } catch (error) {
        return new Response(String(error), { status: error instanceof AppError ? 503 : 500 });
      }
    },
  });
  closers.push(async () => {
    hub.close();
    await server.stop(true);
  });
  const bench: Bench = {
    hub,
    url: `http://127.0.0.1:${server.port}`,
    errors,
    log,
    counts,
    add(...texts) {
      log.push(...texts);
      for (const listener of listeners) listener();
    },
    fail: false,
  };
  return bench;
}

const lines = (client: { messages: readonly { data: string }[] }) =>
  client.messages.flatMap((message) => message.data.split("\n")).filter((line) => line !== "none");

/** Sixteen of these are more than the system keeps for a connection. */
const BIG = "x".repeat(256 * 1024);

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in time: ${condition.toString()}`);
    await Bun.sleep(5);
  }
}

test("encodeMessage() keeps every line of the data", () => {
  const text = new TextDecoder().decode(
    encodeMessage({ id: "7", data: "a\nb\r\nc", event: "end" }),
  );
  expect(text).toBe("event: end\nid: 7\ndata: a\ndata: b\ndata: c\n\n");
});

test("open() gives a log from the reader's place on, in order, without loss or repetition", async () => {
  const bench = startBench({ log: Array.from({ length: 35 }, (_, index) => `old ${index}`) });
  await using client = await openSse(`${bench.url}/log?after=5`);
  await client.until(() => lines(client).length === 30);
  for (let index = 0; index < 40; index += 1) {
    bench.add(`new ${index}`);
    if (index % 7 === 0) await Bun.sleep(3);
  }
  await client.until(() => lines(client).includes("new 39"));
  expect(lines(client)).toEqual(bench.log.slice(5));
  expect(client.messages.at(-1)?.id).toBe("75");
  expect(client.messages[0]?.retry).toBe("1000");
  expect(client.messages.slice(1).every((message) => message.retry === "")).toBe(true);
});

test("open() gives readers that come and go exactly what they miss", async () => {
  const bench = startBench();
  await using witness = await openSse(`${bench.url}/log?after=0`);
  const stop = new AbortController();
  const writing = (async () => {
    for (let index = 0; !stop.signal.aborted; index += 1) {
      bench.add(`line ${index}`);
      await Bun.sleep(1);
    }
  })();
  const seen: string[] = [];
  let last = "0";
  for (let round = 0; round < 15; round += 1) {
    const client = await openSse(`${bench.url}/log`, { headers: { "Last-Event-ID": last } });
    await client.until(() => client.messages.length >= 1 + (round % 4));
    await client.close();
    seen.push(...lines(client));
    last = client.messages.at(-1)?.id ?? last;
  }
  stop.abort();
  await writing;
  await using rest = await openSse(`${bench.url}/log`, { headers: { "Last-Event-ID": last } });
  await rest.until(() => seen.length + lines(rest).length === bench.log.length);
  expect([...seen, ...lines(rest)]).toEqual(bench.log);
  await witness.until(() => lines(witness).length === bench.log.length);
  expect(lines(witness)).toEqual(bench.log);
});

test("open() waits for the producer when the page was newer than the topic", async () => {
  const bench = startBench({ log: ["a"] });
  await using first = await openSse(`${bench.url}/log?after=1`);
  await first.until(() => first.messages.length === 1 || first.comments.length === 1);
  // No change is signalled: only the second reader knows of "b".
  bench.log.push("b");
  await using second = await openSse(`${bench.url}/log?after=2`);
  await first.until(() => lines(first).includes("b"));
  bench.add("c");
  await second.until(() => lines(second).length > 0);
  expect(lines(second)).toEqual(["c"]);
  expect(lines(first)).toEqual(["b", "c"]);
});

test("open() goes on from here for a place that does not exist", async () => {
  const bench = startBench({ log: ["a", "b"] });
  await using client = await openSse(`${bench.url}/log?after=999`);
  await until(() => bench.counts.produced >= 2);
  bench.add("c");
  await client.until(() => lines(client).length > 0);
  expect(lines(client)).toEqual(["c"]);
});

test("a snapshot topic replays what is in its ring, else sends everything", async () => {
  const bench = startBench({ log: ["one"] });
  await using witness = await openSse(`${bench.url}/state`);
  for (const text of ["two", "three", "four"]) {
    bench.add(text);
    await witness.until(() => lines(witness).includes(text));
  }
  const open = (id: string) => openSse(`${bench.url}/state`, { headers: { "Last-Event-ID": id } });
  await using known = await open("e-2");
  await known.until(() => lines(known).length === 2);
  expect(lines(known)).toEqual(["three", "four"]);
  await using unknown = await open("e-77");
  await unknown.until(() => lines(unknown).length === 1);
  expect(lines(unknown)).toEqual(["all: four"]);
  expect(lines(witness)).toEqual(["all: one", "two", "three", "four"]);
});

test("one production serves all readers, and none is made when nobody listens", async () => {
  const bench = startBench({ log: ["a"] });
  expect(bench.counts).toEqual({ produced: 0, missed: 0, listeners: 0 });
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => openSse(`${bench.url}/log?after=1`)),
  );
  bench.add("b");
  await Promise.all(clients.map((client) => client.until(() => lines(client).length === 1)));
  expect(bench.counts.produced).toBeLessThanOrEqual(3);
  expect(bench.counts.missed).toBe(0);
  expect(bench.hub.connectionCount).toBe(30);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => bench.hub.connectionCount === 0);
  expect(bench.hub.topicCount).toBe(0);
  expect(bench.counts.listeners).toBe(0);
  const { produced } = bench.counts;
  bench.add("c", "d");
  await Bun.sleep(60);
  expect(bench.counts.produced).toBe(produced);
});

test("a quiet connection gets heartbeats", async () => {
  const bench = startBench({ limits: { heartbeatMs: 30 }, log: ["a"] });
  await using client = await openSse(`${bench.url}/log?after=1`);
  await client.until(() => client.comments.length >= 4);
  expect(client.comments.slice(0, 3)).toEqual(["connected", "still here", "still here"]);
});

test("a reader that does not read is dropped while a hundred others keep up", async () => {
  const bench = startBench({ limits: { lagCountMax: 5, replayCountMax: 50 } });
  let slowEnd = "";
  const slow = await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(bench.url).port),
    socket: {
      open(socket) {
        socket.write("GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n");
        socket.pause();
      },
      data(_, bytes) {
        slowEnd = bytes.subarray(-5).toString();
      },
    },
  });
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => openSse(`${bench.url}/state`)),
  );
  await until(() => bench.hub.connectionCount === 101);
  let index = 0;
  while (bench.hub.connectionCount === 101) {
    index += 1;
    bench.add(`${index} ${BIG}`);
    await clients[0]!.until(
      () => clients[0]!.messages.at(-1)?.data.startsWith(`${index} `) === true,
    );
    if (index > 200) throw new Error("the slow reader is still there");
  }
  await Promise.all(
    clients.map((client) =>
      client.until(() => client.messages.at(-1)!.data.startsWith(`${index} `)),
    ),
  );
  expect(clients.every((client) => !client.ended)).toBe(true);
  expect(bench.hub.connectionCount).toBe(100);
  slow.resume();
  // The last chunk of the answer: the stream was ended, not forgotten.
  await until(() => slowEnd === "0\r\n\r\n");
  await Promise.all(clients.map((client) => client.close()));
}, 20_000);

test("open() refuses above the limit and after close(), and close() ends every stream", async () => {
  const bench = startBench({ limits: { connectionCountMax: 2 } });
  await using first = await openSse(`${bench.url}/log`);
  await using second = await openSse(`${bench.url}/state`);
  expect((await fetch(`${bench.url}/log`)).status).toBe(503);
  bench.hub.close();
  await first.until(() => first.ended);
  await second.until(() => second.ended);
  expect(bench.hub.connectionCount).toBe(0);
  expect((await fetch(`${bench.url}/log`)).status).toBe(503);
  expect(bench.errors).toEqual([]);
});

test("a producer that fails is reported once and goes on when it can", async () => {
  const bench = startBench({ log: ["a"] });
  bench.fail = true;
  await using client = await openSse(`${bench.url}/log?after=1`);
  for (let round = 0; round < 5; round += 1) {
    const { produced } = bench.counts;
    bench.add();
    await until(() => bench.counts.produced > produced);
  }
  expect(bench.errors.map(String)).toEqual(["Error: the log cannot be read"]);
  bench.fail = false;
  bench.add("b");
  await client.until(() => lines(client).length > 0);
  expect(lines(client)).toEqual(["b"]);
});

test("open() gives the place of a reader back that goes before it reads", async () => {
  const bench = startBench();
  const source: StreamSource = {
    kind: "snapshot",
    intervalMs: 10,
    refreshMs: 1_000,
    ended: false,
    produce: () => Promise.resolve([]),
    snapshot: () => Promise.resolve(new Uint8Array()),
  };
  const abort = new AbortController();
  const place = { after: undefined, signal: abort.signal };
  bench.hub.open("x", () => source, place);
  expect(bench.hub.connectionCount).toBe(1);
  abort.abort();
  expect([bench.hub.connectionCount, bench.hub.topicCount]).toEqual([0, 0]);
  bench.hub.open("x", () => source, place);
  expect([bench.hub.connectionCount, bench.hub.topicCount]).toEqual([0, 0]);
});
