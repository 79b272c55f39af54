import { stopPosix } from "./stop-posix.ts";
import { stopWindows } from "./stop-windows.ts";

/** How processes are ended on one platform. None of these fails when the process is gone already. */
export interface Stopper {
  /** Asks one process to end. @returns false where the platform has no such request. */
  ask(pid: number): boolean;
  /** Ends one process at once. */
  kill(pid: number): void;
  /** Asks a whole group to end, by the id of its leader. @returns as `ask`. */
  askGroup(leaderPid: number): boolean;
  /** Ends a whole group at once, by the id of its leader, who may be gone already. */
  killGroup(leaderPid: number): void;
  /** Ends what a leader that has ended left of its group. */
  sweepGroup(leaderPid: number): void;
  /** Whether the process leads a group. */
  leadsGroup(pid: number): boolean;
}

export const stopper: Stopper = process.platform === "win32" ? stopWindows : stopPosix;
