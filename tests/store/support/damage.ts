import { Database } from "bun:sqlite";
import { openStore } from "../../../src/store/store.ts";
import { createManualClock } from "./manual-clock.ts";

/** Makes a database with a setting `kept` = `yes`, and closes it. */
export async function makeDatabase(path: string): Promise<void> {
  const store = await openStore({ path, clock: createManualClock() });
  await store.system.setSetting("kept", "yes");
  await store.close();
}

/** Another program that holds the file for itself alone until it is disposed of. */
export function holdExclusively(path: string): Disposable {
  const client = new Database(path);
  client.run("PRAGMA locking_mode = EXCLUSIVE");
  client.run("BEGIN EXCLUSIVE");
  return {
    [Symbol.dispose]() {
      client.run("ROLLBACK");
      client.close(true);
    },
  };
}

/** Overwrites all but the beginning with bytes that mean nothing. */
export async function scribble(path: string, keepBytes: number): Promise<void> {
  const bytes = await Bun.file(path).bytes();
  for (let index = keepBytes; index < bytes.length; index += 1) bytes[index] = (index * 37) % 251;
  await Bun.write(path, bytes);
}
