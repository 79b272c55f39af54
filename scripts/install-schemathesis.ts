/**
 * Installs Schemathesis, the fuzzer of the HTTP API, below a folder: `bun scripts/install-schemathesis.ts FOLDER`.
 * Does nothing when it is there already. Where the packages come from is the user's configuration of uv and pip.
 */
import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

const LOCK = resolve(import.meta.dir, "schemathesis.lock.txt");
const WINDOWS = process.platform === "win32";

/** The program below a folder in which it is installed. */
export function schemathesisIn(folder: string): string {
  return WINDOWS
    ? join(folder, "Scripts", "schemathesis.exe")
    : join(folder, "bin", "schemathesis");
}

/** @returns the program; undefined when it cannot be had here, with the reason on standard error. */
export async function installSchemathesis(folder: string): Promise<string | undefined> {
  const program = schemathesisIn(folder);
  const mark = Bun.file(join(folder, "installed.lock.txt"));
  const lock = await Bun.file(LOCK).text();
  if ((await mark.exists()) && (await mark.text()) === lock && runs(program)) return program;
  const python = ["python3", "python"].map((name) => Bun.which(name)).find((path) => path !== null);
  const uv = Bun.which("uv");
  if (uv === null && (python === undefined || python === null)) {
    console.warn("Neither uv nor Python is here.");
    return undefined;
  }
  // A virtual environment names its folder in its programs, so it is made in its place; only the old one is moved.
  const old = await mkdtemp(join(dirname(folder), `${basename(folder)}-old-`));
  await rename(folder, join(old, "old")).catch(() => undefined);
  await rm(old, { recursive: true, force: true });
  const bin = dirname(program);
  const steps =
    uv !== null
      ? [
          [uv, "venv", "--quiet", folder],
          [
            uv,
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--python",
            join(bin, "python"),
            "-r",
            LOCK,
          ],
        ]
      : [
          [python ?? "", "-m", "venv", folder],
          [join(bin, "python"), "-m", "pip", "install", "--quiet", "--no-deps", "-r", LOCK],
        ];
  if (!steps.every(succeeds) || !runs(program)) return undefined;
  await Bun.write(mark, lock);
  return program;
}

function succeeds(argv: readonly string[]): boolean {
  return Bun.spawnSync([...argv], { stdio: ["ignore", "ignore", "inherit"] }).exitCode === 0;
}

function runs(program: string): boolean {
  try {
    return Bun.spawnSync([program, "--version"], { stderr: "ignore" }).exitCode === 0;
  } catch {
    // There is no such program.
    return false;
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("usage: bun scripts/install-schemathesis.ts FOLDER");
    process.exit(2);
  }
  const program = await installSchemathesis(resolve(folder));
  if (program === undefined) process.exit(1);
  console.log(program);
}
