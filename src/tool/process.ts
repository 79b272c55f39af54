/** Runs one program in the sandbox, without a shell. */
import * as z from "zod";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import { runSandboxed, sandboxedConfig, sandboxSpec, timeoutArgument } from "./sandboxed.ts";
import type { SandboxedDeps } from "./sandboxed.ts";

const ARGUMENT_CHARS_MAX = 100_000;
const ARGUMENT_COUNT_MAX = 1_000;

/** The tool `process`. */
export function createProcess(deps: SandboxedDeps): Tool {
  return defineTool({
    name: "process",
    description:
      "Runs one program with its arguments, without a shell, and returns its exit code and output. It sees only the workspace, which it starts in, and the programs of the machine.",
    input: z.object({
      command: z
        .string()
        .min(1)
        .max(ARGUMENT_CHARS_MAX)
        .describe('The program alone, such as "git": no arguments.'),
      args: z
        .array(z.string().max(ARGUMENT_CHARS_MAX))
        .max(ARGUMENT_COUNT_MAX)
        .optional()
        .describe("Its arguments, one entry each; nothing in them is expanded."),
      timeout: timeoutArgument,
    }),
    config: sandboxedConfig,
    check: (config) => deps.sandbox.check(sandboxSpec(config)),
    run: ({ command, args = [], timeout }, { config, ...call }) =>
      runSandboxed(deps, [command, ...args], { ...call, spec: sandboxSpec(config, timeout) }),
  });
}
