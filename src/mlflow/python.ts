/** The tools that can make a Python environment on this machine. */
import { installerEnvironment } from "./environment.ts";
import type { MlflowDeps } from "./find.ts";

/** The locked packages need it. */
const PYTHON_MINOR_MIN = 11;
const ASK_TIMEOUT_MS = 20_000;
const CANDIDATES: readonly (readonly string[])[] = [
  ["python3"],
  ["python"],
  ["python3.13"],
  ["python3.12"],
  ["python3.11"],
  ["py", "-3"],
];

export const PYTHON_VERSION_MIN = `3.${PYTHON_MINOR_MIN}`;

/** The first Python on the PATH that is new enough, as a command. */
export async function findPython(
  { which, run, env }: MlflowDeps,
  cwd: string,
): Promise<readonly string[] | undefined> {
  const question = `import sys; sys.exit(sys.version_info < (3, ${PYTHON_MINOR_MIN}))`;
  for (const [name = "", ...more] of CANDIDATES) {
    const path = which(name);
    if (path === undefined) continue;
    const command = [path, ...more];
    // The first that will do is taken; the others are not started.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await run([...command, "-c", question], {
      env: installerEnvironment(env),
      cwd,
      timeoutMs: ASK_TIMEOUT_MS,
    }).catch(() => undefined);
    if (answer?.code === 0) return command;
  }
  return undefined;
}
