/**
 * Goal: no list and no page costs more the longer the history is.
 * Method: 10,000 runs beside 1,000 of the same period, all copies of what the executable has made. Every page of the
 * benchmark is fetched on both over HTTP. Compared are steps of SQLite's virtual machine, which are the same
 * every time: nothing here depends on how fast the machine is.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DATA, PAGES } from "../../scripts/bench/history/pages.ts";
import { type History, seedHistory } from "../../scripts/bench/history/seed.ts";
import { makeTemplates } from "../../scripts/bench/history/templates.ts";
import { createStepCounter, recordStatements, type SentStatement } from "../support/vm-steps.ts";
import { startChatWorld } from "../web/chat-world.ts";

const EACH_PAGE = Object.entries({ ...PAGES, ...DATA });
/** From the middle of the period on, so that there is enough before and after. */
const TURNS = [40, 41, 42];
/** The promise of the benchmark. */
const RATIO_MAX = 1.5;
/**
 * In a short history some hours are empty and some lists not full; what is bounded may fill up. About a third of a
 * millisecond.
 */
const STEPS_SPARE = 12_000;

let folder: string;
let short: ReadonlyMap<string, number>;
let long: ReadonlyMap<string, number>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agents-history-"));
  const templatePath = join(folder, "templates.db");
  const templates = await makeTemplates(templatePath);
  const measure = async (runCount: number) => {
    const data = join(folder, String(runCount));
    await mkdir(data);
    return stepsIn(await seedHistory(data, templates, { templatePath, runCount }));
  };
  short = await measure(1_000);
  long = await measure(10_000);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Of one request of each page. */
async function stepsIn(history: History): Promise<ReadonlyMap<string, number>> {
  const sent = await fetchAll(history);
  using counter = await createStepCounter(history.path);
  const steps = (statements: readonly SentStatement[]) =>
    statements.reduce((sum, statement) => sum + counter.stepsOf(statement), 0) / TURNS.length;
  return new Map([...sent].map(([page, statements]) => [page, steps(statements)]));
}

async function fetchAll(history: History) {
  using recorder = recordStatements();
  await using world = await startChatWorld({ database: Bun.file(history.path) });
  const sent = new Map<string, readonly SentStatement[]>();
  for (const [page, pathOf] of EACH_PAGE) {
    recorder.take();
    for (const turn of TURNS) {
      const answer = await fetch(world.url + pathOf(history, turn));
      await answer.arrayBuffer();
      expect([page, answer.status]).toEqual([page, 200]);
    }
    sent.set(page, recorder.take());
  }
  return sent;
}

test.each(EACH_PAGE.map(([page]) => page))("%s: as many steps with ten times the runs", (page) => {
  const [few, many] = [short.get(page) ?? NaN, long.get(page) ?? NaN];
  expect(many).toBeLessThanOrEqual(RATIO_MAX * few + STEPS_SPARE);
});
