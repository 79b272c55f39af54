/** The lines of services and runs in one list: filters, pages back in time, live lines. */
import { afterEach, describe, expect, test } from "bun:test";
import type { StoredEvent } from "../../src/domain/event.ts";
import { createLogFile, type LogFile } from "../../src/process/log-file.ts";
import type { ServiceLogs } from "../../src/domain/log.ts";
import { createServiceLogs } from "../../src/process/log-reader.ts";
import { type LogSearch, parsePlace, searchLogs } from "../../src/web/log-search.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createManualClock } from "../store/support/manual-clock.ts";
import { openSse } from "./sse-client.ts";
import { Browser, startWorld, type World } from "./world.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function start(clock = systemClock): Promise<{ world: World; file: LogFile }> {
  const world = await startWorld({ clock });
  open.push(world);
  const file = createLogFile(world.folder, {
    clock,
    reportError: (error) => world.errors.push(error),
  });
  open.push({
    async [Symbol.asyncDispose]() {
      file.close();
    },
  });
  return { world, file };
}

const out = (service: string, line: string) => ({ service, stream: "stdout" as const, line });

/** The texts of the lines of a page, oldest first. */
function linesOf(html: string): string[] {
  return [...html.matchAll(/<li id="log-[^"]+".*?<\/li>/gs)].map(([line]) =>
    line
      .replace(/<time.*?<\/time>/s, "")
      .replaceAll(/<[^>]+>/g, " ")
      .replaceAll(/\s+/g, " ")
      .trim(),
  );
}

test("shows services and runs in the order of time, with levels, and takes each filter", async () => {
  const clock = createManualClock();
  const { world, file } = await start(clock);
  file.append(out("worker-1", "[running]"));
  clock.advance(10);
  const run = await world.addRun(await world.addWorkflow());
  clock.advance(10);
  file.append({
    service: "mlflow",
    stream: "stderr",
    line: "INFO \u001B[31mserving\u001B[0m <b>now</b>",
  });
  clock.advance(10);
  file.append(out("mlflow", "ERROR the disk is full"));
  clock.advance(10);
  await world.store.runs.failRun(await world.claim(run.id), { code: "timeout", message: "Late." });
  const browser = new Browser(world);
  const get = async (query: string) => linesOf((await browser.get(`/logs${query}`)).text);
  const short = run.id.slice(-6);
  const all = await get("");
  expect(all).toEqual([
    "info worker-1 [running]",
    `debug ${short} queued`,
    "info mlflow INFO serving &lt;b&gt;now&lt;/b&gt;",
    "error mlflow ERROR the disk is full",
    `info ${short} started on worker-1`,
    `error ${short} failed: Late.`,
  ]);
  expect(await get("?source=services")).toEqual([all[0], all[2], all[3]] as string[]);
  expect(await get("?source=mlflow")).toEqual([all[2], all[3]] as string[]);
  expect(await get("?source=runs&level=warn")).toEqual([all[5]] as string[]);
  expect(await get("?level=info")).toEqual(all.filter((_, index) => index !== 1));
  expect(await get("?search=DISK+full")).toEqual([all[3]] as string[]);
  expect(await get(`?run=${run.id}`)).toEqual([all[1], all[4], all[5]] as string[]);
  expect(await get("?search=nowhere")).toEqual([]);
  const page = await browser.get("/logs");
  expect(page.text).toContain('<span class="ansi-red">serving</span>');
  expect(page.text).toContain(`href="/runs/${run.id}"`);
  const text = (await browser.get("/logs.txt?source=mlflow")).text;
  expect(text.split("\n").map((line) => line.slice(25))).toEqual([
    "info mlflow: INFO serving <b>now</b>",
    "error mlflow: ERROR the disk is full",
    "",
  ]);
});

test("pages lead back through every line once, many of the same moment too", async () => {
  const clock = createManualClock();
  const { world, file } = await start(clock);
  const record = await world.addWorkflow();
  const written: string[] = [];
  for (let index = 0; index < 700; index += 1) {
    const service = index % 2 === 0 ? "worker-1" : "chat";
    file.append(out(service, `line ${index}`));
    written.push(`${service} line ${index}`);
    if (index % 250 === 0) clock.advance(1);
    if (index % 100 === 0) await world.addRun(record);
  }
  const browser = new Browser(world);
  const seen: string[] = [];
  let path: string | undefined = "/logs";
  while (path !== undefined) {
    const page = await browser.get(path);
    seen.push(...linesOf(page.text));
    const next = /<a class="btn ghost" href="([^"]+)" rel="next">/.exec(page.text);
    path = next?.[1]?.replaceAll("&amp;", "&");
  }
  expect(seen).toHaveLength(707);
  expect(new Set(seen.filter((line) => line.includes("line ")))).toEqual(
    new Set(written.map((line) => `info ${line}`)),
  );
});

