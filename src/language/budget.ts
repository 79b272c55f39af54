/** What a run may use up, and how much of it at once. */
import { STEP_CONCURRENCY_DEFAULT, type Workflow } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json } from "../lib/json.ts";
import { member, numberOf } from "./raw.ts";
import { readDurationMs } from "./settings.ts";

const NANO_USD = 1e9;

export function readBudget(config: Json | undefined): Pick<Workflow, "budget" | "onBudget"> {
  const raw = member(config, "budget");
  const cost = numberOf(member(raw, "max_cost_usd"));
  return {
    budget: defined({
      maxCostNanoUsd: cost === undefined ? undefined : Math.round(cost * NANO_USD),
      maxTokens: numberOf(member(raw, "max_tokens")),
      maxDurationMs: readDurationMs(member(raw, "max_duration")),
    }),
    onBudget: member(raw, "on_exceeded") === "wait" ? "wait" : "fail",
  };
}

export function readConcurrency(config: Json | undefined): number {
  return numberOf(member(config, "concurrency")) ?? STEP_CONCURRENCY_DEFAULT;
}
