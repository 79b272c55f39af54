import type { Kit } from "../kit.ts";
import type { Operation } from "./operation.ts";
import { agentOperations } from "./resource/agents.ts";
import { backupOperations } from "./resource/backups.ts";
import { bulkOperations } from "./resource/bulk-jobs.ts";
import { comparisonOperations } from "./resource/comparisons.ts";
import { logOperations } from "./resource/logs.ts";
import { memoryOperations } from "./resource/memories.ts";
import { metricsOperations } from "./resource/metrics.ts";
import { runActionOperations } from "./resource/run-actions.ts";
import { runOperations } from "./resource/runs.ts";
import { scheduleOperations } from "./resource/schedules.ts";
import { settingOperations } from "./resource/settings.ts";
import { systemOperations } from "./resource/system.ts";
import { tokenOperations } from "./resource/tokens.ts";
import { workflowOperations } from "./resource/workflows.ts";

/** Everything that the API can do, in the order of its document. */
export function createOperations(kit: Kit): Operation[] {
  return [
    ...workflowOperations(kit),
    ...runOperations(kit),
    ...runActionOperations(kit),
    ...bulkOperations(kit),
    ...comparisonOperations(kit),
    ...scheduleOperations(kit),
    ...agentOperations(kit),
    ...memoryOperations(kit),
    ...metricsOperations(kit),
    ...logOperations(kit),
    ...systemOperations(kit),
    ...settingOperations(kit),
    ...backupOperations(kit),
    ...tokenOperations(kit),
  ];
}
