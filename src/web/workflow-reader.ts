import type { Problem, Workflow, WorkflowVersion } from "../domain/workflow.ts";
import type { Drawing } from "../graph/drawing.ts";
import { drawingOf } from "./drawing.ts";

export interface WorkflowReading {
  /** Undefined when the text has errors. */
  readonly workflow: Workflow | undefined;
  readonly problems: readonly Problem[];
  /** Undefined also for a workflow that is too large to be drawn. */
  readonly drawing: Drawing | undefined;
}

export interface WorkflowReader {
  /** Parses a stored version; a version never changes, so its reading is kept. */
  version(version: WorkflowVersion): Promise<WorkflowReading>;
  /** @param drawnNodeCountMax A larger workflow is not drawn: for answers that somebody waits for while typing. */
  source(
    source: string,
    format: "yaml" | "json",
    drawnNodeCountMax?: number,
  ): Promise<WorkflowReading>;
  /** What a list says of a version, of many versions: nothing is drawn, and little is kept. */
  digest(hash: string, load: () => Promise<WorkflowVersion | undefined>): Promise<WorkflowDigest>;
}

export interface WorkflowDigest {
  readonly nodeCount: number;
  readonly hasErrors: boolean;
}

/** Versions whose reading is kept. */
const READING_COUNT_MAX = 64;
/** Each is two numbers. */
const DIGEST_COUNT_MAX = 5_000;

/** The YAML parser is loaded with the first workflow that is read, not at start. */
export function createWorkflowReader(knownTools: readonly string[]): WorkflowReader {
  const readings = new Map<string, WorkflowReading>();

  const digests = new Map<string, WorkflowDigest>();

  async function parse(source: string, format: "yaml" | "json") {
    const { parseWorkflow } = await import("../language/parse.ts");
    return parseWorkflow(source, { format, knownTools });
  }

  const read: WorkflowReader["source"] = async (source, format, drawnNodeCountMax = Infinity) => {
    const { workflow, problems } = await parse(source, format);
    const isDrawn = (workflow?.nodes.length ?? 0) <= drawnNodeCountMax;
    return { workflow, problems, drawing: isDrawn ? await drawingOf(workflow) : undefined };
  };

  return {
    source: read,
    async version(version) {
      const known = readings.get(version.hash);
      if (known !== undefined) return known;
      const reading = await read(version.source, version.format);
      keep(readings, { key: version.hash, value: reading, countMax: READING_COUNT_MAX });
      return reading;
    },
    async digest(hash, load) {
      const known = digests.get(hash);
      if (known !== undefined) return known;
      const version = await load();
      if (version === undefined) return { nodeCount: 0, hasErrors: true };
      const { workflow } = await parse(version.source, version.format);
      const digest = { nodeCount: workflow?.nodes.length ?? 0, hasErrors: workflow === undefined };
      keep(digests, { key: hash, value: digest, countMax: DIGEST_COUNT_MAX });
      return digest;
    },
  };
}

/** The oldest goes when there are too many. */
function keep<Value>(
  map: Map<string, Value>,
  { key, value, countMax }: { key: string; value: Value; countMax: number },
): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > countMax && oldest !== undefined) map.delete(oldest);
}
