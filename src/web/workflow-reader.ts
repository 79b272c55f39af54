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
  source(source: string, format: "yaml" | "json"): Promise<WorkflowReading>;
}

/** Versions whose reading is kept. */
const READING_COUNT_MAX = 64;

/** The YAML parser is loaded with the first workflow that is read, not at start. */
export function createWorkflowReader(knownTools: readonly string[]): WorkflowReader {
  const readings = new Map<string, WorkflowReading>();

  async function read(source: string, format: "yaml" | "json"): Promise<WorkflowReading> {
    const { parseWorkflow } = await import("../language/parse.ts");
    const { workflow, problems } = parseWorkflow(source, { format, knownTools });
    return { workflow, problems, drawing: await drawingOf(workflow) };
  }

  return {
    source: read,
    async version(version) {
      const known = readings.get(version.hash);
      if (known !== undefined) return known;
      const reading = await read(version.source, version.format);
      readings.set(version.hash, reading);
      const [oldest] = readings.keys();
      if (readings.size > READING_COUNT_MAX && oldest !== undefined) readings.delete(oldest);
      return reading;
    },
  };
}
