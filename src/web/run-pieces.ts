/** What a run's page shows of its steps: a window, so that a large run is read as fast as a small one. */
import type { RunPieces } from "../../views/part/run-pieces.ts";
import type { RunSummary } from "../domain/run.ts";
import type {
  CallPiece,
  ItemCounts,
  NodeOverview,
  RunReader,
  StepPiece,
} from "../domain/run-reader.ts";
import type { Workflow } from "../domain/workflow.ts";

/** Attempts of steps that a page shows; those before them have pages of their own. */
export const STEP_WINDOW_COUNT = 30;
/** Items of a map that a page shows, those that need a look first. */
const ITEM_COUNT_MAX = 12;
const NOTABLE_COUNT_MAX = 6;
/** Calls of one attempt, and of one item. */
const CALL_COUNT_MAX = 20;
const ITEM_CALL_COUNT_MAX = 3;

/** Pieces of the newest attempts, or of those before a `startedSeq`. */
export async function readPieces(
  reader: RunReader,
  run: RunSummary,
  more: {
    readonly workflow: Workflow | undefined;
    readonly before?: number | undefined;
    /** What is known of all attempts: only the newest of each node is brought up to date. */
    readonly nodes?: readonly NodeOverview[] | undefined;
  },
): Promise<RunPieces> {
  const { workflow, before } = more;
  const limit = STEP_WINDOW_COUNT;
  const found = await reader.steps(run.id, {
    limit: limit + 1,
    ...(before === undefined ? {} : { before }),
  });
  const isLarge = found.length > limit;
  const own = isLarge ? found.slice(1) : found;
  const isPart = isLarge || before !== undefined;
  const known = isPart ? (more.nodes ?? (await reader.overview(run.id))) : undefined;
  const nodes = known?.map((node) => withNewest(node, own));
  const shown = new Set(own.map((step) => step.startedSeq));
  // A node that was done long ago has its card too.
  const steps =
    before === undefined && nodes !== undefined
      ? [...nodes.map((node) => node.newest).filter((step) => !shown.has(step.startedSeq)), ...own]
      : own;
  const maps = steps.filter((step) => mayBeMap(step, workflow));
  const items = await Promise.all(maps.map((map) => readItems(reader, run.id, map)));
  const all = [...steps, ...items.flatMap((one) => one.items)];
  const calls = await readCalls(reader, run, all);
  return {
    steps: all,
    calls,
    nodes,
    itemCounts: new Map(
      items.flatMap(({ key, counts }) => (counts.count === 0 ? [] : [[key, counts]])),
    ),
    earlier: isLarge ? own[0]?.startedSeq : undefined,
  };
}

function withNewest(node: NodeOverview, own: readonly StepPiece[]): NodeOverview {
  const newest = own.findLast((step) => step.nodeId === node.nodeId);
  return newest === undefined || newest.startedSeq < node.newest.startedSeq
    ? node
    : { ...node, newest };
}

function mayBeMap(step: StepPiece, workflow: Workflow | undefined): boolean {
  if (step.state === "superseded" || step.state === "skipped") return false;
  const node = workflow?.nodes.find((one) => one.id === step.nodeId);
  return node === undefined || node.map !== undefined;
}

interface Items {
  readonly key: string;
  readonly counts: ItemCounts;
  readonly items: readonly StepPiece[];
}

const NO_ITEMS: ItemCounts = { states: {}, count: 0 };

async function readItems(reader: RunReader, runId: string, { key }: StepPiece): Promise<Items> {
  const first = await reader.items(runId, { map: key, from: 0, limit: ITEM_COUNT_MAX });
  // Items begin side by side, but the first is never the last to begin.
  if (first.length === 0) return { key, counts: NO_ITEMS, items: [] };
  const counts = await reader.itemCounts(runId, key);
  const hasNotable = (counts.states.failed ?? 0) + (counts.states.waiting ?? 0) > 0;
  const notable = hasNotable ? await reader.notableItems(runId, key, NOTABLE_COUNT_MAX) : [];
  const isNotable = new Set(notable.map((item) => item.key));
  const rest = first.filter((item) => !isNotable.has(item.key));
  return { key, counts, items: [...notable, ...rest].slice(0, ITEM_COUNT_MAX) };
}

async function readCalls(
  reader: RunReader,
  run: RunSummary,
  steps: readonly StepPiece[],
): Promise<CallPiece[]> {
  const found = await Promise.all(
    steps
      .filter((step) => step.state !== "skipped")
      .map(({ key, attempt }) =>
        reader.calls(run.id, {
          key,
          attempt,
          limit: key.endsWith("]") ? ITEM_CALL_COUNT_MAX : CALL_COUNT_MAX,
        }),
      ),
  );
  return found.flat();
}
