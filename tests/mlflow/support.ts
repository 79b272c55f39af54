import { resolve } from "node:path";
import { AppError } from "../../src/domain/error.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { MlflowInstallation, RunCommand } from "../../src/mlflow/find.ts";
import { installMlflow } from "../../src/mlflow/install.ts";
import { runCommand, which } from "../../src/process/run-command.ts";

export const run: RunCommand = (argv, options) => runCommand(argv, options, systemClock);

/** Real MLflow, installed once for all tests; undefined, and loudly so, where there is no Python. */
export async function sharedMlflow(): Promise<MlflowInstallation | undefined> {
  const given = process.env["AGENTS_TEST_MLFLOW_DIR"];
  try {
    return await installMlflow({
      dataDir: given ?? resolve(import.meta.dir, "../../.tools/mlflow"),
      env: process.env,
      run,
      which,
      clock: systemClock,
      onProgress: ({ step, message }) => {
        if (step > 1) console.log(`MLflow: ${message}`);
      },
      signal: AbortSignal.timeout(10 * 60_000),
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    console.warn(`SKIPPED: the tests of MLflow's server. ${error.message} ${error.fix}`);
    return undefined;
  }
}
