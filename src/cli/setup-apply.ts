import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError } from "../config/file-error.ts";
import { saveEnvFile } from "../config/save.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { changesOf, type SetupAnswers } from "./setup-plan.ts";

export interface Example {
  readonly file: string;
  readonly source: string;
}

/**
 * Makes the workflow folder, puts the examples into it (files that are there stay), and writes the
 * settings last, in one step: an interruption leaves the old settings or the new ones.
 * @returns the settings file and how many examples were written.
 */
export async function applySetup(
  answers: SetupAnswers,
  target: { readonly dataDir: string; readonly examples: readonly Example[] },
): Promise<{ envFile: string; writtenCount: number }> {
  const workflowsDir = resolve(answers.workflowsDir);
  try {
    await mkdir(target.dataDir, { recursive: true, mode: 0o700 });
    await mkdir(workflowsDir, { recursive: true });
  } catch (error) {
    throw fileError(error, `make the folder ${workflowsDir}`);
  }
  const examples = answers.examples ? target.examples : [];
  const written = await Promise.all(
    examples.map(async ({ file, source }) => await writeNew(join(workflowsDir, file), source)),
  );
  const envFile = await saveEnvFile(target.dataDir, changesOf({ ...answers, workflowsDir }));
  return { envFile, writtenCount: written.filter(Boolean).length };
}

/** @returns false when a file of that name is there: it may have been edited. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw fileError(error, `write ${path}`);
  }
}
