/** Why a worker stops executing a run in the middle of it. The first reason wins. */
export type AbortKind =
  /** Someone asked for the end of the run. */
  | "cancelled"
  /** Another worker has the run: whatever this one does now is refused. */
  | "lost"
  /** This worker stops; the run goes on elsewhere. */
  | "stopping"
  /** The run's active time is over. */
  | "out_of_time"
  /** The run has failed with one of its steps; the others have nothing more to do. */
  | "failed";

export class RunAborted extends Error {
  override readonly name = "RunAborted";
  readonly kind: AbortKind;

  constructor(kind: AbortKind) {
    super(`run aborted: ${kind}`);
    this.kind = kind;
  }
}

export interface RunAborts {
  /** Aborts with any kind: the work of the run ends. */
  readonly work: AbortSignal;
  /** Aborts when this worker has nothing more to write: `lost` or `stopping`. */
  readonly gone: AbortSignal;
  abort(kind: AbortKind): void;
  /** Why it was aborted; undefined while it was not. */
  readonly kind: AbortKind | undefined;
}

export function createRunAborts(): RunAborts {
  const work = new AbortController();
  const gone = new AbortController();
  let first: AbortKind | undefined;
  return {
    work: work.signal,
    gone: gone.signal,
    get kind() {
      return first;
    },
    abort: (kind) => {
      first ??= kind;
      const reason = new RunAborted(kind);
      work.abort(reason);
      if (kind === "lost" || kind === "stopping") gone.abort(reason);
    },
  };
}
