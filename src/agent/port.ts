/** Agents elsewhere, through the product's own guarded HTTP. */
import type { AgentAddress, AgentPort } from "../domain/agent.ts";
import { AppError } from "../domain/error.ts";
import { withTimeLimit } from "../lib/time-limit.ts";
import { createA2a } from "./a2a.ts";
import type { AgentDeps, AgentProtocol } from "./protocol.ts";
import { createRun } from "./run.ts";

/** How long a task that nobody wants any more is tried to be ended. */
const CANCEL_MS_MAX = 3_000;

export function createAgentPort(deps: AgentDeps): AgentPort {
  const protocols: Readonly<Record<AgentAddress["protocol"], AgentProtocol>> = {
    a2a: createA2a(deps),
    run: createRun(deps),
  };
  return {
    send: (address, message, signal) => protocols[address.protocol].send(address, message, signal),
    follow: (address, task, options) => protocols[address.protocol].follow(address, task, options),
    cancel: async (address, task) => {
      const limit = {
        signal: new AbortController().signal,
        clock: deps.clock,
        ms: CANCEL_MS_MAX,
        reason: () => new AppError("timeout", "The agent did not say that it has stopped."),
      };
      const cancel = (signal: AbortSignal) =>
        protocols[address.protocol].cancel(address, task, signal);
      try {
        await withTimeLimit(limit, cancel);
      } catch {
        // The task is left to the agent: the step has ended whether it hears of that or not.
      }
    },
  };
}
