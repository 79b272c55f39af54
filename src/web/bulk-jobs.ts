/**
 * What is done with many runs at once. A job and what has become of each of its runs stand in the database: it goes
 * on when the page that asked for it is left, and after a restart. A run that was begun when the process died
 * is taken up again in a way that does nothing twice.
 */
import {
  BULK_RUN_COUNT_MAX,
  type BulkAction,
  type BulkItem,
  type BulkJob,
  type BulkOutcome,
} from "../domain/bulk-job.ts";
import { AppError, ERROR_CODES } from "../domain/error.ts";
import { RUN_STATES_FINAL, type RunFilter } from "../domain/run.ts";
import { derivedId, newId } from "../lib/id.ts";
import type { WebDeps } from "./deps.ts";
import { walkRuns } from "./runs-filter.ts";

/** Runs that are worked on side by side: their writes go into one transaction. */
const SIDE_BY_SIDE = 20;
const PAGE_COUNT = 200;
/** Pages that a search may take to find the runs of a job. */
const PAGE_COUNT_MAX = 50;
/** When the database takes no writes, it is tried again after this. */
const RETRY_MS = 1_000;
/** Of a run, since the job began. */
const EVENT_COUNT_MAX = 1_000;
/** Who acts, as it is kept with the run. */
const BY_DASHBOARD = "dashboard";

interface Made {
  /** A new one when it is left out. */
  readonly id?: string;
  /** It begins without being confirmed. */
  readonly isSure?: boolean;
}

/** All methods @throws AppError as `BulkJobStore`. */
export interface BulkJobs {
  /** At most BULK_RUN_COUNT_MAX. Begins at once, except with what cannot be undone. */
  ofRuns(action: BulkAction, ids: readonly string[], made?: Made): Promise<BulkJob>;
  /** Of all that match, at most BULK_RUN_COUNT_MAX; waits to be confirmed. */
  ofFilter(action: BulkAction, filter: Omit<RunFilter, "limit">, made?: Made): Promise<BulkJob>;
  get(id: string): Promise<BulkJob>;
  list(limit: number): Promise<BulkJob[]>;
  /** Confirmed twice, it begins once. */
  confirm(id: string): Promise<BulkJob>;
  /** A job that takes back what this one has done. @throws AppError `conflict` when that is not possible. */
  undo(id: string): Promise<BulkJob>;
  /** Takes up what an end of the product has interrupted. */
  goOn(): void;
  /** The rest is left to the next start. */
  close(): void;
}

type Deps = Pick<WebDeps, "runs" | "actions" | "bulkJobs" | "eventLog" | "clock" | "reportError">;

export function createBulkJobs(deps: Deps): BulkJobs {
  const { bulkJobs: store, clock } = deps;
  const closed = new AbortController();
  const underWay = new Set<string>();

  function start(id: string): void {
    if (underWay.has(id)) return;
    underWay.add(id);
    void work(deps, id, closed.signal).finally(() => underWay.delete(id));
  }

  async function add(
    action: BulkAction,
    { ids, isMore }: { ids: readonly string[]; isMore: boolean },
    { id = newId(clock.now()), isSure = false }: Made,
  ): Promise<BulkJob> {
    const state = isSure ? "running" : "asked";
    const job = await store.create({ id, action, state, isMore, runIds: ids });
    if (job.state === "running") start(id);
    return job;
  }

  return {
    ofRuns(action, ids, made = {}) {
      const all = [...new Set(ids)];
      const chosen = {
        ids: all.slice(0, BULK_RUN_COUNT_MAX),
        isMore: all.length > BULK_RUN_COUNT_MAX,
      };
      return add(action, chosen, { isSure: action !== "delete", ...made });
    },
    ofFilter: async (action, filter, made = {}) =>
      add(action, await collectIds(deps, filter), made),
    get: (id) => store.get(id),
    list: (limit) => store.list(limit),
    async confirm(id) {
      if (await store.confirm(id)) start(id);
      return store.get(id);
    },
    async undo(id) {
      const { action } = await store.get(id);
      // What cannot be undone is refused there; the name of the action does not matter then.
      const undoing = { id: newId(clock.now()), action: UNDO[action] ?? action };
      const undoneBy = await store.undo(id, undoing);
      start(undoneBy);
      return store.get(undoneBy);
    },
    goOn() {
      void insist(deps, closed.signal, async () => {
        for (const id of await store.running()) start(id);
      });
    },
    close: () => closed.abort(),
  };
}

