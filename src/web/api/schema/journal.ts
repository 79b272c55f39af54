import { z } from "zod";
import type { StoredEvent } from "../../../domain/event.ts";
import type { Usage } from "../../../domain/model.ts";
import {
  STEP_STATES,
  type StepAttempt,
  type StepCall,
  type Wait,
  WAITING_FOR,
} from "../../../domain/run.ts";
import type { Json } from "../../../lib/json.ts";
import {
  ErrorSchema,
  JsonObjectSchema,
  JsonSchema,
  listOf,
  presentError,
  presentTotals,
  presentUsage,
  TimeSchema,
  toIso,
  toIsoOrNull,
  TotalsShape,
  toUsd,
} from "./common.ts";

const WaitSchema = z
  .strictObject({
    for: z.enum(WAITING_FOR),
    until: TimeSchema.nullable(),
    message: z.string().nullable().describe("What an approval asks."),
    name: z.string().nullable().describe("Of the signal."),
    run: z.string().nullable(),
  })
  .meta({ ref: "Wait" });

const CallSchema = z
  .strictObject({
    ordinal: z.int(),
    kind: z.enum(["model", "tool"]),
    name: z.string(),
    request: JsonSchema,
    result: JsonSchema,
    usage: TotalsShape.usage,
    cost_usd: z.number().nullable().describe("null: its price is not known."),
    cost_nano_usd: z.int().nullable(),
    started_at: TimeSchema,
    finished_at: TimeSchema,
  })
  .meta({ ref: "Call" });

const StepSchema = z
  .strictObject({
    key: z
      .string()
      .describe("`write`, `write#2` in its second iteration, `write[5]` as item of a map."),
    node: z.string(),
    attempt: z.int(),
    state: z.enum(STEP_STATES),
    input: JsonSchema,
    patch: JsonObjectSchema.nullable().describe("What it changed in the run's values."),
    error: ErrorSchema.nullable(),
    retry_at: TimeSchema.nullable(),
    wait: WaitSchema.nullable(),
    next: z.array(z.string()).nullable().describe("The nodes that its end leads to."),
    started_seq: z.int(),
    ended_seq: z.int().nullable(),
    recovery_count: z.int(),
    ...TotalsShape,
    calls: z.array(CallSchema),
    started_at: TimeSchema,
    finished_at: TimeSchema.nullable(),
  })
  .meta({ ref: "Step", description: "One attempt of one step." });
export const StepListSchema = listOf(StepSchema, "StepList");

const EventSchema = z
  .strictObject({
    run: z.string(),
    seq: z.int().describe("1, 2, 3 … within the run, without gaps."),
    at: TimeSchema,
    type: z.string().describe("`run.started`, `step.succeeded`, `model.delta`, …"),
    data: JsonObjectSchema,
  })
  .meta({ ref: "Event" });
export const EventListSchema = z
  .strictObject({
    items: z.array(EventSchema),
    last_seq: z.int().describe("Send it as `after` for what comes next."),
    has_more: z.boolean().describe("True: there is more already."),
  })
  .meta({ ref: "EventList" });

export function presentStep(step: StepAttempt, calls: readonly StepCall[]) {
  return {
    key: step.key,
    node: step.nodeId,
    attempt: step.attempt,
    state: step.state,
    input: step.input,
    patch: step.patch,
    error: presentError(step.error),
    retry_at: toIsoOrNull(step.retryAt),
    wait: step.wait === null ? null : presentWait(step.wait),
    next: step.next === null ? null : [...step.next],
    started_seq: step.startedSeq,
    ended_seq: step.endedSeq,
    recovery_count: step.recoveryCount,
    ...presentTotals(step),
    calls: calls.map(presentCall),
    started_at: toIso(step.startedAt),
    finished_at: toIsoOrNull(step.finishedAt),
  };
}

function presentWait(wait: Wait) {
  return {
    for: wait.for,
    until: "untilMs" in wait ? toIsoOrNull(wait.untilMs) : null,
    message: "message" in wait ? wait.message : null,
    name: "name" in wait ? wait.name : null,
    run: "runId" in wait ? wait.runId : null,
  };
}

function presentCall(call: StepCall) {
  const { ordinal, kind, name, request, result, costNanoUsd } = call;
  return {
    ordinal,
    kind,
    name,
    request,
    result,
    usage: presentUsage(call.usage),
    cost_usd: costNanoUsd === null ? null : toUsd(costNanoUsd),
    cost_nano_usd: costNanoUsd,
    started_at: toIso(call.startedAt),
    finished_at: toIso(call.finishedAt),
  };
}

/** The event's own fields in the words of the API; what workflows and people wrote stays as it is. */
export function presentEvent({ runId, seq, at, event }: StoredEvent) {
  const { type, ...fields } = event;
  const data = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => presentField(name, value)),
  );
  return { run: runId, seq, at: toIso(at), type, data };
}

function presentField(name: string, value: Json | Wait | Usage | object): [string, unknown] {
  if (name === "usage" && isUsage(value)) return [name, presentUsage(value)];
  if (name === "wait" && isWait(value)) return [name, presentWait(value)];
  if (name === "untilMs" || name === "retryAtMs") {
    return [
      name === "untilMs" ? "until" : "retry_at",
      typeof value === "number" ? toIso(value) : null,
    ];
  }
  return [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value];
}

function isUsage(value: unknown): value is Usage {
  return typeof value === "object" && value !== null && "cacheRead" in value;
}

function isWait(value: unknown): value is Wait {
  return typeof value === "object" && value !== null && "for" in value;
}
