/**
 * `agents guard -- COMMAND…`: ties a foreign process tree to this product's life. The guard reads a
 * pipe that its parent holds open; when the pipe closes, because the parent stopped, crashed or was
 * killed with SIGKILL, the guard ends the whole group of what it started.
 *
 * A guard that leads a process group (the supervisor starts it so) starts its target in the same
 * group: killing that group ends both, with no moment in which the target is unknown to the
 * supervisor. Any other guard gives its target a group of its own. When the guard alone is killed, the
 * supervisor kills the group, and the target's stdin, held by the guard, closes.
 */
import { constants } from "node:os";
import { AppError } from "../domain/error.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { listProcesses } from "./process-table.ts";
import { stopper } from "./stop.ts";

/** Shorter than the supervisor's own grace, so that the guard ends before it is killed. */
const GUARD_GRACE_MS = STOP_GRACE_MS - 1_000;
const SIGNAL_EXIT_BASE = 128;

/**
 * @param argv The command, with or without `--` before it.
 * @returns the target's exit code, 128 + n when signal n ended it.
 * @throws AppError `usage` without a command, `not_found` when it cannot be started.
 */
export async function runGuard(argv: readonly string[], clock: Clock): Promise<number> {
  const command = argv[0] === "--" ? argv.slice(1) : argv;
  const leads = stopper.leadsGroup(process.pid);
  const askedToStop = Promise.withResolvers<"stop">();
  const onStop = () => askedToStop.resolve("stop");
  process.on("SIGTERM", onStop);
  process.on("SIGINT", onStop);
  const target = startTarget(command, { detached: !leads && process.platform !== "win32" });
  const groupPid = leads ? process.pid : target.pid;
  watchParent(onStop);

  const reason = await Promise.race([target.exited, askedToStop.promise]);
  if (reason === "stop") {
    if (!stopper.askGroup(groupPid)) void target.stdin.end();
    const ended = new AbortController();
    await Promise.race([target.exited, clock.sleep(GUARD_GRACE_MS, ended.signal)]);
    ended.abort();
  }
  if (leads) await killOthers(groupPid);
  else stopper.killGroup(groupPid);
  await target.exited;
  return exitCodeOf(target);
}

function startTarget(command: readonly string[], { detached }: { detached: boolean }) {
  if (command.length === 0) {
    throw new AppError("usage", "`agents guard` needs a command to run.", {
      fix: "Write the command after `--`: agents guard -- COMMAND ARGUMENTS…",
    });
  }
  try {
    return Bun.spawn([...command], {
      stdin: "pipe",
      stdout: "inherit",
      stderr: "inherit",
      detached,
      windowsHide: true,
    });
  } catch (cause) {
    throw new AppError("not_found", `The command ${command[0]} cannot be started.`, {
      fix: "Check that the file exists and may be executed.",
      cause,
    });
  }
}

/**
 * Kills all of our own group but ourselves, until none is left: one may have started another while it
 * was being looked for. Not left to the supervisor, which may have been killed at the same moment.
 */
async function killOthers(groupPid: number): Promise<void> {
  for (;;) {
    // Each look depends on what the one before did.
    // oxlint-disable-next-line no-await-in-loop
    const rows = await listProcesses();
    const others = rows.filter((row) => row.groupPid === groupPid && row.pid !== process.pid);
    if (others.length === 0) return;
    for (const other of others) stopper.kill(other.pid);
  }
}

function exitCodeOf(target: Bun.Subprocess): number {
  const { signalCode } = target;
  if (signalCode === null) return target.exitCode ?? 1;
  const number = typeof signalCode === "number" ? signalCode : constants.signals[signalCode];
  return SIGNAL_EXIT_BASE + number;
}

/**
 * Calls `onGone` once when our standard input ends: for a child of the supervisor, that is when the
 * supervisor is gone. To be used only by processes that were started with such a pipe.
 */
export function watchParent(onGone: () => void): void {
  const watch = async () => {
    try {
      for await (const _ of Bun.stdin.stream()) {
        // The supervisor never writes; what anyone else writes means nothing.
      }
    } catch {
      // A broken pipe is as good as a closed one.
    }
    onGone();
  };
  void watch();
}
