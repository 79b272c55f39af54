/**
 * What is done with many runs at once. A job lives in this process: it goes on when the page that asked for it is
 * left, and its result can be looked at for a while. After a restart it is gone; what it has done stays done.
 */
import type { BulkAction, BulkJob, BulkRefusal } from "../../views/bulk.tsx";
import { AppError } from "../domain/error.ts";
import { RUN_STATES_FINAL, type RunFilter } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { WebDeps } from "./deps.ts";
import { walkRuns } from "./runs-filter.ts";

/** Runs of one job. */
export const BULK_RUN_COUNT_MAX = 1_000;
/** Jobs whose result is kept. */
const JOB_COUNT_MAX = 50;
/** Runs that are worked on side by side: their writes go into one transaction. */
const SIDE_BY_SIDE = 20;
/** Refusals that are named. */
const REFUSAL_COUNT_MAX = 100;
const PAGE_COUNT = 200;
/** Pages that a search may take to find the runs of a job. */
const PAGE_COUNT_MAX = 50;
/** Who acts, as it is kept with the run. */
const BY_DASHBOARD = "dashboard";

export interface BulkJobs {
  /** Begins at once, except with what cannot be undone. */
  ofRuns(action: BulkAction, ids: readonly string[]): BulkJob;
  /** Of all that match, at most BULK_RUN_COUNT_MAX; waits to be confirmed. */
  ofFilter(action: BulkAction, filter: Omit<RunFilter, "limit">): Promise<BulkJob>;
  /** @throws AppError `not_found` */
  get(id: string): BulkJob;
  /** Confirmed twice, it begins once. */
  confirm(id: string): BulkJob;
  /** A job that takes back what this one has done. @throws AppError `conflict` when that is not possible. */
  undo(id: string): BulkJob;
}

interface WorkingJob extends BulkJob {
  state: BulkJob["state"];
  doneCount: number;
  refusedCount: number;
  readonly refusals: BulkRefusal[];
  readonly ids: readonly string[];
  /** Runs that it has changed or made. */
  readonly touched: string[];
  undoneBy: string | undefined;
}

type Deps = Pick<WebDeps, "runs" | "actions" | "reportError"> & { readonly clock: Clock };

export function createBulkJobs(deps: Deps): BulkJobs {
  const jobs = new Map<string, WorkingJob>();

  function add(
    action: BulkAction,
    ids: readonly string[],
    more: { isMore: boolean; state: BulkJob["state"] },
  ): WorkingJob {
    const job: WorkingJob = {
      id: newId(deps.clock.now()),
      action,
      ids,
      count: ids.length,
      isMore: more.isMore,
      state: more.state,
      doneCount: 0,
      refusedCount: 0,
      refusals: [],
      touched: [],
      undoneBy: undefined,
      get canUndo() {
        return action !== "delete" && this.touched.length > 0 && this.undoneBy === undefined;
      },
    };
    jobs.set(job.id, job);
    const [oldest] = jobs.keys();
    if (jobs.size > JOB_COUNT_MAX && oldest !== undefined) jobs.delete(oldest);
    if (job.state === "running") void work(deps, job);
    return job;
  }

  function require(id: string): WorkingJob {
    const job = jobs.get(id);
    if (job !== undefined) return job;
    throw new AppError("not_found", "This job is not known any more.", {
      fix: "Look at the list of runs: it shows what has been done.",
    });
  }

  return {
    ofRuns(action, ids) {
      const chosen = [...new Set(ids)].slice(0, BULK_RUN_COUNT_MAX);
      const state = action === "delete" ? "asked" : "running";
      return add(action, chosen, { isMore: new Set(ids).size > chosen.length, state });
    },
    async ofFilter(action, filter) {
      const { ids, isMore } = await collectIds(deps, filter);
      return add(action, ids, { isMore, state: "asked" });
    },
    get: require,
    confirm(id) {
      const job = require(id);
      if (job.state === "asked") {
        job.state = "running";
        void work(deps, job);
      }
      return job;
    },
    undo(id) {
      const job = require(id);
      const back = UNDO[job.action];
      if (job.undoneBy !== undefined) return require(job.undoneBy);
      if (back === undefined || !job.canUndo || job.state !== "done") {
        throw new AppError("conflict", "This cannot be undone.", {
          fix: "Go to the list of runs.",
        });
      }
      const undoing = add(back, job.touched, { isMore: false, state: "running" });
      job.undoneBy = undoing.id;
      return undoing;
    },
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
async function work(deps: Deps, job: WorkingJob): Promise<void> {
  for (let index = 0; index < job.ids.length; index += SIDE_BY_SIDE) {
    const some = job.ids.slice(index, index + SIDE_BY_SIDE);
    // oxlint-disable-next-line no-await-in-loop -- not all at once, so that others get their turn
    await Promise.all(some.map((id) => workOn(deps, job, id)));
  }
  job.state = "done";
}

async function workOn(deps: Deps, job: WorkingJob, id: string): Promise<void> {
  try {
    job.touched.push(await act(deps, job.action, id));
    job.doneCount += 1;
  } catch (error) {
    const { code, message, fix } = AppError.from(error);
    if (code === "internal") deps.reportError(error);
    job.refusedCount += 1;
    if (job.refusals.length < REFUSAL_COUNT_MAX) job.refusals.push({ id, message, fix });
  }
}

/** @returns the run that was changed or made. */
async function act({ runs, actions }: Deps, action: BulkAction, id: string): Promise<string> {
  if (action === "resume") return (await actions.resume(id, { by: BY_DASHBOARD })).id;
  if (action === "rerun") return (await actions.rerun(id, { source: "dashboard" })).id;
  if (action === "delete") {
    await runs.remove(id);
    return id;
  }
  const run = await runs.get(id);
  if (run !== undefined && RUN_STATES_FINAL.includes(run.state)) {
    throw new AppError("conflict", "It has ended already.", { fix: "There is nothing to cancel." });
  }
  return (await runs.requestCancel(id)).id;
}
