import { resolve } from "node:path";

/** Where Bun keeps the files of a compiled program: `/$bunfs/root/…`, `B:\~BUN\root\…`. */
const EMBEDDED = /^(?:\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/;

/** The command that starts this program again: the executable alone, or Bun with the main file. */
export function selfCommand(): readonly string[] {
  return EMBEDDED.test(Bun.main)
    ? [process.execPath]
    : [process.execPath, "--no-env-file", resolve(Bun.main)];
}
