/** Sub-workflows of a file that is run from the command line: files beside it, found by their `flow.name`. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import {
  type Workflow,
  WORKFLOW_SOURCE_BYTES_MAX,
  type WorkflowStore,
} from "../domain/workflow.ts";
import { workflowFormat } from "./workflow-folder.ts";

/** A folder with more files is not one of workflows. */
const FILE_COUNT_MAX = 200;

interface Neighbour {
  readonly workflow: Workflow;
  readonly source: string;
  readonly format: "yaml" | "json";
}

/**
 * Stores the workflows that a workflow calls, and those that they call, as they are in the folder. What is not there
 * may be stored already; where it is not, the step that calls it says so.
 */
export async function saveNeighbours(
  workflow: Workflow,
  options: { folder: string; workflows: WorkflowStore; toolNames: readonly string[] },
): Promise<void> {
  const wanted = calledBy(workflow);
  if (wanted.length === 0) return;
  const found = await readNeighbours(options.folder, options.toolNames);
  const names = new Set(wanted);
  for (const name of names) {
    const neighbour = found.get(name);
    if (neighbour === undefined) continue;
    const { source, format } = neighbour;
    const description = neighbour.workflow.description ?? null;
    // oxlint-disable-next-line no-await-in-loop -- A few files; what they call is found on the way.
    await options.workflows.save({ name, description, source, format });
    for (const inner of calledBy(neighbour.workflow)) names.add(inner);
  }
}

function calledBy(workflow: Workflow): string[] {
  return workflow.nodes.flatMap((node) => (node.kind === "workflow" ? [node.workflow] : []));
}

/** The valid workflow files of a folder, by the name of the workflow; of several with one name the last file. */
async function readNeighbours(
  folder: string,
  knownTools: readonly string[],
): Promise<ReadonlyMap<string, Neighbour>> {
  const { parseWorkflow } = await import("../language/parse.ts");
  // A folder that may not be listed has no neighbours; the file itself could be read.
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.filter((file) => workflowFormat(extname(file))).toSorted();
  const found = await Promise.all(
    files.slice(0, FILE_COUNT_MAX).map(async (file): Promise<readonly [string, Neighbour][]> => {
      const format = workflowFormat(extname(file)) ?? "yaml";
      const source = await readSmall(join(folder, file));
      if (source === undefined) return [];
      const { workflow } = parseWorkflow(source, { format, knownTools });
      return workflow === undefined ? [] : [[workflow.name, { workflow, source, format }]];
    }),
  );
  return new Map(found.flat());
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    return size > WORKFLOW_SOURCE_BYTES_MAX ? undefined : await readFile(path, "utf8");
  } catch {
    // Gone meanwhile, a folder, or not ours to read: it is then not the file that is meant.
    return undefined;
  }
}
