import { RUN_RANGES, type RunsQuery } from "../../views/part/runs-query.ts";
import type { RunFilter, RunPage, RunStore, RunSummary } from "../domain/run.ts";
import { defined } from "../lib/defined.ts";

const NANO_USD = 1_000_000_000;

export interface RunsFilterReading {
  readonly filter: Omit<RunFilter, "limit">;
  /** What of the query could not be read; the filter is without it. */
  readonly problems: readonly string[];
}

/** What the store is asked for. */
export function readRunsFilter(query: RunsQuery, now: number): RunsFilterReading {
  const time = readTime(query, now);
  const cost = readCost(query.cost);
  const { states, workflow, search, order } = query;
  const filter = defined({
    states: states.length === 0 ? undefined : states,
    workflowId: workflow === "" ? undefined : workflow,
    sinceMs: time.sinceMs,
    untilMs: time.untilMs,
    search: search === "" ? undefined : search,
    minCostNanoUsd: cost.nanoUsd,
    order: order === "dearest" ? order : undefined,
  });
  return { filter, problems: [...time.problems, ...cost.problems] };
}

interface TimeReading {
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly problems: readonly string[];
}

function readTime({ range, from, to }: RunsQuery, now: number): TimeReading {
  if (range === "") return { problems: [] };
  if (range !== "custom") return { sinceMs: now - RUN_RANGES[range].ms, problems: [] };
  // Without an offset: the time of this machine, as all times on the pages.
  const [sinceMs, untilMs] = [from, to].map((text) => (text === "" ? undefined : Date.parse(text)));
  const unread = [from, to].filter((text) => text !== "" && Number.isNaN(Date.parse(text)));
  const problems = unread.map(
    (text) => `The time ${JSON.stringify(text)} cannot be read: write it as 2026-11-20T14:00.`,
  );
  if (problems.length > 0) return { problems };
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs >= untilMs) {
    problems.push("The time begins after its end: no run can be in it.");
  }
  return { sinceMs, untilMs, problems };
}

function readCost(text: string): { nanoUsd?: number; problems: readonly string[] } {
  const dollars = Number(text);
  if (text === "") return { problems: [] };
  if (Number.isFinite(dollars) && dollars >= 0) {
    return { nanoUsd: Math.round(dollars * NANO_USD), problems: [] };
  }
  return { problems: [`The cost ${JSON.stringify(text)} is no number of US dollars.`] };
}

/** The first page also has the one run whose id ends so: pages show the end of an id. */
export async function findPage(runs: RunStore, filter: RunFilter): Promise<RunPage> {
  const page = await runs.page(filter);
  const { search, before, after } = filter;
  if (search === undefined || before !== undefined || after !== undefined) return page;
  const run = await runs.find(search);
  if (run === undefined || page.runs.some(({ id }) => id === run.id)) return page;
  const isOther =
    (filter.states !== undefined && !filter.states.includes(run.state)) ||
    (filter.workflowId !== undefined && filter.workflowId !== run.workflowId);
  return isOther ? page : { ...page, runs: [run, ...page.runs] };
}

/* oxlint-disable no-await-in-loop -- each page begins where the one before it ends */

/** Pages one after another, also past places where a search has stopped. */
export async function* walkRuns(
  runs: RunStore,
  filter: Omit<RunFilter, "limit">,
  pageCount: number,
): AsyncGenerator<readonly RunSummary[]> {
  for (let before = filter.before; ;) {
    const page = await runs.page({ ...filter, ...defined({ before }), limit: pageCount });
    yield page.runs;
    if (page.next === undefined) return;
    before = page.next;
  }
}
