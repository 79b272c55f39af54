/**
 * Where a run is in its graph: the tokens that wait before nodes, and the executions that go on. Tokens
 * are put by the ends of executions and consumed by beginnings; both happen in the order of the run's
 * log, so the same log always leads to the same marks.
 */
import { END, type Workflow } from "../domain/workflow.ts";
import { reachersOf } from "../language/flow.ts";

interface Token {
  /** The node, or START, whose end put it. */
  readonly from: string;
  /** Of the execution that put it. */
  readonly round: number;
}

export interface FlowMarks {
  /** Nodes with tokens that nothing has consumed, in the order in which the first of them came. */
  readonly open: ReadonlyMap<string, readonly Token[]>;
  /** Executions that have begun and not ended. */
  readonly liveCount: number;
  put(from: string, next: readonly string[], round: number): void;
  /** Consumes all tokens before the node. @returns the round of the loop on itself that this execution is. */
  begin(nodeId: string): number;
  end(nodeId: string): void;
  /** True while something that is under way may still bring another token to the node in this round. */
  isBlocked(nodeId: string): boolean;
}

export function createFlowMarks(workflow: Workflow): FlowMarks {
  const open = new Map<string, Token[]>();
  const live = new Map<string, number>();
  let liveCount = 0;
  return {
    open,
    get liveCount() {
      return liveCount;
    },
    put: (from, next, round) => {
      for (const nodeId of next) {
        if (nodeId === END) continue;
        const token = { from, round };
        const tokens = open.get(nodeId);
        if (tokens === undefined) open.set(nodeId, [token]);
        else tokens.push(token);
      }
    },
    begin: (nodeId) => {
      const tokens = open.get(nodeId) ?? [];
      open.delete(nodeId);
      live.set(nodeId, (live.get(nodeId) ?? 0) + 1);
      liveCount += 1;
      return roundOf(nodeId, tokens);
    },
    end: (nodeId) => {
      const count = live.get(nodeId) ?? 0;
      if (count > 1) live.set(nodeId, count - 1);
      else live.delete(nodeId);
      liveCount -= 1;
    },
    isBlocked: (nodeId) => {
      if (live.size === 0 && open.size === 1) return false;
      const reachers = reachersOf(workflow, nodeId);
      for (const id of live.keys()) if (reachers.has(id)) return true;
      for (const id of open.keys()) if (id !== nodeId && reachers.has(id)) return true;
      return false;
    },
  };
}

/** Any token from elsewhere enters the loop anew. */
function roundOf(nodeId: string, tokens: readonly Token[]): number {
  let round = 0;
  for (const token of tokens) {
    if (token.from !== nodeId) return 1;
    round = Math.max(round, token.round);
  }
  return round + 1;
}