test("an end and a beginning bound the lines, and what is no time keeps what was typed", async () => {
  const clock = createManualClock(new Date(2026, 10, 20, 14, 0).getTime());
  const { world, file } = await start(clock);
  for (let minute = 0; minute < 5; minute += 1) {
    file.append(out("chat", `minute ${minute}`));
    clock.advance(60_000);
  }
  const browser = new Browser(world);
  const page = await browser.get("/logs?from=2026-11-20T14:01&to=2026-11-20T14:03");
  expect(linesOf(page.text)).toEqual([
    "info chat minute 1",
    "info chat minute 2",
    "info chat minute 3",
  ]);
  expect(page.text).not.toContain("/logs/stream");
  const refused = await browser.get("/logs?to=yesterday&source=chat");
  expect(refused.status).toBe(422);
  expect(refused.text).toContain("Write times as");
  expect(refused.text).toContain('value="yesterday"');
  expect((await browser.get("/logs?before=nonsense")).status).toBe(200);
});

test("new lines come on the stream, each once, and only those that match", async () => {
  const { world, file } = await start();
  file.append(out("chat", "before"));
  await using client = await openSse(`${world.url}/logs/stream?source=services`);
  const shown = () => client.messages.flatMap(({ data }) => linesOf(data));
  await client.until(() => shown().includes("info chat before"));
  file.append(out("chat", "one"));
  await client.until(() => shown().includes("info chat one"));
  await world.addRun(await world.addWorkflow());
  file.append(out("worker-1", "two"));
  await client.until(() => shown().includes("info worker-1 two"));
  const after = shown();
  expect(after.filter((line) => line.includes("queued"))).toEqual([]);
  expect(after.filter((line) => line === "info chat one")).toHaveLength(1);
  expect(after.filter((line) => line === "info worker-1 two")).toHaveLength(1);
});

function event(seq: number): StoredEvent {
  return { runId: "r1", seq, at: 2_000_000 - seq, event: { type: "run.queued" } };
}

const SEARCH: LogSearch = {
  untilMs: 2_000_000,
  sinceMs: undefined,
  skipCount: 0,
  limit: 10,
  filter: { source: undefined, runId: undefined, level: undefined, text: undefined },
};

describe("searchLogs()", () => {
  test("gives up after so many lines that do not match, and goes on from there", async () => {
    let asked = 0;
    const search = { ...SEARCH, filter: { ...SEARCH.filter, text: "nothing" } };
    const deps = {
      serviceLogs: { services: async () => [], async *backwards() {} },
      eventLog: {
        eventsBefore: async ({ limit, before }: { limit: number; before?: { seq: number } }) => {
          asked += limit;
          return Array.from({ length: limit }, (_, index) => event((before?.seq ?? 0) + 1 + index));
        },
      },
    };
    const found = await searchLogs(deps, search);
    expect(found.lines).toEqual([]);
    expect(asked).toBeLessThan(41_000);
    expect(found.lookedToMs).toBe(2_000_000 - 40_001);
    expect(parsePlace(found.next ?? "")).toEqual({ untilMs: 1_959_999, skipCount: 0 });
  });

  test("of many lines only those are read that are shown", async () => {
    const { world, file } = await start();
    for (let index = 0; index < 50_000; index += 1) file.append(out("worker-1", `line ${index}`));
    const logs = createServiceLogs(world.folder);
    let readCount = 0;
    const serviceLogs: ServiceLogs = {
      services: () => logs.services(),
      async *backwards(service, untilMs) {
        for await (const line of logs.backwards(service, untilMs)) {
          readCount += 1;
          yield line;
        }
      },
    };
    const deps = { serviceLogs, eventLog: world.store.eventLog };
    const newest = await searchLogs(deps, { ...SEARCH, untilMs: Date.now() });
    expect(newest.lines.map(({ text }) => text)[9]).toBe("line 49990");
    const place = parsePlace(newest.next ?? "");
    expect((await searchLogs(deps, { ...SEARCH, ...place })).lines).toHaveLength(10);
    expect(readCount).toBeLessThan(500);
  });
});
