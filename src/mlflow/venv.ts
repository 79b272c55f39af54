/** Where MLflow lives in a data folder: `<data>/mlflow/venv`, complete when its marker is there. */
import { join } from "node:path";
import { isJsonObject } from "../lib/json.ts";

const MARKER_FILE = "agents-install.json";

/** What the marker says about an installation. */
export interface InstallMarker {
  /** Of the packages that were asked for; another one means that a newer `agents` wants others. */
  readonly lockHash: string;
  readonly version: string;
}

export const mlflowFolder = (dataDir: string) => join(dataDir, "mlflow");
export const venvFolder = (dataDir: string) => join(mlflowFolder(dataDir), "venv");
/** Traces, artifacts and MLflow's own database. */
export const mlflowDataFolder = (dataDir: string) => join(mlflowFolder(dataDir), "data");

export function venvPython(venv: string): string {
  return process.platform === "win32"
    ? join(venv, "Scripts", "python.exe")
    : join(venv, "bin", "python");
}

/** Written last, before the environment gets its final name: without it there is no installation. */
export async function writeMarker(venv: string, marker: InstallMarker): Promise<void> {
  await Bun.write(join(venv, MARKER_FILE), JSON.stringify(marker));
}

export async function readMarker(venv: string): Promise<InstallMarker | undefined> {
  try {
    const value: unknown = await Bun.file(join(venv, MARKER_FILE)).json();
    if (!isJsonObject(value)) return undefined;
    const { lockHash, version } = value;
    if (typeof lockHash !== "string" || typeof version !== "string") return undefined;
    return (await Bun.file(venvPython(venv)).exists()) ? { lockHash, version } : undefined;
  } catch {
    // There is none, or what is there is not ours.
    return undefined;
  }
}
