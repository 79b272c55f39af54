import type { WaitNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { isJsonObject } from "../../lib/json.ts";
import { parseTime } from "../../lib/parse-time.ts";
import { member, textOf } from "../raw.ts";
import { readDurationMs, readTimeoutMs } from "../settings.ts";
import { placeholders } from "../template.ts";
import { checkTemplate, type TextPlace } from "../text-check.ts";
import { checkOuterTimeout, type NodeContext, type NodePart, type Own } from "./part.ts";

const WAYS = ["seconds", "until", "signal"] as const;

export function readWaitNode(part: NodePart, context: NodeContext): Own<WaitNode> {
  checkWays(part, context);
  checkOuterTimeout(part, context.reporter);
  const wait = readWait(part, context);
  if (wait.for !== "signal" && part.outputs.length > 0) {
    context.reporter.error([...part.path, "outputs"], {
      code: "output-mismatch",
      message: "A wait for a time has no result.",
      fix: "Remove `outputs`.",
      at: "key",
    });
  }
  return { kind: "wait", wait };
}

function readWait(part: NodePart, context: NodeContext): WaitNode["wait"] {
  const raw = member(part.raw, "wait");
  const path = [...part.path, "wait"];
  const until = textOf(member(raw, "until"));
  const signal = textOf(member(raw, "signal"));
  if (until !== undefined) {
    checkTime(until, { path: [...path, "until"], locals: part.locals }, context);
    return { for: "time", at: until };
  }
  if (signal === undefined)
    return { for: "duration", ms: readDurationMs(member(raw, "seconds") ?? raw) ?? 0 };
  checkTemplate(signal, { path: [...path, "signal"], locals: part.locals }, context);
  return {
    for: "signal",
    name: signal,
    onTimeout: member(raw, "on_timeout") === "continue" ? "continue" : "fail",
    ...defined({ limitMs: readTimeoutMs(raw) }),
  };
}

/** Exactly one of the ways to wait, and a time limit only for the signal. */
function checkWays({ raw, path }: NodePart, { reporter }: NodeContext): void {
  const wait = member(raw, "wait");
  if (!isJsonObject(wait)) return;
  const stated = WAYS.filter((key) => member(wait, key) !== undefined);
  if (stated.length !== 1) {
    reporter.error([...path, "wait"], {
      code: stated.length === 0 ? "missing-key" : "bad-value",
      message:
        stated.length === 0
          ? "`wait` does not say for what."
          : `\`wait\` has ${stated.map((key) => `\`${key}\``).join(" and ")}: only one is possible.`,
      fix:
        stated.length === 0
          ? "Add `seconds:`, `until:` or `signal:`."
          : "Keep one; put the other into a node of its own.",
      at: "key",
    });
  }
  for (const key of ["timeout", "on_timeout"]) {
    const isUsed = stated.includes("signal") && (key === "timeout" || member(wait, "timeout"));
    if (member(wait, key) === undefined || isUsed) continue;
    reporter.warning([...path, "wait", key], {
      code: "no-effect",
      message: stated.includes("signal")
        ? `\`${key}\` has no effect without \`timeout\`: the run waits for ever.`
        : `\`${key}\` is for a \`signal\`; a time comes by itself.`,
      fix: stated.includes("signal") ? "Add `timeout:`, or remove it." : "Remove it.",
      at: "key",
    });
  }
}

function checkTime(until: string, place: TextPlace, context: NodeContext): void {
  checkTemplate(until, place, context);
  if (placeholders(until).length > 0 || parseTime(until.trim()) !== undefined) return;
  context.reporter.error(place.path, {
    code: "bad-value",
    message: `\`${until}\` is not a time.`,
    fix: "Write it as 2030-01-31T09:00:00Z, or as a placeholder that holds such a text.",
  });
}
