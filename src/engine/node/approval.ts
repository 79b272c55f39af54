/** A node that asks a person, and waits without a worker. */
import { AppError } from "../../domain/error.ts";
import type { ApprovalNode } from "../../domain/workflow.ts";
import { assert } from "../../lib/assert.ts";
import type { JsonObject } from "../../lib/json.ts";
import { renderTemplate } from "../../language/template.ts";
import type { NodeExecutor, WaitAnswer } from "./executor.ts";
import { toPatch } from "./result.ts";

type ApprovalInput = { readonly message: string };

export const approvalNode: NodeExecutor<ApprovalNode, ApprovalInput> = {
  render: (node, scope) => ({ message: renderTemplate(node.message, scope) }),
  execute: async ({ waitMs }, { message }, { startedAt }) => ({
    wait: {
      for: "approval",
      message,
      untilMs: waitMs === undefined ? null : startedAt + waitMs,
    },
  }),
  resume: async (node, _input, { answer }) => {
    const decision = read(node, answer);
    if (!decision.approved && node.onReject === "fail") throw rejected(node, decision);
    return { patch: toPatch(node, toResult(node, { ...decision }), "The decision") };
  },
};

type DecisionOutput = { readonly approved: boolean; readonly comment: string; readonly by: string };

function read(node: ApprovalNode, answer: WaitAnswer): DecisionOutput {
  if (answer.for === "approval") {
    const { approved, comment } = answer.decision;
    return { approved, comment: comment ?? "", by: answer.by ?? "" };
  }
  assert(answer.for === "expired", `an approval was answered with ${answer.for}`);
  if (node.onTimeout === "fail") {
    throw new AppError("timeout", "Nobody decided in time.", {
      fix: `Decide earlier, or raise the \`timeout\` of the approval in node \`${node.id}\`.`,
    });
  }
  return { approved: node.onTimeout === "approve", comment: "", by: "" };
}

/** The outputs by their names; a single bool of another name is the decision. */
function toResult({ outputs }: ApprovalNode, decision: DecisionOutput & JsonObject): JsonObject {
  const [only, second] = outputs;
  if (second !== undefined || only === undefined || Object.hasOwn(decision, only.name))
    return decision;
  return { [only.name]: decision.approved };
}

function rejected(node: ApprovalNode, { by, comment }: DecisionOutput): AppError {
  const who = by === "" ? "" : ` by ${by}`;
  const why = comment === "" ? "." : `: ${comment}`;
  return new AppError("approval_rejected", `It was rejected${who}${why}`, {
    fix: `Change what was asked for and start again, or give node \`${node.id}\` \`on_reject: continue\`.`,
  });
}
