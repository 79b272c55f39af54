import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { findMlflow } from "../../src/mlflow/find.ts";
import { installMlflow } from "../../src/mlflow/install.ts";
import type { InstallOptions, InstallProgress } from "../../src/mlflow/install.ts";
import { venvFolder, venvPython, writeMarker } from "../../src/mlflow/venv.ts";
import { which } from "../../src/process/run-command.ts";
import { run } from "./support.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-install-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const nothing = () => undefined;
const options = (more: Partial<InstallOptions> = {}): InstallOptions => ({
  dataDir,
  env: process.env,
  run,
  which,
  clock: systemClock,
  onProgress: () => {},
  signal: new AbortController().signal,
  ...more,
});
const failureOf = (more: Partial<InstallOptions>): Promise<unknown> =>
  installMlflow(options(more)).catch((error: unknown) => error);
const left = async () => await readdir(join(dataDir, "mlflow")).catch(() => []);

test("installMlflow() without Python and uv says what to install, and leaves nothing", async () => {
  expect(await failureOf({ which: nothing })).toMatchObject({
    code: "not_found",
    message: "MLflow needs Python 3.11 or newer, and none was found.",
    fix: expect.stringContaining("agents setup"),
  });
  expect(await left()).toEqual([]);
});

test("installMlflow() that cannot have the packages says so, and leaves nothing", async () => {
  // Real Python, real pip, and no place to get anything from.
  const env = { PATH: process.env["PATH"], HOME: dataDir, PIP_NO_INDEX: "1", UV_NO_INDEX: "1" };
  const error = await failureOf({ env });
  expect(error).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("MLflow could not be installed"),
    fix: "Check the network and the proxy or index settings of pip and uv, then run `agents setup`.",
  });
  expect(await left()).toEqual([]);
}, 60_000);

test("installMlflow() that is cancelled leaves nothing and tries no other way", async () => {
  const cancel = new AbortController();
  const progress: InstallProgress[] = [];
  const onProgress = (one: InstallProgress) => {
    progress.push(one);
    cancel.abort();
  };
  expect(await failureOf({ signal: cancel.signal, onProgress })).toMatchObject({
    code: "cancelled",
  });
  expect(progress).toEqual([
    { step: 1, total: 3, message: expect.stringContaining("Installing MLflow 3.") },
  ]);
  expect(await left()).toEqual([]);
});

test("installMlflow() removes what a dead one left, not what is under way", async () => {
  const [dead, alive] = ["install-dead.tmp", "install-alive.tmp"];
  for (const name of [dead, alive]) await mkdir(join(dataDir, "mlflow", name), { recursive: true });
  const longAgo = new Date(systemClock.now() - 24 * 60 * 60_000);
  await utimes(join(dataDir, "mlflow", dead), longAgo, longAgo);
  await failureOf({ which: nothing });
  expect(await left()).toEqual([alive]);
});

test("findMlflow() does not take a half-made environment for an installation", async () => {
  const venv = venvFolder(dataDir);
  const deps = { env: process.env, run, which: nothing };
  await Bun.write(venvPython(venv), "");
  expect(await findMlflow(dataDir, deps)).toBeUndefined();
  await writeMarker(venv, { lockHash: "0", version: "9.9.9" });
  expect(await findMlflow(dataDir, deps)).toEqual({
    python: venvPython(venv),
    version: "9.9.9",
    source: "own",
  });
  await rm(venvPython(venv));
  expect(await findMlflow(dataDir, deps)).toBeUndefined();
});

test("findMlflow() asks the Pythons on the PATH, and believes only one that has the server", async () => {
  const found = await findMlflow(dataDir, { env: process.env, run, which });
  // The machine may have MLflow or not: either way the answer is checked, not assumed.
  if (found === undefined) expect(existsSync(join(dataDir, "mlflow"))).toBe(false);
  else expect(found).toMatchObject({ source: "system", version: expect.stringMatching(/^\d/) });
});
