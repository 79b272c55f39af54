/** MLflow as a service of the supervisor. Absent, slow or broken, it never keeps `agents` from starting. */
import type { JsonObject } from "../lib/json.ts";
import { serverEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import type { MlflowInstallation } from "./find.ts";
import launcher from "./launcher.py" with { type: "text" };
import { mlflowDataFolder } from "./venv.ts";

/** The first start migrates a new database and compiles bytecode; a busy machine takes a minute. */
const START_TIMEOUT_MS = 120_000;
/** Exit codes of launcher.py. */
const PORT_TAKEN_EXIT = 98;
const UNKNOWN_MLFLOW_EXIT = 78;

export interface MlflowServiceOptions {
  readonly dataDir: string;
  /** The command that is `agents` itself: its path, in development with the script. */
  readonly executable: readonly string[];
  readonly installation: MlflowInstallation;
  /** 0: any free port; the service's url tells which. */
  readonly port: number;
  readonly env: Environment;
}

/** @returns what the supervisor's `addService` takes. */
export function mlflowService(options: MlflowServiceOptions) {
  const { dataDir, executable, installation, port, env } = options;
  const data = mlflowDataFolder(dataDir);
  const { python, version } = installation;
  const server = [python, "-c", launcher, "--port", String(port), "--data", data];
  return {
    name: "mlflow",
    command: () => [...executable, "guard", "--", ...server],
    env: serverEnvironment(env),
    cwd: dataDir,
    url: null,
    ready: "line",
    startTimeoutMs: START_TIMEOUT_MS,
    explainExit: (exit: MlflowExit) => explainExit(exit, { port, version }),
  } as const;
}

interface MlflowExit {
  readonly code: number | null;
  readonly error: JsonObject | undefined;
  readonly tail: readonly string[];
}

function explainExit(
  { code, tail }: MlflowExit,
  { port, version }: { port: number; version: string },
): { message: string; fix: string } | undefined {
  if (code === PORT_TAKEN_EXIT) {
    return {
      message: `Port ${port} for MLflow is in use by another program.`,
      fix: "Choose another port with --mlflow-port, or end the program that uses it.",
    };
  }
  if (code === UNKNOWN_MLFLOW_EXIT) {
    return {
      message: `MLflow ${version} is not one that this version of agents can run.`,
      fix: "Let `agents setup` install the right one into the data folder.",
    };
  }
  const broken = tail.findLast((line) => /^(ModuleNotFound|Import)Error:/.test(line));
  if (broken !== undefined) {
    return {
      message: `The installed MLflow ${version} is broken: ${broken}`,
      fix: "Remove the folder mlflow/venv from the data folder and run `agents setup`.",
    };
  }
  const schema = tail.findLast((line) => line.includes("out-of-date database schema"));
  if (schema !== undefined) {
    return {
      message: `MLflow's database was written by another version of MLflow than ${version}.`,
      fix: "Copy mlflow/data/mlflow.db away for safety, then upgrade it with `mlflow db upgrade`.",
    };
  }
  return undefined;
}
