/** What the tools that run programs share: their settings in a workflow file, and how they answer. */
import * as z from "zod";
import { AppError, type ErrorCode } from "../domain/error.ts";
import type { SandboxPort } from "../domain/sandbox.ts";
import type { ToolContext } from "../domain/tool.ts";
import { TOOL_TIMEOUT_MS } from "../domain/tool.ts";
import type { SandboxSpec } from "../domain/workflow.ts";
import { parseByteSize } from "../lib/byte-size.ts";
import type { JsonObject } from "../lib/json.ts";

const MIBIBYTE = 1024 * 1024;
const MEMORY_BYTES_DEFAULT = 512 * MIBIBYTE;
const MEMORY_BYTES_MIN = 32 * MIBIBYTE;
const TIMEOUT_SECONDS_MAX = 3_600;
const MS_PER_SECOND = 1_000;
/** What the model did and can do otherwise. */
const FAILURES: ReadonlySet<ErrorCode> = new Set(["command_failed", "not_found"] as const);

export interface SandboxedDeps {
  readonly sandbox: SandboxPort;
}

/** `config` of a tool that runs programs. */
export const sandboxedConfig = z.strictObject({
  network: z.boolean().optional().describe("Whether programs may use the network. Default: no."),
  timeout: z
    .number()
    .positive()
    .max(TIMEOUT_SECONDS_MAX)
    .optional()
    .describe("The most seconds that one call may take."),
  memory: z
    .union([z.string(), z.number()])
    .transform((size) => parseByteSize(String(size)))
    .refine((bytes) => bytes !== undefined && bytes >= MEMORY_BYTES_MIN, {
      error: "a size of at least 32 MiB, such as 512m or 1g",
    })
    .optional()
    .describe("Memory for all that a call runs, such as 512m."),
});

/** How long a call may take, as an argument of the model: never longer than the workflow allows. */
export const timeoutArgument = z
  .number()
  .positive()
  .max(TIMEOUT_SECONDS_MAX)
  .optional()
  .describe("Seconds after which it is ended. Default: 30.");

/** How programs are confined by the config of a tool. */
export function sandboxSpec(
  config: z.output<typeof sandboxedConfig>,
  timeoutSeconds?: number,
): SandboxSpec {
  const mostMs = config.timeout === undefined ? TOOL_TIMEOUT_MS : config.timeout * MS_PER_SECOND;
  const askedMs = timeoutSeconds === undefined ? mostMs : timeoutSeconds * MS_PER_SECOND;
  return {
    mode: "auto",
    network: config.network ?? false,
    limits: {
      timeMs: Math.min(askedMs, mostMs),
      memoryBytes: config.memory ?? MEMORY_BYTES_DEFAULT,
      cpuCount: 1,
    },
  };
}

/**
 * Runs a command for a model. A command that fails is an answer too: its exit code says so.
 * @throws AppError `sandbox_unavailable`, `timeout`, `tool_failed`.
 */
export async function runSandboxed(
  { sandbox }: SandboxedDeps,
  command: readonly string[],
  call: Pick<ToolContext, "signal" | "onOutput" | "idempotencyKey"> & {
    readonly spec: SandboxSpec;
  },
): Promise<JsonObject> {
  const { signal, onOutput, idempotencyKey, spec } = call;
  const env = { AGENTS_IDEMPOTENCY_KEY: idempotencyKey };
  try {
    const done = await sandbox.run({ command, env, signal, onOutput }, spec);
    return {
      exit_code: done.exitCode,
      stdout: done.stdout,
      stderr: done.stderr,
      ...(done.cut ? { cut: true } : {}),
    };
  } catch (error) {
    if (!(error instanceof AppError) || !FAILURES.has(error.code)) throw error;
    throw new AppError("tool_failed", error.message, {
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      cause: error,
    });
  }
}
