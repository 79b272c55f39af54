import { hostname } from "node:os";

/** The name of this process, and what can be told of others by theirs. */
export interface ProcessIdentity {
  /** Another one for each process, also for one that gets the id of one that has ended. */
  readonly name: string;
  /** True when the process of that name has ended for sure; of another machine or container nothing is known. */
  hasEnded(name: string): boolean;
}

export function createProcessIdentity(host = hostname()): ProcessIdentity {
  const { pid } = process;
  const name = `${host}/${pid}/${crypto.randomUUID()}`;
  return {
    name,
    hasEnded(other) {
      const [, otherHost, otherPid = ""] = /^(.*)\/(\d{1,10})\/[^/]+$/.exec(other) ?? [];
      if (other === name || otherHost !== host) return false;
      return Number(otherPid) === pid || !isThere(Number(otherPid));
    },
  };
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One that may not be signalled is there.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
