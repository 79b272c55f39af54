import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file that has no name: it can be handed to a program as a descriptor, and goes when all have closed it. */
export interface UnnamedFile {
  readonly descriptor: number;
  /** Its text. @returns undefined when it is longer than `bytesMax`. */
  read(bytesMax: number): string | undefined;
  close(): void;
}

/** @throws Error of the file system, as ENOSPC. */
export function openUnnamedFile(content: string | Uint8Array = ""): UnnamedFile {
  const path = join(tmpdir(), `agents-${crypto.randomUUID()}`);
  const descriptor = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    // At a position, so that whoever gets the descriptor reads from the beginning.
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    let position = 0;
    while (position < bytes.length) {
      position += writeSync(descriptor, bytes, position, bytes.length - position, position);
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return {
    descriptor,
    read(bytesMax) {
      const { size } = fstatSync(descriptor);
      if (size > bytesMax) return undefined;
      const bytes = new Uint8Array(size);
      let position = 0;
      while (position < size) {
        const count = readSync(descriptor, bytes, position, size - position, position);
        if (count === 0) break;
        position += count;
      }
      return new TextDecoder().decode(bytes.subarray(0, position));
    },
    close: () => closeSync(descriptor),
  };
}
