import { Database } from "bun:sqlite";
import { mkdtemp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { firstVisit } from "../../tests/views/first-visit.ts";
import { launchChromium } from "../../tests/views/chromium.ts";
import { openSse } from "../../tests/web/sse-client.ts";
import { processCpuMs, treeCpuMs } from "./history/measure.ts";
import { PAGES, STREAMS } from "./history/pages.ts";
import { type History, seedHistory } from "./history/seed.ts";
import { makeTemplates } from "./history/templates.ts";
import { type Started, startAgents, type Subject } from "./subject.ts";

const RUN_COUNT = 1_000;
const REQUEST_COUNT = 200;
const WARM_UP_COUNT = 20;
const UPDATE_COUNT = 40;
/** Longer than a live page waits before it tells of the next change. */
const UPDATE_PAUSE_MS = 1_000;
const PART = { "HX-Request": "true", "HX-Request-Type": "partial", "Accept-Encoding": "gzip" };
const WHOLE = { "Accept-Encoding": "gzip" };

/**
 * What a page costs: its first visit in Chromium, and the server's CPU time for all of it, for the parts that htmx
 * fetches and for one update of its stream. Linux only. `AGENTS_BENCH_PAGES=run,chat` measures only pages with
 * one of these in their name.
 */
export async function measurePages(subject: Subject) {
  if (process.platform !== "linux") return { skipped: "CPU time is read from /proc" };
  const templatePath = join(subject.folder, "page-templates.db");
  const templates = await makeTemplates(templatePath);
  const folder = await mkdtemp(join(subject.folder, "pages-"));
  const history = await seedHistory(folder, templates, { templatePath, runCount: RUN_COUNT });
  const dataDir = dirname(history.path);
  const server = await startAgents(subject, { dataDir, flags: ["--workers", "0"] });
  const browser = await launchChromium();
  const wanted = (process.env["AGENTS_BENCH_PAGES"] ?? "").split(",");
  const rows = [];
  try {
    for (const [page, pathOf] of Object.entries(PAGES)) {
      if (!wanted.some((part) => page.includes(part))) continue;
      const url = server.url + pathOf(history, 0).slice(1);
      const { byteCount, requestCount, layoutShift, paintedMs } = await firstVisit(browser, url);
      const row = {
        page,
        firstVisitKiB: round(byteCount / 1024),
        requestCount,
        layoutShift: round(layoutShift),
        paintedMs: round(paintedMs),
        pageCpuMs: await cpuOfRequests(server, url, WHOLE),
        partCpuMs: await cpuOfRequests(server, url, PART),
        updateCpuMs: await cpuOfUpdates(server, history, page),
      };
      rows.push(row);
      console.error(`| ${Object.values(row).join(" | ")} |`);
    }
  } finally {
    await browser.close();
    await server.stop();
  }
  return rows;
}

async function cpuOfRequests(
  { pid }: Started,
  url: string,
  headers: Record<string, string>,
): Promise<number> {
  const request = async () => {
    const answer = await fetch(url, { headers });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  };
  for (let turn = 0; turn < WARM_UP_COUNT; turn += 1) await request();
  const before = treeCpuMs(pid);
  for (let turn = 0; turn < REQUEST_COUNT; turn += 1) await request();
  return round((treeCpuMs(pid) - before) / REQUEST_COUNT);
}

/** Something happens in a run again and again; what it costs over the same time in which nothing happens. */
async function cpuOfUpdates(
  { pid, url }: Started,
  history: History,
  page: string,
): Promise<number | null> {
  const pathOf = STREAMS[page];
  const [runId] = history.samples.get("running") ?? [];
  if (pathOf === undefined || runId === undefined) return null;
  const address = url + pathOf(history, 0).slice(1);
  const during = async (happen: () => void) => {
    await using client = await openSse(address);
    // Code that has seldom run costs several times as much, and so does its compiler.
    await times(WARM_UP_COUNT, happen);
    const before = processCpuMs(pid);
    const messageCount = client.messages.length;
    await times(UPDATE_COUNT, happen);
    return { cpuMs: processCpuMs(pid) - before, told: client.messages.length - messageCount };
  };
  using database = new Database(history.path, { readwrite: true });
  database.run("PRAGMA busy_timeout = 5000");
  const busy = await during(() => addEvent(database, runId));
  if (busy.told < UPDATE_COUNT - 1) throw new Error(`${page}: only ${busy.told} updates came`);
  const idle = await during(() => {});
  return round((busy.cpuMs - idle.cpuMs) / UPDATE_COUNT);
}

async function times(count: number, happen: () => void): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    happen();
    await Bun.sleep(UPDATE_PAUSE_MS);
  }
}

/** A line in the log of a run. */
function addEvent(database: Database, runId: string): void {
  database.run(
    `INSERT INTO events (run_id, seq, at, type, data)
     SELECT run_id, max(seq) + 1, ?2, 'signal.received', '{"name":"go","by":null}'
     FROM events WHERE run_id = ?1`,
    [runId, Date.now()],
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
