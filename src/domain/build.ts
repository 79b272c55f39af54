/** Put in by build.ts; undefined when run from the sources. */
declare const AGENTS_VERSION: string | undefined;
declare const AGENTS_COMMIT: string | undefined;

export const BUILD = {
  version: typeof AGENTS_VERSION === "string" ? AGENTS_VERSION : "0.0.0-dev",
  commit: typeof AGENTS_COMMIT === "string" ? AGENTS_COMMIT : "unknown",
} as const;
