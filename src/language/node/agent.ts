import type { AgentNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { readHeaders, readUrl } from "../address.ts";
import { member, textOf } from "../raw.ts";
import { checkTemplate } from "../text-check.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

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
    url: readUrl(agent, place, context),
    protocol,
    headers: readHeaders(agent, place, context),
    ...defined({ prompt }),
  };
}
