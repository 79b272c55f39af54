/** Where a registered agent is just now. */
import { AppError } from "../../domain/error.ts";
import { isAlive, isByHand } from "../../domain/registered-agent.ts";
import type { StepContext } from "./executor.ts";
import type { VariableTexts } from "./variable-text.ts";

/**
 * Its address, looked up each time: an agent that starts anew may be elsewhere.
 * @throws AppError `not_found`; `unavailable` for one that is dead, since it may come back; `forbidden` when variables
 * would go to an agent that has named itself.
 */
export async function locateAgent(
  name: string,
  headers: VariableTexts,
  { clock, registeredAgent }: Pick<StepContext, "clock" | "registeredAgent">,
): Promise<string> {
  const agent = await registeredAgent(name);
  if (agent === undefined) {
    throw new AppError("not_found", `No agent named \`${name}\` is registered.`, {
      fix: "Start it so that it registers, or register it on the page Agents; its id or its name counts.",
    });
  }
  const now = clock.now();
  // One by hand need not send heartbeats: whether it is there shows when it is asked.
  if (!isByHand(agent) && !isAlive(agent, now)) {
    const seconds = Math.round((now - agent.heartbeatAt) / 1_000);
    throw new AppError(
      "unavailable",
      `The agent \`${name}\` at ${agent.url} is dead: its last heartbeat was ${seconds} s ago.`,
      { fix: "Start it again, then retry the step." },
    );
  }
  // Whoever may register could take this name, and would be sent the key.
  if (!isByHand(agent) && hasVariables(headers)) {
    throw new AppError(
      "forbidden",
      `The agent \`${name}\` has registered itself, so variables are not sent to it.`,
      { fix: "Register it by hand on the page Agents, or give its `url` in the workflow." },
    );
  }
  return agent.url;
}

function hasVariables(headers: VariableTexts): boolean {
  return Object.values(headers).some((text) => typeof text !== "string");
}
