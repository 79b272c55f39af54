import { homedir } from "node:os";
import type { ConfigSources } from "./source.ts";

/** What must be known before the settings can be read. */
export type Surrounding = "AGENTS_VERBOSE" | "CI" | "FORCE_COLOR" | "NO_COLOR" | "TERM";

/** The variable's value; undefined when it is not set, or empty. */
export function environmentFlag(name: Surrounding): string | undefined {
  return process.env[name] || undefined;
}

/** The environment that child processes inherit. */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** The sources of this process: flags, and the environment with its folders. */
export function processSources(flags: ConfigSources["flags"]): ConfigSources {
  return {
    flags,
    environment: process.env,
    workingDir: process.cwd(),
    homeDir: homedir(),
    os: process.platform,
  };
}
