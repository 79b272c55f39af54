/** The folder where workflow files live: what is there is on the dashboard, and what changes there too. */
import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { AppError, isUnavailable } from "../domain/error.ts";
import { type WorkflowStore, WORKFLOW_SOURCE_BYTES_MAX } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";

/** Files that are looked at; a folder with more is not one of workflows. */
const FILE_COUNT_MAX = 1_000;
/**
 * An editor saves in several steps: a file is read when it has been still for so long. At a start it lets
 * the first page go before.
 */
const SETTLE_MS = 300;
/** A folder in which something changes all the time is looked at this often all the same. */
const SETTLE_MS_MAX = 3_000;
/** After this long a file is tried again that the database did not take. */
const RETRY_MS = 2_000;
const FORMATS: Readonly<Record<string, "yaml" | "json">> = {
  ".yaml": "yaml",
  ".yml": "yaml",
  ".json": "json",
};

/** What a file with this extension holds; undefined for files that are no workflows. */
export function workflowFormat(extension: string): "yaml" | "json" | undefined {
  return FORMATS[extension.toLowerCase()];
}

interface FolderDeps {
  readonly workflows: WorkflowStore;
  readonly knownTools: readonly string[];
  readonly clock: Clock;
  /** Told of every file that cannot be taken, once for each of its contents. */
  readonly onFault: (text: string) => void;
}

/**
 * Saves the workflow files of a folder as workflows, now and whenever they change. A text that is stored
 * already makes no new version; a file that was removed leaves its workflow. A folder that is not there
 * is no fault. @returns the way to stop.
 */
export function followFolder(folder: string, deps: FolderDeps): () => void {
  const seen = new Map<string, string>();
  const stopped = new AbortController();
  const { clock } = deps;
  let watcher: FSWatcher | undefined;
  let asked = 0;
  let scanning = false;
  let isFirst = true;
  const settle = async () => {
    const limit = clock.now() + SETTLE_MS_MAX;
    let last: number;
    do {
      last = asked;
      // oxlint-disable-next-line no-await-in-loop -- As long as changes follow each other.
      await clock.sleep(SETTLE_MS, stopped.signal);
    } while (last !== asked && clock.now() < limit && !stopped.signal.aborted);
  };
  /** One scan at a time, and one more for whatever has changed during it. */
  const scan = async () => {
    let done: number;
    do {
      // oxlint-disable-next-line no-await-in-loop
      await settle();
      if (stopped.signal.aborted) return;
      done = asked;
      // oxlint-disable-next-line no-await-in-loop
      const isWhole = await importFolder(folder, { ...deps, seen, isFirst });
      if (isWhole) isFirst = false;
      else {
        asked += 1;
        // oxlint-disable-next-line no-await-in-loop
        await clock.sleep(RETRY_MS, stopped.signal);
      }
    } while (done !== asked);
  };
  const ask = () => {
    asked += 1;
    if (scanning) return;
    scanning = true;
    void scan()
      .catch((error: unknown) => tell(deps, folder, error))
      .finally(() => (scanning = false));
  };
  ask();
  try {
    watcher = watch(folder, ask);
    watcher.on("error", () => watcher?.close());
  } catch {
    // A folder that is not there, or a file system without notices: the next start looks again.
  }
  return () => {
    stopped.abort();
    watcher?.close();
  };
}

interface Scan extends FolderDeps {
  /** Path → size and time of what was read last. */
  readonly seen: Map<string, string>;
  /** At a start, a text that is stored already says nothing: a newer version may have come from a page. */
  readonly isFirst: boolean;
}

/** @returns false when the database did not take a file that it will take later. */
async function importFolder(folder: string, scan: Scan): Promise<boolean> {
  let isWhole = true;
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => extname(name).toLowerCase() in FORMATS);
  for (const name of files.toSorted().slice(0, FILE_COUNT_MAX)) {
    // One after the other: they go into one database, and nothing waits for them.
    const path = join(folder, name);
    try {
      // oxlint-disable-next-line no-await-in-loop
      await importFile(path, scan);
    } catch (error) {
      if (isUnavailable(error)) {
        // The database may be mended: the status page shows what is wrong, and the file is tried again.
        scan.seen.delete(path);
        isWhole = false;
      } else tell(scan, name, error);
    }
  }
  return isWhole;
}

async function importFile(path: string, scan: Scan): Promise<void> {
  const { workflows, knownTools, onFault, seen, isFirst } = scan;
  const { size, mtimeMs } = await stat(path);
  const stamp = `${size}/${mtimeMs}`;
  if (seen.get(path) === stamp) return;
  seen.set(path, stamp);
  if (size > WORKFLOW_SOURCE_BYTES_MAX) return onFault(`${path} is too large for a workflow.`);
  const source = await readFile(path, "utf8");
  const format = FORMATS[extname(path).toLowerCase()] ?? "yaml";
  const { parseWorkflow } = await import("../language/parse.ts");
  const { workflow } = parseWorkflow(source, { format, knownTools });
  if (workflow === undefined) {
    onFault(`${path} has errors and is not on the dashboard: run \`agents validate ${path}\`.`);
    return;
  }
  const { name, description = null } = workflow;
  if (isFirst && (await isStored(workflows, name, source))) return;
  await workflows.save({ name, description, source, format });
}

async function isStored(workflows: WorkflowStore, name: string, source: string): Promise<boolean> {
  const record = await workflows.get(name);
  const hash = new Bun.CryptoHasher("sha256").update(source).digest("hex");
  return record !== undefined && (await workflows.version(record.id, hash)) !== undefined;
}

function tell({ onFault }: FolderDeps, what: string, error: unknown): void {
  onFault(`${what}: ${AppError.from(error).message}`);
}
