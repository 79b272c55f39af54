import { loadConfig } from "../../config/load.ts";
import type { PendingApproval } from "../../domain/run.ts";
import type { CommandContext } from "../command.ts";
import type { APPROVALS } from "../definition.ts";
import { backgroundReporter } from "../error.ts";
import { formatAge, formatDuration, formatTable, printable } from "../format.ts";
import { toIso } from "../run-result.ts";
import { columnsOf, print } from "../terminal.ts";

const COUNT_MAX = 100;

export async function approvals(context: CommandContext<typeof APPROVALS.flags>): Promise<number> {
  const { flags, terminal, clock } = context;
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const product = await app.openProduct(config, backgroundReporter(context), { reads: true });
  try {
    const pending = await product.store.runs.pendingApprovals({ limit: COUNT_MAX });
    if (flags.json) {
      print(terminal, JSON.stringify({ approvals: pending.map(approvalDocument) }, null, 2));
      return 0;
    }
    if (pending.length === 0) {
      print(terminal, "Nothing waits for approval.");
      return 0;
    }
    const now = clock.now();
    const rows = pending.map((one) => [
      one.runId,
      one.key,
      formatAge(one.askedAt, now),
      one.untilMs === null ? "" : formatDuration(Math.max(0, one.untilMs - now)),
      printable(one.message).replaceAll("\n", " "),
    ]);
    const header = ["RUN", "STEP", "ASKED", "LEFT", "QUESTION"];
    for (const line of formatTable([header, ...rows], columnsOf(terminal.output)))
      print(terminal, line);
    print(terminal, "Answer with `agents approve RUN` or `agents reject RUN -m WHY`.");
    return 0;
  } finally {
    await product.close();
  }
}

function approvalDocument(approval: PendingApproval) {
  return {
    run: approval.runId,
    workflow: approval.workflowName,
    step: approval.key,
    node: approval.nodeId,
    message: approval.message,
    asked_at: toIso(approval.askedAt),
    until: toIso(approval.untilMs),
  };
}
