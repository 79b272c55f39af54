/** What people do with runs that exist. One implementation serves the command line, pages and the API. */
import type { JsonObject } from "../lib/json.ts";
import type { NewRun, Run } from "./run.ts";
import type { Budget } from "./workflow.ts";

interface Made {
  readonly source: NewRun["source"];
  /** Of the new run; made once, however often it is asked for. A new one when it is left out. */
  readonly id?: string;
  /** As in `NewRun`. */
  readonly reservedFor?: string;
}

/** All @throws AppError `not_found`, `conflict` (the run is not in a state for it), `workflow_invalid`. */
export interface RunActions {
  /**
   * Lets a run go on where it stopped: a failed or cancelled one from its unfinished steps, one that waits for a
   * timer, a rate limit or its budget at once. `budget` wins over what the run had.
   */
  resume(runId: string, options: { readonly budget?: Budget; readonly by: string }): Promise<Run>;
  /**
   * Goes back to a step of a run that has ended: the step and all that followed from it are done anew.
   * @param options.from A step key, or a node id for its last execution. @throws AppError `not_found` for a step that
   * the run did not reach.
   */
  retry(runId: string, options: { readonly from: string; readonly by: string }): Promise<Run>;
  /** A new run of the same version with the same inputs. */
  rerun(runId: string, made: Made): Promise<Run>;
  /**
   * A new run that begins in the middle of an old one: what did not follow from the step is taken over.
   * @param options.set Values of the state to begin with. @throws AppError `invalid` for one that does not fit.
   */
  fork(
    runId: string,
    options: Made & { readonly from: string; readonly set: JsonObject },
  ): Promise<Run>;
  /** The values that a fork from a step begins with when none is set. @throws AppError as `fork`. */
  forkValues(
    runId: string,
    from: string,
  ): Promise<{ readonly step: string; readonly values: JsonObject }>;
  /** The run's values just before a step ended and just after. @throws AppError as `fork`. */
  valuesAround(
    runId: string,
    step: string,
  ): Promise<{ readonly before: JsonObject; readonly after: JsonObject }>;
}
