/** The places that settings come from, read and put in order; nothing is interpreted here. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { errorCode } from "../lib/atomic-file.ts";
import { parseEnvFile } from "../lib/env-file.ts";
import type { Origin } from "./config.ts";
import { fileError } from "./file-error.ts";
import { absolutePath, dataDirDefault } from "./place.ts";
import { VARIABLES, type VariableName } from "./schema.ts";

export const ENV_FILE = ".env";

export interface ConfigSources {
  /** What flags set, by variable: the flag as it was typed, and its value as text. */
  readonly flags: Readonly<Record<string, { readonly flag: string; readonly value: string }>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDir: string;
  readonly homeDir: string;
  readonly os: string;
}

export interface RawValue {
  readonly text: string;
  readonly origin: Origin;
  /** Relative paths in the value start here. */
  readonly base: string;
}

interface Layer {
  readonly kind: Exclude<Origin["kind"], "default">;
  readonly base: string;
  get(name: string): { readonly text: string; readonly place: string } | undefined;
}

export interface RawSettings {
  readonly dataDir: string;
  readonly values: ReadonlyMap<VariableName, RawValue>;
  /** Faults of the files themselves, as sentences. */
  readonly faults: readonly string[];
}

/**
 * Collects the text of every variable from the best place that has it. A variable that is present
 * but empty counts: it hides the places below it and means the default.
 * @throws AppError `permission_denied` for a `.env` that may not be read.
 */
export async function readSources(sources: ConfigSources): Promise<RawSettings> {
  const faults: string[] = [];
  const upper = [
    flagLayer(sources),
    environmentLayer(sources),
    await fileLayer(join(sources.workingDir, ENV_FILE), "working_env_file", faults),
  ];
  const dataDir = dataDirOf(sources, upper);
  const dataFile = join(dataDir, ENV_FILE);
  const layers = [...upper];
  if (dataFile !== join(resolve(sources.workingDir), ENV_FILE)) {
    const layer = await fileLayer(dataFile, "data_env_file", faults);
    const own = layer.get("AGENTS_DATA_DIR");
    if (
      own !== undefined &&
      own.text !== "" &&
      absolutePath(own.text, dataDir, sources.homeDir) !== dataDir
    ) {
      faults.push(
        `AGENTS_DATA_DIR (${own.place}) cannot be set there: that file is found by way of the data folder.`,
      );
    }
    layers.push(layer);
  }
  const values = new Map<VariableName, RawValue>();
  for (const { name, info } of VARIABLES) {
    const value = firstValue(layers, info.alias === undefined ? [name] : [name, info.alias]);
    if (value !== undefined) values.set(name, value);
  }
  return { dataDir, values, faults };
}

function firstValue(layers: readonly Layer[], names: readonly string[]): RawValue | undefined {
  for (const layer of layers) {
    for (const name of names) {
      const found = layer.get(name);
      if (found !== undefined) {
        return {
          text: found.text.trim(),
          origin: { kind: layer.kind, place: found.place },
          base: layer.base,
        };
      }
    }
  }
  return undefined;
}

function dataDirOf(sources: ConfigSources, layers: readonly Layer[]): string {
  const value = firstValue(layers, ["AGENTS_DATA_DIR"]);
  if (value === undefined || value.text === "") return dataDirDefault(sources);
  return absolutePath(value.text, value.base, sources.homeDir);
}

function flagLayer({ flags, workingDir }: ConfigSources): Layer {
  return {
    kind: "flag",
    base: workingDir,
    get(name) {
      const found = flags[name];
      return found && { text: found.value, place: found.flag };
    },
  };
}

function environmentLayer({ environment, workingDir }: ConfigSources): Layer {
  return {
    kind: "environment",
    base: workingDir,
    get(name) {
      const text = environment[name];
      return text === undefined ? undefined : { text, place: name };
    },
  };
}

async function fileLayer(
  path: string,
  kind: "working_env_file" | "data_env_file",
  faults: string[],
): Promise<Layer> {
  const file = parseEnvFile(await readEnvFile(path));
  for (const { line, text } of file.malformed) {
    // The working folder's .env may belong to another program: only lines about us are our business.
    if (!/\bAGENTS_[A-Z]/.test(text) && !VARIABLES.some(({ name }) => text.includes(name)))
      continue;
    faults.push(
      `${path}:${line} cannot be read; expected NAME=value, with quotes that are closed.`,
    );
  }
  const values = new Map(file.entries.map((entry) => [entry.name, entry]));
  return {
    kind,
    base: dirname(path),
    get(name) {
      const entry = values.get(name);
      return entry && { text: entry.value, place: `${path}:${entry.line}` };
    },
  };
}

async function readEnvFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    // A folder named .env is a Python environment, not ours.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return "";
    throw fileError(error, `read ${path}`);
  }
}
