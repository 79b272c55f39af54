/** What a run may use up, and what it has used. */
import { AppError } from "../domain/error.ts";
import type { Usage } from "../domain/model.ts";
import type { Run, Totals, TreeSpending } from "../domain/run.ts";
import type { Budget, Workflow } from "../domain/workflow.ts";
import { StepPostponed } from "./postponed.ts";

const NANO_USD_PER_USD = 1_000_000_000;

/** Sums of a run, its ended children included. */
export interface Spending {
  /** With what calls under way cost at least. */
  readonly costNanoUsd: number;
  readonly tokenCount: number;
  add(totals: Pick<Totals, "usage" | "costNanoUsd">): void;
  /** A call goes out that costs at least this. @returns what ends the reservation, once the call has. */
  reserve(costNanoUsd: number): () => void;
}

export function createSpending(run: Totals): Spending {
  let { costNanoUsd } = run;
  let tokenCount = tokensOf(run.usage);
  let reservedNanoUsd = 0;
  return {
    get costNanoUsd() {
      return costNanoUsd + reservedNanoUsd;
    },
    get tokenCount() {
      return tokenCount;
    },
    add: (totals) => {
      costNanoUsd += totals.costNanoUsd;
      tokenCount += tokensOf(totals.usage);
    },
    reserve(nanoUsd) {
      reservedNanoUsd += nanoUsd;
      return () => {
        reservedNanoUsd -= nanoUsd;
      };
    },
  };
}

function tokensOf({ input, output }: Usage): number {
  return input + output;
}

export interface BudgetState {
  readonly workflow: Workflow;
  readonly run: Run;
  readonly spending: Pick<Spending, "costNanoUsd" | "tokenCount">;
  readonly nowMs: number;
  /** All runs of the tree together, and the outermost one; undefined for a run that is alone. */
  readonly tree?: { readonly root: Run; readonly spending: TreeSpending };
}

/** What a run of its own may use up; what all runs of a tree share is the outermost one's. */
function ownBudget({ workflow, run }: Pick<BudgetState, "workflow" | "run">): Budget {
  return run.depth === 0 ? { ...workflow.budget, ...run.overrides.budget } : workflow.budget;
}

/** What a run hands on to those inside of it: the budget of the outermost one. */
export function sharedBudget({ workflow, run }: Pick<BudgetState, "workflow" | "run">): Budget {
  return run.depth === 0 ? ownBudget({ workflow, run }) : (run.overrides.budget ?? {});
}

/** Whether anybody else spends the same budget. */
export function isPartOfTree({ workflow, run }: Pick<BudgetState, "workflow" | "run">): boolean {
  return run.depth > 0 || workflow.nodes.some(({ kind }) => kind === "workflow");
}

export function hasCostLimit(state: Pick<BudgetState, "workflow" | "run">): boolean {
  const limits = [ownBudget(state), sharedBudget(state)];
  return limits.some(({ maxCostNanoUsd }) => maxCostNanoUsd !== undefined);
}

/**
 * To be asked before a call that costs at least `nextNanoUsd`. @throws AppError `budget_exceeded`, or
 * StepPostponed where the workflow waits for a raised budget.
 */
export function checkBudget(state: BudgetState, nextNanoUsd: number): void {
  const { run, spending, nowMs, tree } = state;
  const own = { spending, ageMs: nowMs - run.createdAt, nextNanoUsd };
  let reason = overBudget(ownBudget(state), own);
  if (tree !== undefined) {
    const { root } = tree;
    // A person may have raised it since this run was started.
    const budget = { ...sharedBudget(state), ...root.overrides.budget };
    const all = { spending: tree.spending, ageMs: nowMs - root.createdAt, nextNanoUsd };
    reason ??= overBudget(budget, all);
  }
  if (reason === undefined) return;
  if (state.workflow.onBudget === "wait") throw new StepPostponed({ for: "budget" });
  throw new AppError("budget_exceeded", reason, {
    fix: "Raise the budget (`config.budget` in the workflow file, or for this run) and resume the run.",
  });
}

interface Used {
  readonly spending: TreeSpending;
  readonly ageMs: number;
  readonly nextNanoUsd: number;
}

function overBudget(budget: Budget, { spending, ageMs, nextNanoUsd }: Used): string | undefined {
  const { maxCostNanoUsd, maxTokens, maxDurationMs } = budget;
  if (maxCostNanoUsd !== undefined && spending.costNanoUsd + nextNanoUsd > maxCostNanoUsd) {
    const spent = `${usd(spending.costNanoUsd)} of its budget of ${usd(maxCostNanoUsd)}`;
    return `The run has spent ${spent}, and the next call costs at least ${usd(nextNanoUsd)}.`;
  }
  if (maxTokens !== undefined && spending.tokenCount >= maxTokens)
    return `The run has used ${spending.tokenCount} tokens of its budget of ${maxTokens}.`;
  if (maxDurationMs !== undefined && ageMs > maxDurationMs) {
    const age = `${Math.round(ageMs / 1000)} s`;
    return `The run is ${age} old, and its budget is ${maxDurationMs / 1000} s.`;
  }
  return undefined;
}

/** Cents, and for less than a cent two digits that say something. */
function usd(nanoUsd: number): string {
  const amount = nanoUsd / NANO_USD_PER_USD;
  const digits = amount === 0 ? 2 : Math.max(2, 1 - Math.floor(Math.log10(amount)));
  return `$${amount.toFixed(digits)}`;
}
