/** One request for every operation of the API; `contract.test.ts` fails when one is missing. */
import { GREETING } from "../world.ts";
import type { Setting } from "../scenarios.ts";
import type { ApiCall } from "./client.ts";

export interface OperationCase {
  /** Method and path, filled in. */
  readonly request: (setting: Setting) => string;
  readonly send?: ApiCall;
  readonly status: number;
  /** For those with an id in their address: a thing that is not there. */
  readonly missing?: string;
}

const MISSING = "00000000000000000";
const source = (name: string) => GREETING.replace("greeting", name);

export const CASES: Readonly<Record<string, OperationCase>> = {
  listWorkflows: { request: () => "GET /workflows?search=greet&limit=1", status: 200 },
  getWorkflow: {
    request: ({ workflow }) => `GET /workflows/${workflow.id}`,
    status: 200,
    missing: `GET /workflows/${MISSING}`,
  },
  listWorkflowVersions: {
    request: ({ workflow }) => `GET /workflows/${workflow.id}/versions`,
    status: 200,
    missing: `GET /workflows/${MISSING}/versions`,
  },
  getWorkflowVersion: {
    request: ({ workflow }) => `GET /workflows/${workflow.name}/versions/1`,
    status: 200,
    missing: "GET /workflows/greeting/versions/7",
  },
  saveWorkflow: {
    request: () => "POST /workflows",
    send: { body: { source: source("saved") } },
    status: 201,
  },
  replaceWorkflow: {
    request: ({ workflow }) => `PUT /workflows/${workflow.id}`,
    send: { body: { source: `${GREETING}# again\n`, format: "yaml" } },
    status: 200,
    missing: `PUT /workflows/${MISSING}`,
  },
  deleteWorkflow: {
    request: ({ unused }) => `DELETE /workflows/${unused.id}`,
    status: 204,
    missing: `DELETE /workflows/${MISSING}`,
  },
  validateWorkflow: {
    request: () => "POST /validations",
    send: { body: { source: "flow: {}" } },
    status: 200,
  },
  startRun: {
    request: ({ workflow }) => `POST /workflows/${workflow.id}/runs`,
    send: {
      body: {
        inputs: { name: "Grace" },
        model: "small",
        budget: { max_cost_usd: 0.5 },
        version: 1,
      },
    },
    status: 201,
    missing: `POST /workflows/${MISSING}/runs`,
  },
  listRuns: {
    request: ({ workflow }) =>
      `GET /runs?state=queued&state=failed&workflow=${workflow.id}&search=greet&since=2020-01-01T00:00:00Z`,
    status: 200,
  },
  getRun: {
    request: ({ finished }) => `GET /runs/${finished.id}`,
    status: 200,
    missing: `GET /runs/${MISSING}`,
  },
  listSteps: {
    request: ({ finished }) => `GET /runs/${finished.id}/steps`,
    status: 200,
    missing: `GET /runs/${MISSING}/steps`,
  },
  listEvents: {
    request: ({ finished }) => `GET /runs/${finished.id}/events?after=1&limit=2`,
    status: 200,
    missing: `GET /runs/${MISSING}/events`,
  },
  listDescendants: {
    request: ({ finished }) => `GET /runs/${finished.id}/descendants`,
    status: 200,
    missing: `GET /runs/${MISSING}/descendants`,
  },
  listSignals: {
    request: ({ run }) => `GET /runs/${run.id}/signals`,
    status: 200,
    missing: `GET /runs/${MISSING}/signals`,
  },
  listApprovals: { request: ({ asking }) => `GET /approvals?run=${asking.id}`, status: 200 },
  sendSignal: {
    request: ({ run }) => `POST /runs/${run.id}/signals`,
    send: { body: { name: "delivered", payload: { count: 3 }, by: "Ada" } },
    status: 201,
    missing: `POST /runs/${MISSING}/signals`,
  },
  decideApproval: {
    request: ({ asking }) => `POST /runs/${asking.id}/decisions`,
    send: { body: { step: "write", approved: true, comment: "Gladly." } },
    status: 200,
    missing: `POST /runs/${MISSING}/decisions`,
  },
  rerunRun: {
    request: ({ finished }) => `POST /runs/${finished.id}/reruns`,
    status: 201,
    missing: `POST /runs/${MISSING}/reruns`,
  },
  forkRun: {
    request: ({ finished }) => `POST /runs/${finished.id}/forks`,
    send: { body: { from: "write", set: { name: "Grace" } } },
    status: 201,
    missing: `POST /runs/${MISSING}/forks`,
  },
  retryRun: {
    request: ({ finished }) => `POST /runs/${finished.id}/retries`,
    send: { body: { from: "write" } },
    status: 200,
    missing: `POST /runs/${MISSING}/retries`,
  },
  resumeRun: {
    request: ({ failed }) => `POST /runs/${failed.id}/resumptions`,
    send: { body: { budget: { max_tokens: 9 } } },
    status: 200,
    missing: `POST /runs/${MISSING}/resumptions`,
  },
  cancelRun: {
    request: ({ run }) => `POST /runs/${run.id}/cancellation`,
    status: 200,
    missing: `POST /runs/${MISSING}/cancellation`,
  },
  listSchedules: { request: () => "GET /schedules?limit=5", status: 200 },
  getSchedule: {
    request: ({ schedule }) => `GET /schedules/${schedule.id}`,
    status: 200,
    missing: `GET /schedules/${MISSING}`,
  },
  createSchedule: {
    request: () => "POST /workflows/greeting/schedules",
    send: { body: { cron: "@daily", time_zone: "Europe/Berlin", inputs: { name: "Ada" } } },
    status: 201,
    missing: `POST /workflows/${MISSING}/schedules`,
  },
  changeSchedule: {
    request: ({ schedule }) => `PATCH /schedules/${schedule.id}`,
    send: { body: { cron: "0 8 * * *", paused: true } },
    status: 200,
    missing: `PATCH /schedules/${MISSING}`,
  },
  deleteSchedule: {
    request: ({ oldSchedule }) => `DELETE /schedules/${oldSchedule.id}`,
    status: 204,
    missing: `DELETE /schedules/${MISSING}`,
  },
  listAgents: { request: () => "GET /agents?search=write&alive=true", status: 200 },
  getAgent: {
    request: ({ agent }) => `GET /agents/${agent.id}`,
    status: 200,
    missing: `GET /agents/${MISSING}`,
  },
  registerAgent: {
    request: () => "POST /agents",
    send: { body: { id: "reader-1", name: "Reader", url: "http://127.0.0.1:8001/" } },
    status: 201,
  },
  sendHeartbeat: {
    request: ({ agent }) => `POST /agents/${agent.id}/heartbeat`,
    status: 200,
    missing: `POST /agents/${MISSING}/heartbeat`,
  },
  removeAgent: {
    request: ({ agent }) => `DELETE /agents/${agent.id}`,
    status: 204,
    missing: `DELETE /agents/${MISSING}`,
  },
  listMemories: { request: () => "GET /memories?agent=greeting&search=tone", status: 200 },
  listMemoryAgents: { request: () => "GET /memory-agents", status: 200 },
  getMemory: {
    request: ({ memory }) => `GET /memories/${memory.id}`,
    status: 200,
    missing: `GET /memories/${MISSING}`,
  },
  saveMemory: {
    request: () => "POST /memories",
    send: {
      body: { scope: "workflow", agent: "greeting", run: "r1", key: "size", value: "Small." },
    },
    status: 201,
  },
  changeMemory: {
    request: ({ memory }) => `PATCH /memories/${memory.id}`,
    send: { body: { value: "Dry." } },
    status: 200,
    missing: `PATCH /memories/${MISSING}`,
  },
  deleteMemory: {
    request: ({ oldMemory }) => `DELETE /memories/${oldMemory.id}`,
    status: 200,
    missing: `DELETE /memories/${MISSING}`,
  },
  clearMemories: { request: () => "DELETE /memories?agent=greeting", status: 200 },
  getMetrics: { request: () => "GET /metrics?range=24h&order=duration&limit=3", status: 200 },
  getStatus: { request: () => "GET /status?range=6h", status: 200 },
  listServices: { request: () => "GET /services", status: 200 },
  getHealth: { request: () => "GET /health", status: 200 },
  listProviders: { request: () => "GET /providers", status: 200 },
  setProviderKey: {
    request: () => "PUT /providers/openai/key",
    send: { body: { key: "sk-of-this-test" } },
    status: 204,
    missing: "PUT /providers/nobody/key",
  },
  checkProvider: {
    request: () => "POST /providers/demo/checks",
    status: 200,
    missing: "POST /providers/nobody/checks",
  },
  createBulkJob: {
    request: () => "POST /bulk-jobs",
    send: { body: { action: "resume", filter: { state: ["failed"], workflow: "greeting" } } },
    status: 201,
  },
  listBulkJobs: { request: () => "GET /bulk-jobs", status: 200 },
  getBulkJob: {
    request: () => "GET /bulk-jobs/job-asked",
    status: 200,
    missing: `GET /bulk-jobs/${MISSING}`,
  },
  confirmBulkJob: {
    request: () => "POST /bulk-jobs/job-asked/confirmation",
    status: 200,
    missing: `POST /bulk-jobs/${MISSING}/confirmation`,
  },
  undoBulkJob: {
    request: () => "POST /bulk-jobs/job-done/undo",
    status: 201,
    missing: `POST /bulk-jobs/${MISSING}/undo`,
  },
  compareRuns: {
    request: ({ finished, failed }) => `GET /comparisons?a=${finished.id}&b=${failed.id}`,
    status: 200,
    missing: `GET /comparisons?a=${MISSING}&b=${MISSING}`,
  },
  listLogs: { request: () => "GET /logs?source=runs&level=info&search=run&limit=3", status: 200 },
  listBackups: { request: () => "GET /backups", status: 200 },
  downloadBackup: {
    request: () => "GET /backups/mine.db",
    status: 200,
    missing: `GET /backups/${MISSING}`,
  },
  createBackup: { request: () => "POST /backups", status: 201 },
  deleteBackup: {
    request: () => "DELETE /backups/old.db",
    status: 204,
    missing: `DELETE /backups/${MISSING}`,
  },
  restoreBackup: {
    request: () => "POST /backups/whole.db/restorations",
    status: 202,
    missing: `POST /backups/${MISSING}/restorations`,
  },
  restart: { request: () => "POST /restarts", status: 202 },
  changeSettings: {
    request: () => "PATCH /settings",
    send: { body: { values: { AGENTS_WORKERS: "3", AGENTS_KEEP_RUNS_DAYS: null } } },
    status: 200,
  },
  listSettings: { request: () => "GET /settings", status: 200 },
  setPassword: {
    request: () => "PUT /password",
    send: { body: { password: "correct horse battery" } },
    status: 204,
  },
  getWorkflowSchema: { request: () => "GET /workflow-schema", status: 200 },
  listTools: { request: () => "GET /tools", status: 200 },
  listExamples: { request: () => "GET /examples", status: 200 },
  listTokens: { request: () => "GET /tokens", status: 200 },
  createToken: {
    request: () => "POST /tokens",
    send: { body: { name: "Backup", scope: "write", expires_at: "2199-01-01T00:00:00+01:00" } },
    status: 201,
  },
  revokeToken: {
    request: ({ token }) => `DELETE /tokens/${token.id}`,
    status: 204,
    missing: `DELETE /tokens/${MISSING}`,
  },
  getDocument: { request: () => "GET /openapi.json", status: 200 },
};
