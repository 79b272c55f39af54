/**
 * Installs MLflow into the data folder: a locked set of packages, each with its hash, so that every
 * machine gets what was tested. The set leaves out what only training code needs (pyarrow, scipy,
 * scikit-learn, matplotlib, …), which makes it 220 MB in place of 590.
 *
 * Everything is built in a folder `install-….tmp` and gets its final name by one rename at the end, so
 * an installation is there whole or not at all. What an interrupted one left is removed by a later one.
 * Where the packages come from is the user's configuration of uv and pip; no index is named here.
 */
import { readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import { errorCode } from "../lib/atomic-file.ts";
import type { Clock } from "../lib/clock.ts";
import { installerEnvironment, serverEnvironment } from "./environment.ts";
import type { MlflowDeps, MlflowInstallation } from "./find.ts";
import { fillEnvironment, INSTALLER_LOCK_FILE, LEAN_LOCK_FILE } from "./install-way.ts";
import type { Workshop } from "./install-way.ts";
import installerLock from "./installer.lock.txt" with { type: "text" };
import leanLockFile from "./lean.lock.txt" with { type: "file" };
import { mlflowFolder, readMarker, venvFolder, venvPython, writeMarker } from "./venv.ts";

/** For one command; a slow line needs a while for 70 MB. */
const COMMAND_TIMEOUT_MS = 15 * 60_000;
/** A folder of an installation that is older was left by one that died. */
const STALE_MS = 2 * COMMAND_TIMEOUT_MS;
const STEP_COUNT = 3;
const MESSAGE_CHARS_MAX = 120;
/** Of a failed command's output, so many lines are kept as the cause. */
const CAUSE_LINES_MAX = 30;

/** Imports what the server imports: proves that it can, and compiles the bytecode for the first start. */
const CHECK = "import uvicorn, mlflow.server.handlers, mlflow.server.fastapi_app";

export interface InstallProgress {
  /** From 1 to `total`. */
  readonly step: number;
  readonly total: number;
  readonly message: string;
}

export interface InstallOptions extends MlflowDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly onProgress: (progress: InstallProgress) => void;
  /** Aborting it leaves nothing behind. */
  readonly signal: AbortSignal;
}

/**
 * Does nothing when these packages are installed already.
 * @throws AppError `not_found` without uv and Python, `unavailable` when the packages cannot be had,
 * `timeout`, `disk_full`, `permission_denied`, `cancelled`.
 */
export async function installMlflow(options: InstallOptions): Promise<MlflowInstallation> {
  const { dataDir, onProgress } = options;
  const final = venvFolder(dataDir);
  const wanted = { lockHash: Bun.hash(leanLock()).toString(16), version: lockedVersion() };
  const { version } = wanted;
  const installed: MlflowInstallation = { python: venvPython(final), version, source: "own" };
  if ((await readMarker(final))?.lockHash === wanted.lockHash) return installed;

  const folder = join(mlflowFolder(dataDir), `install-${crypto.randomUUID()}.tmp`);
  const shop = createWorkshop(folder, options);
  const tell = (step: number, message: string) => onProgress({ step, total: STEP_COUNT, message });
  try {
    tell(1, `Installing MLflow ${version} (about 70 MB)`);
    await furnish(shop, options.clock.now());
    await fillEnvironment(shop);
    tell(2, "Checking that it runs");
    await check(shop, options);
    tell(STEP_COUNT, "Putting it in place");
    await writeMarker(shop.venv, wanted);
    await putInPlace(shop, { final, lockHash: wanted.lockHash });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return installed;
}

/** Large and rarely read: a file of the executable, not a text in its code. */
function leanLock(): string {
  return readFileSync(leanLockFile, "utf8");
}

/** The version of MLflow that this `agents` installs. */
function lockedVersion(): string {
  return /^mlflow==(\S+)/m.exec(leanLock())?.[1] ?? "";
}

function createWorkshop(folder: string, options: InstallOptions): Workshop {
  const { env, signal, onProgress } = options;
  const onLine = (_stream: string, line: string) => {
    const message = line.trim().slice(0, MESSAGE_CHARS_MAX);
    if (message !== "") onProgress({ step: 1, total: STEP_COUNT, message });
  };
  // uv's cache on the same disk makes links in place of copies, and goes with the folder.
  const settings = { UV_CACHE_DIR: join(folder, "cache"), ...installerEnvironment(env) };
  return {
    folder,
    venv: join(folder, "venv"),
    deps: options,
    run: (argv) => runOrFail(argv, options, { env: settings, cwd: folder, onLine, signal }),
  };
}

type Settings = Omit<Parameters<MlflowDeps["run"]>[1], "timeoutMs">;

/** @throws AppError `unavailable` or `disk_full` with the command's last lines as the cause. */
async function runOrFail(
  argv: readonly string[],
  { run }: MlflowDeps,
  settings: Settings,
): Promise<void> {
  const { code, stdout, stderr } = await run(argv, { ...settings, timeoutMs: COMMAND_TIMEOUT_MS });
  if (code === 0) return;
  const cause = `${stdout}\n${stderr}`.trim().split("\n").slice(-CAUSE_LINES_MAX).join("\n");
  if (/No space left on device|os error 28|os error 112/.test(cause)) throw diskFull(cause);
  const last = cause.split("\n").at(-1)?.trim().slice(0, MESSAGE_CHARS_MAX) ?? "";
  throw new AppError("unavailable", `MLflow could not be installed: ${last || `exit ${code}`}`, {
    fix: "Check the network and the proxy or index settings of pip and uv, then run `agents setup`.",
    cause,
  });
}

async function furnish({ folder }: Workshop, nowMs: number): Promise<void> {
  const parent = join(folder, "..");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeStale(parent, nowMs);
    await Bun.write(join(folder, LEAN_LOCK_FILE), leanLock());
    await Bun.write(join(folder, INSTALLER_LOCK_FILE), installerLock);
  } catch (cause) {
    if (errorCode(cause) === "ENOSPC") throw diskFull(cause);
    throw new AppError("permission_denied", `The folder ${parent} cannot be written.`, {
      fix: "Give yourself write permission on it, or choose another folder with --data-dir.",
      cause,
    });
  }
}

/** Other installations may be under way in folders of their own: only old ones are removed. */
async function removeStale(parent: string, nowMs: number): Promise<void> {
  const names = (await readdir(parent)).filter((name) => /^install-.*\.tmp$/.test(name));
  await Promise.all(
    names.map(async (name) => {
      const path = join(parent, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs < nowMs - STALE_MS) await rm(path, { recursive: true, force: true });
    }),
  );
}

async function check({ venv, folder }: Workshop, options: InstallOptions): Promise<void> {
  await runOrFail([venvPython(venv), "-W", "ignore", "-c", CHECK], options, {
    env: serverEnvironment(options.env),
    cwd: folder,
    signal: options.signal,
  });
}

/** A virtual environment may be moved: its Python finds itself by the path that it was started with. */
async function putInPlace(
  shop: Workshop,
  { final, lockHash }: { final: string; lockHash: string },
): Promise<void> {
  // What is there is older, or another installation of the same packages was quicker.
  if ((await readMarker(final))?.lockHash === lockHash) return;
  const old = join(shop.folder, "old");
  await rename(final, old).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
  await rename(shop.venv, final);
}

function diskFull(cause: unknown): AppError {
  return new AppError("disk_full", "The disk is full: MLflow needs about 600 MB to be installed.", {
    fix: "Free space on that disk and run `agents setup` again.",
    cause,
  });
}
