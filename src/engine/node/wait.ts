/** A node that waits for a time or a signal, without a worker. */
import { AppError } from "../../domain/error.ts";
import { approvalSignal } from "../../domain/run.ts";
import type { WaitNode } from "../../domain/workflow.ts";
import { assert } from "../../lib/assert.ts";
import { parseTime } from "../../lib/parse-time.ts";
import { renderTemplate } from "../../language/template.ts";
import type { NodeExecutor } from "./executor.ts";
import { toPatch } from "./result.ts";

/** Rendered: what a duration counts from is the attempt's begin, which no crash changes. */
type WaitInput =
  | { readonly for: "duration"; readonly ms: number }
  | { readonly for: "time"; readonly at: string; readonly untilMs: number }
  | { readonly for: "signal"; readonly name: string };

export const waitNode: NodeExecutor<WaitNode, WaitInput> = {
  render: ({ id, wait }, scope) => {
    if (wait.for === "duration") return { for: "duration", ms: wait.ms };
    if (wait.for === "signal")
      return { for: "signal", name: readName(renderTemplate(wait.name, scope).trim(), id) };
    const at = renderTemplate(wait.at, scope).trim();
    return { for: "time", at, untilMs: readTime(at, id) };
  },
  execute: async ({ wait }, input, step) => {
    if (input.for === "signal") {
      const limitMs = wait.for === "signal" ? wait.limitMs : undefined;
      const untilMs = limitMs === undefined ? null : step.startedAt + limitMs;
      return { wait: { for: "signal", name: input.name, untilMs } };
    }
    const untilMs = input.for === "time" ? input.untilMs : step.startedAt + input.ms;
    if (untilMs <= step.startedAt) return { patch: {} };
    return { wait: { for: "timer", untilMs } };
  },
  resume: async (node, input, { answer }) => {
    if (answer.for === "signal" && input.for === "signal")
      return { patch: toPatch(node, answer.payload, `The payload of signal \`${input.name}\``) };
    if (answer.for === "expired" && input.for === "signal") return onTimeout(node, input.name);
    assert(answer.for === "timer", `a wait was answered with ${answer.for}`);
    return { patch: {} };
  },
};

function onTimeout({ id, wait }: WaitNode, name: string): { readonly patch: {} } {
  if (wait.for === "signal" && wait.onTimeout === "continue") return { patch: {} };
  throw new AppError("timeout", `The signal \`${name}\` did not come in time.`, {
    fix: `Send it earlier, or raise the \`timeout\` of the wait in node \`${id}\`.`,
  });
}

function readTime(text: string, id: string): number {
  const ms = parseTime(text);
  if (ms !== undefined) return ms;
  throw new AppError("invalid", `\`${text}\` is not a time.`, {
    fix: `Give node \`${id}\` an ISO 8601 time, such as 2026-01-31T09:00:00Z.`,
  });
}

function readName(name: string, id: string): string {
  if (name !== "" && !name.startsWith(approvalSignal(""))) return name;
  const message =
    name === "" ? "The signal has no name." : `The signal name \`${name}\` is reserved.`;
  throw new AppError("invalid", message, {
    fix: `Give the signal of node \`${id}\` another name.`,
  });
}
