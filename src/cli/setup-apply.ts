import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError } from "../config/file-error.ts";
import { saveEnvFile } from "../config/save.ts";
import { createFileOnce } from "../lib/atomic-file.ts";
import { changesOf, type SetupAnswers } from "./setup-plan.ts";

/** Of examples; settings are for their owner alone. */
const FILE_MODE = 0o644;

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
  const outcomes = await Promise.allSettled(
    examples.map(async ({ file, source }) => await writeNew(join(workflowsDir, file), source)),
  );
  // Only when all have ended: a file under way would be left behind as a temporary one.
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const written = outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value);
  const envFile = await saveEnvFile(target.dataDir, changesOf({ ...answers, workflowsDir }));
  return { envFile, writtenCount: written.length };
}

/** @returns false when a file of that name is there: it may have been edited. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    if (await Bun.file(path).exists()) return false;
    // Whole or not at all: half of one would stay for ever, as if it had been edited.
    return (await createFileOnce(path, text, FILE_MODE)) === text;
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}
