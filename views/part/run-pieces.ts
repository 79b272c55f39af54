import type { StepAttempt, StepCall } from "../../src/domain/run.ts";
import type {
  CallPiece,
  ItemCounts,
  NodeOverview,
  StepPiece,
} from "../../src/domain/run-reader.ts";

/** What a page shows of a run's steps. A whole journal will do too: then nothing is left out. */
export interface RunPieces {
  readonly steps: readonly (StepAttempt | StepPiece)[];
  readonly calls: readonly (StepCall | CallPiece)[];
  /** Of a run with more attempts than are shown: what all of them come to. */
  readonly nodes?: readonly NodeOverview[] | undefined;
  /** By the key of the map. Without it `steps` hold all items. */
  readonly itemCounts?: ReadonlyMap<string, ItemCounts>;
  /** `startedSeq` of the first that is shown, when there are attempts before it. */
  readonly earlier?: number | undefined;
}

/** Bytes of a part that was left out because it is large; undefined when it is there. */
export function omittedBytes(piece: object, name: string): number | undefined {
  if (!("omitted" in piece) || typeof piece.omitted !== "object" || piece.omitted === null)
    return undefined;
  const bytes: unknown = Reflect.get(piece.omitted, name);
  return typeof bytes === "number" ? bytes : undefined;
}
