/**
 * Pages with a long history beside pages with a short one. For trying things out:
 *
 * - `AGENTS_BENCH_RUNS=50000` makes the long one shorter.
 * - `AGENTS_BENCH_PAGES="metrics,status"` measures only pages whose name has one of these in it.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measurePage, type PageTimes, type Row, type Side } from "./history/measure.ts";
import { DATA, PAGES } from "./history/pages.ts";
import { type History, seedHistory } from "./history/seed.ts";
import { makeTemplates, type Template } from "./history/templates.ts";
import { startAgents, type Subject } from "./subject.ts";

const SMALL_RUN_COUNT = 1_000;
const LARGE_RUN_COUNT = Number(process.env["AGENTS_BENCH_RUNS"] ?? 1_000_000);

/** A million runs and ten million events beside a thousand runs of the same period. Linux only. */
export async function measureHistory(subject: Subject) {
  if (process.platform !== "linux") return { skipped: "CPU time is read from /proc" };
  const pages = wantedPages();
  const templatePath = join(subject.folder, "templates.db");
  const templates = await makeTemplates(templatePath);
  const seed = async (runCount: number) => {
    const startedAt = performance.now();
    const history = await seedHomes(subject, { templates, templatePath, runCount });
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.error(`${runCount} runs, ${history.eventCount} events: made in ${seconds} s`);
    return history;
  };
  const small = await open(subject, await seed(SMALL_RUN_COUNT));
  const large = await open(subject, await seed(LARGE_RUN_COUNT));
  const rows: Row[] = [];
  for (const [page, pathOf] of pages) {
    const row = await measurePage(page, pathOf, { small, large });
    rows.push(row);
    console.error(lineOf(row));
  }
  await small.server.stop();
  await large.server.stop();
  for (const { history } of [small, large]) await rm(history.path, { force: true });
  return { small: sizeOf(small), large: sizeOf(large), pages: rows };
}

/** @throws Error when no page has such a name: before minutes go into the databases. */
function wantedPages() {
  const wanted = (process.env["AGENTS_BENCH_PAGES"] ?? "").split(",").map((part) => part.trim());
  const pages = Object.entries({ ...PAGES, ...DATA }).filter(([page]) =>
    wanted.some((part) => page.includes(part)),
  );
  if (pages.length === 0)
    throw new Error(`AGENTS_BENCH_PAGES: no page is called so: ${wanted.join(", ")}`);
  return pages;
}

function sizeOf({ history: { runCount, eventCount, bytes } }: Side) {
  return { runCount, eventCount, mebibytes: Math.round(bytes / 2 ** 20) };
}

async function seedHomes(
  { folder }: Subject,
  options: { templates: readonly Template[]; templatePath: string; runCount: number },
): Promise<History> {
  const { templates, ...rest } = options;
  const data = await mkdtemp(join(folder, "history-"));
  await mkdir(data, { recursive: true });
  return seedHistory(data, templates, rest);
}

/** The executable on it. No worker: nothing of the history goes on while it is measured. */
async function open(subject: Subject, history: History): Promise<Side> {
  const dataDir = join(history.path, "..");
  return { history, server: await startAgents(subject, { dataDir, flags: ["--workers", "0"] }) };
}

/** A row of the table in docs/benchmarks.md. */
function lineOf({ page, small, large, ratio }: Row): string {
  return `| ${page} | ${timesOf(small)} | ${timesOf(large)} | ${ratio.p50} / ${ratio.p99} / ${ratio.cpu} |`;
}

function timesOf({ p50Ms, p99Ms, cpuMs }: PageTimes): string {
  return `${p50Ms} / ${p99Ms} / ${cpuMs}`;
}
