import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** Path of the database inside. */
  readonly database: string;
}

/** A new folder that is removed at the end of the block. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "agents-store-"));
  return {
    path,
    database: join(path, "agents.db"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
