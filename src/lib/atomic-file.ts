/** Files that are seen whole or not at all, also when two processes write or the machine stops. */
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Replaces the file by way of a temporary one in the same folder. The folder is created. */
export async function writeFileAtomic(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = await writeTemporary(path, text, mode);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Creates the file unless it exists, and returns what it then holds: of several processes that do
 * this at once, all get the text of the first.
 */
export async function createFileOnce(path: string, text: string, mode = 0o600): Promise<string> {
  const temporary = await writeTemporary(path, text, mode);
  try {
    await link(temporary, path);
    return text;
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && NO_HARD_LINKS.has(code))
      return await createExclusively(path, text, mode);
    if (code !== "EEXIST") throw error;
    return await readFile(path, "utf8");
  } finally {
    await rm(temporary, { force: true });
  }
}

/** For file systems without hard links: whole for this process, and first come, first served. */
async function createExclusively(path: string, text: string, mode: number): Promise<string> {
  try {
    const file = await open(path, "wx", mode);
    await file.writeFile(text);
    await file.close();
    return text;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return await readFile(path, "utf8");
  }
}

async function writeTemporary(path: string, text: string, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** The system's name of a failure (`ENOENT`), when the error carries one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
