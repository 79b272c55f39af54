/** What this machine lets a test do; what it does not is skipped, and said so. */
import { mkdir, rm } from "node:fs/promises";
import { temporaryFolder } from "./folder.ts";

const isRoot = process.getuid?.() === 0;

function run(...command: string[]): boolean {
  const { exitCode } = Bun.spawnSync(command, { stdio: ["ignore", "ignore", "ignore"] });
  return exitCode === 0;
}

async function tryMount(): Promise<boolean> {
  if (process.platform !== "linux" || !isRoot) return false;
  await using folder = await temporaryFolder();
  if (!run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path)) return false;
  return run("umount", folder.path);
}

/** True when a file system of its own can be mounted for a test. */
export const canMount = await tryMount();
if (!canMount)
  console.warn("SKIPPED: tests on a full or read-only disk (they need root on Linux).");

/** The command before a program that makes it run without root's rights; undefined when impossible. */
export const unprivileged: readonly string[] | undefined = !isRoot
  ? []
  : run("setpriv", "--reuid=65534", "--clear-groups", process.execPath, "--version")
    ? ["setpriv", "--reuid=65534", "--clear-groups"]
    : undefined;
if (unprivileged === undefined) console.warn("SKIPPED: tests without permission (no setpriv).");

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Mounts it anew with this mode. */
  remount(mode: "ro" | "rw"): void;
}

/** A file system of its own in a new folder. */
export async function smallDisk(size: string): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  const path = `${folder.path}/disk`;
  await mkdir(path);
  if (!run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path)) throw new Error("mount");
  return {
    path,
    remount(mode) {
      if (!run("mount", "-o", `remount,${mode}`, path)) throw new Error(`remount ${mode}`);
    },
    async [Symbol.asyncDispose]() {
      run("umount", "-l", path);
      await rm(folder.path, { recursive: true, force: true });
    },
  };
}
