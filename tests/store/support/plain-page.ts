/** What `RunStore.page` answers, written from its contract over a plain list. */
import type { Run, RunFilter, RunPage } from "../../../src/domain/run.ts";
import { firstIdAt } from "../../../src/lib/id.ts";

/** @param runs As they were created, which is also the order of their ids. */
export function pageOf(
  runs: readonly Run[],
  filter: RunFilter,
): RunPage & { runs: readonly Run[] } {
  const { limit, before, after } = filter;
  const isDearest = filter.order === "dearest" || filter.minCostNanoUsd !== undefined;
  const placeOf = (run: Run) => (isDearest ? `${run.costNanoUsd}~${run.id}` : run.id);
  const matching = runs
    .filter((run) => isWanted(run, filter, isDearest))
    .toSorted((a, b) => (isDearest ? b.costNanoUsd - a.costNanoUsd : 0) || (a.id < b.id ? 1 : -1));
  if (after !== undefined) {
    const sooner = matching.filter((run) => isBefore(placeOf(run), after, isDearest));
    const page = limit < 1 ? [] : sooner.slice(-limit);
    return { runs: page, next: page.at(-1) && placeOf(page.at(-1) as Run), isPartial: false };
  }
  const later = matching.filter(
    (run) => before === undefined || isBefore(before, placeOf(run), isDearest),
  );
  const page = later.slice(0, Math.max(0, limit));
  const last = page.at(-1);
  const next = later.length > page.length && last !== undefined ? placeOf(last) : undefined;
  return { runs: page, next, isPartial: false };
}

/** True when the first place comes sooner in the order of the page. */
function isBefore(a: string, b: string, isDearest: boolean): boolean {
  if (!isDearest) return a > b;
  const [costA = "", idA = ""] = a.split("~");
  const [costB = "", idB = ""] = b.split("~");
  return Number(costA) > Number(costB) || (costA === costB && idA > idB);
}

function isWanted(run: Run, filter: RunFilter, isDearest: boolean): boolean {
  const { states, workflowId, sinceMs, untilMs, search = "", minCostNanoUsd = 0 } = filter;
  if (states !== undefined && !states.includes(run.state)) return false;
  if (workflowId !== undefined && run.workflowId !== workflowId) return false;
  if (sinceMs !== undefined && run.id < firstIdAt(sinceMs)) return false;
  if (untilMs !== undefined && run.id >= firstIdAt(untilMs)) return false;
  if (isDearest && (run.finishedAt === null || run.costNanoUsd < minCostNanoUsd)) return false;
  if (search.trim() === "") return true;
  const wanted = wordsOf(search);
  const has = wordsOf([run.id, run.workflowName, ...leaves(run.inputs)].join(" "));
  return wanted.length > 0 && wanted.every((word) => has.some((one) => one.startsWith(word)));
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

function leaves(value: unknown): string[] {
  if (typeof value === "string" || typeof value === "number") return [String(value)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [];
}
