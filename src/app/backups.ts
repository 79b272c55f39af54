/** Copies of the database: made, listed, put back. Large ones take long, so another process of ours makes them. */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import { AppError } from "../domain/error.ts";
import type { Backup, BackupKind, Backups } from "../domain/backup.ts";
import { defined } from "../lib/defined.ts";
import type { Clock } from "../lib/clock.ts";
import { SET_ASIDE } from "../store/restore.ts";
import { runCommand } from "../process/run-command.ts";

const FOLDER = "backups";
const MINUTE_MS = 60_000;
/** A copy of a very large database. */
const COPY_MS_MAX = 60 * MINUTE_MS;
const FILE_COUNT_MAX = 200;

type Place = Pick<Config, "dataDir" | "databasePath">;

/** @param self The command that starts this program. */
export function createBackups(
  { dataDir, databasePath }: Place,
  { clock, self }: { clock: Clock; self: readonly string[] },
): Backups {
  const folder = join(dataDir, FOLDER);
  let current: Promise<unknown> | undefined;

  /** One after the other: two would only slow each other down. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (current !== undefined) {
      throw new AppError("conflict", "A backup is being made or checked right now.", {
        fix: "Wait until it is done.",
      });
    }
    const done = work();
    current = done;
    try {
      return await done;
    } finally {
      current = undefined;
    }
  };
  const call = async (...argv: readonly string[]) => {
    const env = {
      ...inheritedEnvironment(),
      AGENTS_DATA_DIR: dataDir,
      AGENTS_DB_URL: `sqlite:///${databasePath}`,
    };
    const options = { env, cwd: dataDir, timeoutMs: COPY_MS_MAX };
    const { code, stderr } = await runCommand([...self, ...argv], options, clock);
    if (code !== 0) throw failureOf(stderr);
  };
  const find = async (name: string) => {
    const found = (await list(folder, databasePath)).find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new AppError("not_found", `There is no backup ${name}.`, { fix: "Reload the page." });
  };

  return {
    folder,
    isBusy: () => current !== undefined,
    list: async () =>
      (await list(folder, databasePath)).map(({ name, kind, bytes, at }) => ({
        name,
        kind,
        bytes,
        at,
      })),
    create: () =>
      alone(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const target = await freeFile(folder, clock.now());
        await call("backup", target);
        return basename(target);
      }),
    take: (file) =>
      alone(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const target = join(folder, fileName(clock.now(), "uploaded"));
        await Bun.write(`${target}.part`, file, { mode: 0o600 });
        await rename(`${target}.part`, target);
        return basename(target);
      }),
    open: async (name) => Bun.file((await find(name)).path),
    remove: async (name) => rm((await find(name)).path, { force: true }),
    stage: (name) =>
      alone(async () => {
        const { path } = await find(name);
        await call("restore", path, "--stage");
      }),
  };
}

/** Where the copies go that nobody has named a place for. */
export function backupFile({ dataDir }: Pick<Place, "dataDir">, nowMs: number): string {
  return join(dataDir, FOLDER, fileName(nowMs));
}

/** Also of the second one in the same second. */
async function freeFile(folder: string, nowMs: number): Promise<string> {
  const known = new Set(await names(folder));
  let name = fileName(nowMs);
  for (let count = 2; known.has(name); count += 1) name = fileName(nowMs, String(count));
  return join(folder, name);
}

/** `agents-20261120-104116.db`, in the time zone of the machine. */
function fileName(nowMs: number, word?: string): string {
  const at = new Date(nowMs - new Date(nowMs).getTimezoneOffset() * MINUTE_MS).toISOString();
  const [day = "", time = ""] = at.slice(0, -1).split("T");
  const parts = [day.replaceAll("-", ""), time.replaceAll(/[:.]/g, "").slice(0, -3), word];
  return `agents-${parts.filter((part) => part !== undefined).join("-")}.db`;
}

interface Found extends Backup {
  readonly path: string;
}

/** Newest first: those of the folder, and what the product keeps beside the database. */
async function list(folder: string, databasePath: string): Promise<Found[]> {
  const beside = basename(databasePath);
  const own = (await names(folder)).filter((name) => name.endsWith(".db"));
  const others = (await names(dirname(databasePath))).flatMap((name) => {
    const kind = kindOf(name, beside);
    return kind === undefined ? [] : [{ path: join(dirname(databasePath), name), kind }];
  });
  const all = [
    ...own.map((name) => ({ path: join(folder, name), kind: "made" as const })),
    ...others,
  ];
  const found = await Promise.all(
    all.map(async ({ path, kind }) => {
      const { size, mtimeMs } = await stat(path);
      return { name: basename(path), path, kind, bytes: size, at: mtimeMs };
    }),
  );
  return found.toSorted((a, b) => b.at - a.at).slice(0, FILE_COUNT_MAX);
}

function kindOf(name: string, beside: string): BackupKind | undefined {
  if (!name.startsWith(`${beside}.`) || /\.part$|-(?:wal|shm|journal)$/.test(name))
    return undefined;
  const rest = name.slice(beside.length);
  if (rest.startsWith(".backup-")) return "update";
  return rest.startsWith(SET_ASIDE) ? "replaced" : undefined;
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No folder, no backups.
    return [];
  }
}

/** What the other process said on standard error, which is wrapped like for a terminal. */
function failureOf(stderr: string): AppError {
  const text = stderr.replaceAll(/\s+/g, " ").trim();
  const [message = "", fix] = text.replace(/^error: /, "").split(" Fix: ");
  return new AppError("invalid", message === "" ? "It did not work." : message, defined({ fix }));
}
