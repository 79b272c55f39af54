import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, writeFileAtomic } from "../lib/atomic-file.ts";
import { updateEnvText } from "../lib/env-file.ts";
import { envText } from "./env-text.ts";
import { fileError } from "./file-error.ts";
import type { VariableName } from "./schema.ts";
import { ENV_FILE } from "./source.ts";

/**
 * Sets variables in the data folder's `.env` (0600), which is made, with its comments, when it is not
 * there; other lines are kept. Seen whole or not at all. `undefined` unsets. @returns the file's path.
 * @throws AppError `permission_denied`, `read_only`, `disk_full`.
 */
export async function saveEnvFile(
  dataDir: string,
  changes: Readonly<Partial<Record<VariableName, string | undefined>>>,
): Promise<string> {
  const path = join(dataDir, ENV_FILE);
  try {
    const text = updateEnvText(await readOrTemplate(path), changes);
    await writeFileAtomic(await linkedFile(path), text);
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
  return path;
}

/** Where a symbolic link leads: replacing the link itself would leave its file behind, unchanged. */
async function linkedFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return path;
    throw error;
  }
}

async function readOrTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return envText();
    throw error;
  }
}
