/**
 * Installs MLflow below a folder, as `agents setup` does below its data folder, for tests and CI:
 * `bun scripts/install-mlflow.ts FOLDER`. Does nothing when it is there already.
 */
import { resolve } from "node:path";
import { AppError } from "../src/domain/error.ts";
import { systemClock } from "../src/lib/clock.ts";
import { installMlflow } from "../src/mlflow/install.ts";
import { runCommand, which } from "../src/process/run-command.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: bun scripts/install-mlflow.ts FOLDER");
  process.exit(2);
}
const cancel = new AbortController();
process.on("SIGINT", () => cancel.abort());
process.on("SIGTERM", () => cancel.abort());
try {
  const { python, version } = await installMlflow({
    dataDir: resolve(folder),
    env: process.env,
    run: (argv, options) => runCommand(argv, options, systemClock),
    which,
    clock: systemClock,
    onProgress: ({ step, total, message }) => console.log(`[${step}/${total}] ${message}`),
    signal: cancel.signal,
  });
  console.log(`MLflow ${version}: ${python}`);
} catch (error) {
  const { message, fix, cause } = AppError.from(error);
  const details = cause === undefined ? undefined : Bun.inspect(cause);
  console.error([message, fix, details].filter(Boolean).join("\n"));
  process.exitCode = 1;
}
