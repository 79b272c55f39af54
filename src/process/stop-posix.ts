import type { Stopper } from "./stop.ts";

/** POSIX: signals. A child that was spawned `detached` leads a process group of its own. */
export const stopPosix: Stopper = {
  ask: (pid) => signal(pid, "SIGTERM"),
  kill(pid) {
    signal(pid, "SIGKILL");
  },
  askGroup: (leaderPid) => signal(-leaderPid, "SIGTERM"),
  killGroup(leaderPid) {
    signal(-leaderPid, "SIGKILL");
  },
  sweepGroup(leaderPid) {
    signal(-leaderPid, "SIGKILL");
  },
  leadsGroup(pid) {
    try {
      process.kill(-pid, 0);
      return true;
    } catch {
      // There is no group with this id.
      return false;
    }
  },
};

function signal(target: number, name: NodeJS.Signals): true {
  try {
    process.kill(target, name);
  } catch {
    // Gone already (ESRCH), or only zombies are left of the group (EPERM on macOS).
  }
  return true;
}
