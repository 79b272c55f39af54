import { lstat } from "node:fs/promises";
import { errorCode } from "./atomic-file.ts";

/** Whether something has this name, a link that leads nowhere included. @throws errors other than "not there". */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
