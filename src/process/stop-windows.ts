import type { Stopper } from "./stop.ts";

/**
 * Windows has neither SIGTERM nor process groups. A child is asked to end by closing its stdin, which
 * the caller does when `ask` answers false; a tree is ended by taskkill.
 */
export const stopWindows: Stopper = {
  ask: () => false,
  askGroup: () => false,
  kill: taskkill,
  killGroup: taskkill,
  // The tree of a process that has ended cannot be found any more.
  sweepGroup: () => {},
  leadsGroup: () => false,
};

function taskkill(pid: number): void {
  Bun.spawnSync(["taskkill", "/PID", String(pid), "/T", "/F"], {
    stdout: "ignore",
    stderr: "ignore",
    windowsHide: true,
  });
}
