/** Workflow files and inputs, as the command line is given them. */
import { readFile, stat } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { fileError } from "../config/file-error.ts";
import { AppError } from "../domain/error.ts";
import { type StateField, type Workflow, WORKFLOW_SOURCE_BYTES_MAX } from "../domain/workflow.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import type { Terminal } from "./terminal.ts";

export interface WorkflowFile {
  /** As it was named. */
  readonly file: string;
  readonly source: string;
  readonly format: "yaml" | "json";
  /** Absolute; undefined for standard input. */
  readonly folder?: string;
}

/**
 * Reads a workflow file; `-` is standard input.
 * @throws AppError `not_found`, `permission_denied`, `invalid` (a folder), `too_large`.
 */
export async function readWorkflowFile(
  file: string,
  terminal: Pick<Terminal, "input">,
): Promise<WorkflowFile> {
  if (file === "-") {
    const source = decodeText(await readBytes(terminal.input), "The standard input");
    return { file: "(standard input)", source, format: /^\s*\{/.test(source) ? "json" : "yaml" };
  }
  const source = await readText(file);
  const format = extname(file).toLowerCase() === ".json" ? "json" : "yaml";
  return { file, source, format, folder: dirname(resolve(file)) };
}

async function readBytes(input: Terminal["input"]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** @throws AppError `invalid` for another encoding: letters would silently become others. */
function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("invalid", `${what} is not text in UTF-8.`, {
      fix: "Save it with the encoding UTF-8.",
      cause,
    });
  }
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > WORKFLOW_SOURCE_BYTES_MAX) {
      throw new AppError(
        "too_large",
        `${file} is larger than ${WORKFLOW_SOURCE_BYTES_MAX} bytes.`,
        {
          fix: "Name a smaller file.",
        },
      );
    }
    return decodeText(await readFile(file), file);
  } catch (error) {
    throw fileError(error, `read ${file}`);
  }
}

/**
 * Inputs from `--input-file` and `--input name=value`, the latter winning; read as the types that the
 * workflow states, not yet checked.
 * @throws AppError `usage` for a pair that is none; `not_found`, `invalid` for the file.
 */
export async function gatherInputs(
  given: { readonly pairs: readonly string[]; readonly file: string | undefined },
  fields: readonly StateField[],
): Promise<Record<string, Json>> {
  const { parseInputText } = await import("../language/input.ts");
  const inputs = given.file === undefined ? {} : await readInputFile(given.file);
  for (const pair of given.pairs) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, equals)).trim();
    if (name === "") {
      throw new AppError(
        "usage",
        `--input ${JSON.stringify(pair)} is not of the form name=value.`,
        {
          fix: "Write --input name=value.",
        },
      );
    }
    const text = pair.slice(equals + 1);
    const field = fields.find((candidate) => candidate.name === name);
    inputs[name] = field === undefined ? text : parseInputText(field, text);
  }
  return inputs;
}

/** @throws AppError `invalid` that names every input that is missing, unknown or unfit. */
export async function checkInputs(
  workflow: Workflow,
  inputs: Readonly<Record<string, Json>>,
): Promise<void> {
  const { readInputs } = await import("../language/input.ts");
  const { problems } = readInputs(workflow, inputs);
  if (problems.length === 0) return;
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) {
    throw new AppError("invalid", first.message, { fix: first.fix });
  }
  const list = problems.map(({ message, fix }) => `\n  ${message} ${fix}`).join("");
  throw new AppError("invalid", `${problems.length} inputs are not right:${list}`, {
    fix: "Give inputs as --input name=value.",
  });
}

async function readInputFile(file: string): Promise<Record<string, Json>> {
  const text = await readText(file);
  let value: unknown;
  try {
    value = extname(file).toLowerCase() === ".json" ? JSON.parse(text) : Bun.YAML.parse(text);
  } catch (error) {
    throw new AppError("invalid", `${file} cannot be read as inputs.`, {
      fix: "Correct the JSON or YAML in it.",
      cause: error,
    });
  }
  if (isJsonObject(value)) return { ...value };
  throw new AppError("invalid", `${file} does not hold inputs.`, {
    fix: "Write the inputs as name: value.",
  });
}
