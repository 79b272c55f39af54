/** Runs a shell command in the sandbox. */
import * as z from "zod";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import { runSandboxed, sandboxedConfig, sandboxSpec, timeoutArgument } from "./sandboxed.ts";
import type { SandboxedDeps } from "./sandboxed.ts";

const COMMAND_CHARS_MAX = 100_000;

/** The tool `shell`. */
export function createShell(deps: SandboxedDeps): Tool {
  return defineTool({
    name: "shell",
    description:
      "Runs a command in a POSIX shell and returns its exit code and output. It sees only the workspace, which it starts in, and the programs of the machine.",
    input: z.object({
      command: z
        .string()
        .min(1)
        .max(COMMAND_CHARS_MAX)
        .describe("The command line, as for /bin/sh."),
      timeout: timeoutArgument,
    }),
    config: sandboxedConfig,
    check: (config) => deps.sandbox.check(sandboxSpec(config)),
    run: ({ command, timeout }, { config, ...call }) =>
      runSandboxed(deps, ["/bin/sh", "-c", command], {
        ...call,
        spec: sandboxSpec(config, timeout),
      }),
  });
}
