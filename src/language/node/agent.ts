import type { AgentNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import { readHeaders, readUrl } from "../address.ts";
import { member, textOf } from "../raw.ts";
import { checkTemplate, type TextPlace } from "../text-check.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

const TARGETS = ["url", "name"] as const;

export function readAgentNode(part: NodePart, context: NodeContext): Own<AgentNode> {
  const { raw, path, locals } = part;
  const agent = member(raw, "agent");
  const place = { path: [...path, "agent"], locals };
  const protocol = member(agent, "protocol") === "run" ? "run" : "a2a";
  const prompt = textOf(member(raw, "prompt"));
  const promptPath = [...path, "prompt"];
  if (prompt !== undefined) checkTemplate(prompt, { path: promptPath, locals }, context);
  if (prompt === undefined && protocol === "a2a") {
    context.reporter.error(promptPath, {
      code: "missing-key",
      message: "The agent is asked nothing: the node has no `prompt`.",
      fix: "Add `prompt:`, the message for the agent.",
    });
  }
  if (prompt !== undefined && protocol === "run") {
    context.reporter.warning(promptPath, {
      code: "no-effect",
      message: "`prompt` has no effect with `protocol: run`, which sends the `inputs`.",
      fix: "Write it as one of `inputs`.",
      at: "key",
    });
  }
  return {
    kind: "agent",
    target: readTarget(agent, place, context),
    protocol,
    headers: readHeaders(agent, place, context),
    ...defined({ prompt }),
  };
}

/** Exactly one of the ways to say which agent. */
function readTarget(
  agent: Json | undefined,
  place: TextPlace,
  context: NodeContext,
): AgentNode["target"] {
  const stated = TARGETS.filter((key) => member(agent, key) !== undefined);
  if (stated.length !== 1) {
    const isNone = stated.length === 0;
    context.reporter.error(place.path, {
      code: isNone ? "missing-key" : "bad-value",
      message: isNone
        ? "`agent` does not say which one."
        : "`agent` has `url` and `name`: only one is possible.",
      fix: isNone
        ? "Add `url:`, its address, or `name:`, under which it is registered."
        : "Keep one of them.",
      at: "key",
    });
  }
  const name = textOf(member(agent, "name"));
  if (name === undefined) return { url: readUrl(agent, place, context) };
  checkTemplate(name, { ...place, path: [...place.path, "name"] }, context);
  return { name };
}
