/**
 * The ways to fill an environment with the locked packages, the quicker first: a uv on the PATH, a uv
 * that is fetched for this once by pip (7 s in all, measured), pip alone (35 s). Each falls back to the
 * next, because uv and pip have different settings for proxies and indexes and often only one is set.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import { findPython, PYTHON_VERSION_MIN } from "./python.ts";
import type { MlflowDeps } from "./find.ts";
import { venvPython } from "./venv.ts";

export const LEAN_LOCK_FILE = "lean.lock.txt";
export const INSTALLER_LOCK_FILE = "installer.lock.txt";

/** Nothing is resolved, built from source or taken unseen: the lock names every file by its hash. */
const LOCKED = ["--require-hashes", "--no-deps", "--only-binary", ":all:"];

/** A folder with the lock files, and how commands are run in it. */
export interface Workshop {
  readonly folder: string;
  readonly venv: string;
  readonly deps: MlflowDeps;
  /** @throws AppError when the command fails. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}

/** @throws AppError `not_found` without uv and Python, else what the last way failed with. */
export async function fillEnvironment(shop: Workshop): Promise<void> {
  const { deps, folder } = shop;
  const uv = deps.which("uv");
  const python = await findPython(deps, folder);
  const ways = [
    ...(uv === undefined ? [] : [() => fillWithUv(shop, uv, python)]),
    ...(python === undefined ? [] : [() => fillWithPython(shop, python)]),
  ];
  if (ways.length === 0) {
    throw new AppError(
      "not_found",
      `MLflow needs Python ${PYTHON_VERSION_MIN} or newer, and none was found.`,
      {
        fix:
          "Install Python (or uv) with your system's package manager and run `agents setup` again; " +
          "everything else works without it.",
      },
    );
  }
  await firstThatWorks(ways);
}

async function fillWithUv(
  shop: Workshop,
  uv: string,
  python: readonly string[] | undefined,
): Promise<void> {
  // Without a Python on this machine uv brings one. `py -3` is no path that it takes.
  const wanted = python?.length === 1 ? python[0] : undefined;
  await removeEnvironment(shop);
  const version = wanted ?? `>=${PYTHON_VERSION_MIN}`;
  await shop.run([uv, "venv", "--no-project", "--python", version, shop.venv]);
  await installWithUv(shop, uv);
}

async function fillWithPython(shop: Workshop, python: readonly string[]): Promise<void> {
  await removeEnvironment(shop);
  await shop.run([...python, "-m", "venv", shop.venv]).catch((error: unknown) => {
    throw withoutVenv(error);
  });
  await firstThatWorks([
    async () => await installWithUv(shop, await fetchUv(shop)),
    async () => await pip(shop, [...LOCKED, "-r", join(shop.folder, LEAN_LOCK_FILE)]),
  ]);
}

async function installWithUv(shop: Workshop, uv: string): Promise<void> {
  const python = venvPython(shop.venv);
  const lock = join(shop.folder, LEAN_LOCK_FILE);
  await shop.run([uv, "pip", "install", "--python", python, ...LOCKED, "-r", lock]);
}

/** Fetches uv into the workshop, which is thrown away at the end. */
async function fetchUv(shop: Workshop): Promise<string> {
  const target = join(shop.folder, "installer");
  const lock = join(shop.folder, INSTALLER_LOCK_FILE);
  await pip(shop, ["--target", target, ...LOCKED, "-r", lock]);
  const places = [join(target, "bin", "uv"), join(target, "Scripts", "uv.exe")];
  const found = places.map((place) => shop.deps.which(place)).find((path) => path !== undefined);
  if (found === undefined) throw new AppError("unavailable", "pip installed no uv command.");
  return found;
}

async function pip(shop: Workshop, options: readonly string[]): Promise<void> {
  const python = venvPython(shop.venv);
  await shop.run([python, "-m", "pip", "install", "--progress-bar", "off", ...options]);
}

const removeEnvironment = (shop: Workshop) => rm(shop.venv, { recursive: true, force: true });

/** @throws what the last way failed with, or the user's cancellation at once. */
async function firstThatWorks(ways: readonly (() => Promise<void>)[]): Promise<void> {
  let failure: unknown;
  for (const way of ways) {
    try {
      // A way is only tried when the one before it failed.
      // oxlint-disable-next-line no-await-in-loop
      return await way();
    } catch (error) {
      if (error instanceof AppError && error.code === "cancelled") throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Debian and Ubuntu ship Python without the part that makes environments. */
function withoutVenv(error: unknown): unknown {
  if (!(error instanceof AppError) || !String(error.cause).includes("ensurepip")) return error;
  return new AppError("not_found", "This Python cannot make environments: ensurepip is missing.", {
    fix: "Install the package python3-venv (or uv) and run `agents setup` again.",
    cause: error.cause,
  });
}