const UNDO: Readonly<Record<BulkAction, BulkAction | undefined>> = {
  cancel: "resume",
  resume: "cancel",
  rerun: "cancel",
  delete: undefined,
};

async function collectIds(
  { runs }: Deps,
  filter: Omit<RunFilter, "limit">,
): Promise<{ ids: string[]; isMore: boolean }> {
  const ids: string[] = [];
  let pageCount = 0;
  for await (const page of walkRuns(runs, filter, PAGE_COUNT)) {
    ids.push(...page.map((run) => run.id));
    pageCount += 1;
    if (ids.length > BULK_RUN_COUNT_MAX || pageCount >= PAGE_COUNT_MAX) {
      return { ids: ids.slice(0, BULK_RUN_COUNT_MAX), isMore: true };
    }
  }
  return { ids, isMore: false };
}

/** Never rejects. */
async function work(deps: Deps, id: string, signal: AbortSignal): Promise<void> {
  const { bulkJobs: store } = deps;
  await insist(deps, signal, async () => {
    const job = await store.get(id);
    let items = await store.begin(id, SIDE_BY_SIDE);
    /* oxlint-disable no-await-in-loop -- not all at once, so that others get their turn */
    while (items.length > 0 && !signal.aborted) {
      const outcomes = await Promise.all(items.map((item) => workOn(deps, job, item)));
      await store.finish(id, outcomes);
      items = await store.begin(id, SIDE_BY_SIDE);
    }
    /* oxlint-enable no-await-in-loop */
  });
}

/** Tries again while the database cannot be written; what was begun is then taken up as after a restart. */
async function insist(
  { clock, reportError }: Deps,
  signal: AbortSignal,
  step: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      await step();
      return;
    } catch (error) {
      // A store that was closed meanwhile is no fault.
      if (signal.aborted) return;
      if (!mayPass(error)) reportError(error);
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof AppError && ERROR_CODES[error.code].status === 503;
}

async function workOn(deps: Deps, job: BulkJob, item: BulkItem): Promise<BulkOutcome> {
  const { runId } = item;
  try {
    return { runId, changedRunId: await act(deps, job, item), refusal: null };
  } catch (error) {
    if (mayPass(error)) throw error;
    const { code, message, fix } = AppError.from(error);
    if (code === "internal") deps.reportError(error);
    return { runId, changedRunId: null, refusal: { message, fix } };
  }
}

/** @returns the run that was changed or made. */
async function act(deps: Deps, job: BulkJob, { runId, isRepeated }: BulkItem): Promise<string> {
  const { runs, actions } = deps;
  switch (job.action) {
    case "rerun": {
      // The same job makes one run of a run, however often it is asked.
      const id = derivedId(job.createdAt, `${job.id} ${runId}`);
      return (await actions.rerun(runId, { source: "dashboard", id })).id;
    }
    case "delete":
      await runs.remove(runId).catch((error: unknown) => {
        const isGone = error instanceof AppError && error.code === "not_found";
        if (!isRepeated || !isGone) throw error;
      });
      return runId;
    case "resume":
      if (isRepeated && (await wasResumed(deps, runId, job.createdAt))) return runId;
      return (await actions.resume(runId, { by: BY_DASHBOARD })).id;
    case "cancel": {
      const run = await runs.get(runId);
      if (isRepeated && run?.state === "cancelled") return runId;
      if (run !== undefined && RUN_STATES_FINAL.includes(run.state)) {
        throw new AppError("conflict", "It has ended already.", {
          fix: "There is nothing to cancel.",
        });
      }
      return (await runs.requestCancel(runId)).id;
    }
  }
}

/** Its log says so, whatever has become of it since. */
async function wasResumed(
  { eventLog, clock }: Deps,
  runId: string,
  sinceMs: number,
): Promise<boolean> {
  const page = { untilMs: clock.now(), runId, limit: EVENT_COUNT_MAX };
  const events = await eventLog.eventsBefore(page);
  return events.some(({ at, event }) => at >= sinceMs && event.type === "run.resumed");
}
