import { dirname, join } from "node:path";
import { pythonEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { readMarker, venvFolder, venvPython } from "./venv.ts";

/** Asking a Python takes a tenth of a second; a busy machine may need much longer. */
const ASK_TIMEOUT_MS = 20_000;

/** Runs a command to its end; `runCommand` of the process layer satisfies it. */
export type RunCommand = (
  argv: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    readonly onLine?: (stream: "stdout" | "stderr", line: string) => void;
  },
) => Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;

export interface MlflowDeps {
  readonly env: Environment;
  readonly run: RunCommand;
  /** The full path of a command on the PATH. */
  readonly which: (name: string) => string | undefined;
}

export interface MlflowInstallation {
  /** The Python that has it. */
  readonly python: string;
  readonly version: string;
  /** `own`: in the data folder. `system`: what the user installed. */
  readonly source: "own" | "system";
}

/** Why there is no MLflow, for the service's status. */
export const MLFLOW_MISSING = {
  message: "MLflow is not installed.",
  fix: "Install it with `agents setup`; everything else works without it.",
} as const;

/** Prints the version where the server's parts are there too, without importing any of them. */
const ASK_VERSION = `
import importlib.metadata, importlib.util
parts = ("mlflow", "uvicorn", "fastapi", "flask")
print(importlib.metadata.version("mlflow") if all(map(importlib.util.find_spec, parts)) else "")`;

/** The MLflow that `agents` can run: its own, else the one on the PATH. Never fails. */
export async function findMlflow(
  dataDir: string,
  deps: MlflowDeps,
): Promise<MlflowInstallation | undefined> {
  const venv = venvFolder(dataDir);
  const marker = await readMarker(venv);
  if (marker !== undefined)
    return { python: venvPython(venv), version: marker.version, source: "own" };
  const answers = await Promise.all(
    systemPythons(deps.which).map(async (python) => ({
      python,
      version: await askVersion(python, deps),
    })),
  );
  const found = answers.find((answer) => answer.version !== "");
  return found === undefined ? undefined : { ...found, source: "system" };
}

/** The Python beside the `mlflow` command, where it usually is, and the one that is first on the PATH. */
function systemPythons(which: MlflowDeps["which"]): string[] {
  const command = which("mlflow");
  const beside = command === undefined ? undefined : which(join(dirname(command), "python"));
  const first = which("python3") ?? which("python");
  return [beside, first].filter((python) => python !== undefined);
}

async function askVersion(python: string, { env, run }: MlflowDeps): Promise<string> {
  try {
    const answer = await run([python, "-c", ASK_VERSION], {
      env: pythonEnvironment(env),
      cwd: dirname(python),
      timeoutMs: ASK_TIMEOUT_MS,
    });
    return answer.code === 0 ? answer.stdout.trim() : "";
  } catch {
    // A Python that cannot be asked has no MLflow for us.
    return "";
  }
}
