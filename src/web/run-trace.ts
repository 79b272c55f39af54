/** A window of the trace of a run: read along indexes, so that the last one costs what the first does. */
import type { TraceWindow } from "../../views/run-trace.tsx";
import type { RunSummary, StepAttempt, StepCall } from "../domain/run.ts";
import type { RunReader, StepPiece } from "../domain/run-reader.ts";

/** Attempts, and items of a map, in one window. */
const STEP_COUNT = 40;
const ITEM_COUNT = 50;
/** Calls of one of them; its own page has all. */
const CALL_COUNT_MAX = 10;

/** The newest attempts, those before a `startedSeq`, or those after one. */
export async function readTrace(
  reader: RunReader,
  run: RunSummary,
  { before, after }: { readonly before: number | undefined; readonly after: number | undefined },
): Promise<TraceWindow> {
  const limit = STEP_COUNT + 1;
  const isForward = after !== undefined;
  const found = await reader.steps(run.id, {
    limit,
    ...(after !== undefined ? { after } : before !== undefined ? { before } : {}),
  });
  const isMore = found.length === limit;
  const steps = !isMore ? found : isForward ? found.slice(0, -1) : found.slice(1);
  const [first, last] = [steps[0]?.startedSeq, steps.at(-1)?.startedSeq];
  // One more was asked for in the direction that was gone; the other one is looked at.
  const [hasEarlier, hasLater] = await Promise.all([
    isForward ? isAny(reader, run, { before: first }) : isMore,
    isForward ? isMore : before !== undefined && isAny(reader, run, { after: last }),
  ]);
  const counts = await Promise.all(
    [...new Set(steps.map(({ key }) => key))].map(async (key) => ({
      key,
      first: await reader.items(run.id, { map: key, from: 0, limit: 1 }),
    })),
  );
  const maps = counts.filter(({ first: items }) => items.length > 0);
  return {
    steps,
    calls: await readCalls(reader, run, steps),
    maps: await Promise.all(
      maps.map(async ({ key }) => ({ key, count: (await reader.itemCounts(run.id, key)).count })),
    ),
    map: undefined,
    earlier: hasEarlier && first !== undefined ? `before=${first}` : undefined,
    later: hasLater && last !== undefined ? `after=${last}` : undefined,
  };
}

async function isAny(
  reader: RunReader,
  run: RunSummary,
  { before, after }: { readonly before?: number | undefined; readonly after?: number | undefined },
): Promise<boolean> {
  if (before !== undefined) return (await reader.steps(run.id, { before, limit: 1 })).length > 0;
  if (after !== undefined) return (await reader.steps(run.id, { after, limit: 1 })).length > 0;
  return false;
}

/** Items of a map from a number on; undefined when the step has none. */
export async function readItemTrace(
  reader: RunReader,
  run: RunSummary,
  { map, from }: { readonly map: string; readonly from: number },
): Promise<TraceWindow | undefined> {
  const { count } = await reader.itemCounts(run.id, map);
  if (count === 0) return undefined;
  const steps: readonly StepPiece[] = await reader.items(run.id, { map, from, limit: ITEM_COUNT });
  const query = (place: number) => new URLSearchParams({ map, from: String(place) }).toString();
  return {
    steps,
    calls: await readCalls(reader, run, steps),
    maps: [],
    map: { key: map, from, count },
    earlier: from === 0 ? undefined : query(Math.max(0, from - ITEM_COUNT)),
    later: from + ITEM_COUNT < count ? query(from + ITEM_COUNT) : undefined,
  };
}

async function readCalls(
  reader: RunReader,
  run: RunSummary,
  steps: readonly StepAttempt[],
): Promise<StepCall[]> {
  const found = await Promise.all(
    steps
      .filter(({ state }) => state !== "skipped")
      .map(({ key, attempt }) => reader.calls(run.id, { key, attempt, limit: CALL_COUNT_MAX })),
  );
  return found.flat();
}
