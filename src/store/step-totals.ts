/** Usage and cost of an attempt, added to it and to its run. */
import type { Database } from "bun:sqlite";
import type { BrokenCalls, Totals, TreeSpending } from "../domain/run.ts";
import { defineStatement } from "./statement.ts";

const ADD = `SET input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
  cache_read_tokens = cache_read_tokens + ?, cache_write_tokens = cache_write_tokens + ?,
  reasoning_tokens = reasoning_tokens + ?, cost_nano_usd = cost_nano_usd + ?,
  unpriced_count = unpriced_count + ?`;
type Params = [number, number, number, number, number, number, number];

const ADD_TO_ATTEMPT = defineStatement<unknown, [...Params, string, string, number]>(
  `UPDATE steps ${ADD} WHERE run_id = ? AND key = ? AND attempt = ?`,
);
const ADD_TO_RUN = defineStatement<unknown, [...Params, string]>(`UPDATE runs ${ADD} WHERE id = ?`);

const ADD_TO_TREE = defineStatement<unknown, [number, number, string]>(
  `UPDATE runs SET tree_cost_nano_usd = tree_cost_nano_usd + ?, tree_token_count = tree_token_count + ?
   WHERE id = ?`,
);
const TREE = defineStatement<TreeSpending, [string]>(
  "SELECT tree_cost_nano_usd AS costNanoUsd, tree_token_count AS tokenCount FROM runs WHERE id = ?",
);

/** A call has cost this: it counts for the outermost run at once. */
export function addToTree(client: Database, rootId: string, spent: TreeSpending): void {
  ADD_TO_TREE(client).run(spent.costNanoUsd, spent.tokenCount, rootId);
}

export function selectTreeSpending(client: Database, rootId: string): TreeSpending | undefined {
  return TREE(client).get(rootId) ?? undefined;
}

export function addTotals(
  client: Database,
  runId: string,
  { key, attempt, totals }: { key: string; attempt: number; totals: Totals },
): void {
  const { usage } = totals;
  const params: Params = [
    usage.input,
    usage.output,
    usage.cacheRead,
    usage.cacheWrite,
    usage.reasoning,
    totals.costNanoUsd,
    totals.unpricedCount,
  ];
  if (params.every((count) => count === 0)) return;
  ADD_TO_ATTEMPT(client).run(...params, runId, key, attempt);
  ADD_TO_RUN(client).run(...params, runId);
}

/** What calls that broke off have cost, nobody said. */
export function addBrokenCalls(
  client: Database,
  runId: string,
  { key, attempt, count }: BrokenCalls,
): void {
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
  const totals = { usage, costNanoUsd: 0, unpricedCount: count };
  addTotals(client, runId, { key, attempt, totals });
}
