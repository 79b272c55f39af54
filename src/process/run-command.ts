import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import { createRing } from "../lib/ring.ts";
import { startChild, stopChild } from "./child.ts";
import type { OutputStream } from "../domain/program.ts";

/** Lines of each stream that are kept for the result. */
export const COMMAND_LINES_MAX = 200;

export interface CommandOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onLine?: (stream: OutputStream, line: string) => void;
}

export interface CommandResult {
  /** 128 + n is not invented here: null when a signal ended it. */
  readonly code: number | null;
  /** The last COMMAND_LINES_MAX lines. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end, in a group of its own that is gone afterwards.
 * @throws AppError `not_found` when it cannot be started, `timeout`, `cancelled` when `signal` aborts.
 */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions,
  clock: Clock,
): Promise<CommandResult> {
  const { signal, timeoutMs } = options;
  const isCancelled = () => signal?.aborted === true;
  if (isCancelled()) throw cancelled(argv);
  const lines = {
    stdout: createRing<string>(COMMAND_LINES_MAX),
    stderr: createRing<string>(COMMAND_LINES_MAX),
  };
  const onLine = (stream: OutputStream, line: string) => {
    lines[stream].push(line);
    options.onLine?.(stream, line);
  };
  const child = start(argv, { ...options, onLine }, clock);
  const over = new AbortController();
  const limits = signal === undefined ? [over.signal] : [over.signal, signal];
  let timedOut = false;
  const limit = async () => {
    await clock.sleep(timeoutMs, AbortSignal.any(limits));
    if (over.signal.aborted) return;
    timedOut = !isCancelled();
    await stopChild(child, clock);
  };
  const limited = limit();
  const { code } = await child.closed;
  over.abort();
  await limited;
  if (timedOut) {
    throw new AppError("timeout", `${argv[0]} did not end within ${timeoutMs / 1000} s.`, {
      fix: "Try again when the machine or the network is less busy.",
    });
  }
  if (isCancelled()) throw cancelled(argv);
  return {
    code,
    stdout: lines.stdout.values().join("\n"),
    stderr: lines.stderr.values().join("\n"),
  };
}

function start(
  argv: readonly string[],
  options: Omit<CommandOptions, "onLine"> & Required<Pick<CommandOptions, "onLine">>,
  clock: Clock,
) {
  const { env, cwd, onLine } = options;
  try {
    return startChild({ command: argv, env, cwd, onLine }, clock);
  } catch (cause) {
    throw new AppError("not_found", `The command ${argv[0]} cannot be started.`, {
      fix: "Check that it is installed and on the PATH.",
      cause,
    });
  }
}

function cancelled(argv: readonly string[]): AppError {
  return new AppError("cancelled", `${argv[0]} was cancelled.`);
}

/** The full path of a command on the PATH, or of a path to an executable file. */
export function which(name: string): string | undefined {
  return Bun.which(name) ?? undefined;
}

/** Shows a page in the user's browser, where there is one. Never fails and never waits. */
export function openBrowser(url: string): void {
  const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
    darwin: ["open"],
    win32: ["rundll32", "url.dll,FileProtocolHandler"],
  };
  try {
    Bun.spawn([...(openers[process.platform] ?? ["xdg-open"]), url], {
      stdio: ["ignore", "ignore", "ignore"],
      // The browser is the user's, not ours: it stays when we go.
      detached: true,
    }).unref();
  } catch {
    // A machine without a browser: the address is printed anyway.
  }
}
