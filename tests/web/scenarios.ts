/** One scenario for every route of the web app; `routes.test.ts` fails when one is missing. */
import { saveBackup } from "../../src/store/restore.ts";
import { join } from "node:path";
import type { AccessToken } from "../../src/domain/access-token.ts";
import type { Conversation } from "../../src/domain/conversation.ts";
import type { Memory } from "../../src/domain/memory.ts";
import type { RegisteredAgent } from "../../src/domain/registered-agent.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Schedule } from "../../src/domain/schedule.ts";
import { askApproval, beginStep, endStep } from "../support/journal.ts";
import type { WorkflowRecord } from "../../src/domain/workflow.ts";
import { GREETING, type World } from "./world.ts";

export interface Setting {
  readonly world: World;
  /** A workflow with two runs: one queued, one finished. */
  readonly workflow: WorkflowRecord;
  readonly run: Run;
  readonly finished: Run;
  /** It waits for an approval. */
  readonly asking: Run;
  readonly failed: Run;
  readonly schedule: Schedule;
  readonly oldSchedule: Schedule;
  readonly memory: Memory;
  readonly oldMemory: Memory;
  /** A workflow that was never run. */
  readonly unused: WorkflowRecord;
  readonly token: AccessToken;
  readonly agent: RegisteredAgent;
  /** A conversation with one answer, which has a workflow. */
  readonly talk: Conversation;
  /** One that nobody needs. */
  readonly oldTalk: Conversation;
}

export interface Scenario {
  /** As it is registered: method and pattern. */
  readonly route: string;
  readonly path: (setting: Setting) => string;
  readonly fields?: Record<string, string>;
  /** A program's request: no cookie, no token, JSON or nothing in its body. */
  readonly program?: { readonly json?: unknown };
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly type?: string;
  readonly location?: RegExp;
  readonly contains?: readonly string[];
  readonly lacks?: readonly string[];
  /** An address of programs: no CSRF token, and problems in JSON. */
  readonly isApi?: boolean;
  /** The answer never ends: only its head is looked at. */
  readonly isStream?: boolean;
  /** The answer is a part of a page, never a whole one. */
  readonly isPart?: boolean;
}

const HTML = "text/html; charset=UTF-8";
const JSON_TYPE = "application/json";
const AS_PAGE = { Accept: "text/html" };

export const SCENARIOS: readonly Scenario[] = [
  {
    route: "GET /",
    path: () => "/?range=6h",
    status: 200,
    type: HTML,
    contains: ["<title>Status · agents</title>", "/status/stream?range=6h", "greeting", "worker-1"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "GET /status/stream",
    path: () => "/status/stream",
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "POST /status/acknowledgements",
    path: () => "/status/acknowledgements",
    fields: { alert: '["failed","r1"]', range: "6h" },
    status: 303,
    location: /^\/\?range=6h$/,
  },
  {
    route: "GET /workflows",
    path: () => "/workflows?search=greet",
    status: 200,
    type: HTML,
    contains: ["greeting", "Examples"],
    lacks: ["lonely"],
  },
  {
    route: "POST /workflows",
    path: () => "/workflows",
    fields: { source: GREETING.replace("greeting", "pasted") },
    status: 303,
    location: /^\/workflows\/\w+$/,
  },
  {
    route: "GET /workflows/schema.json",
    path: () => "/workflows/schema.json",
    status: 200,
    type: "application/schema+json",
    contains: ['"$schema":"https://json-schema.org/draft/2020-12/schema"', '"output_schema"'],
  },
  {
    route: "GET /workflows/new",
    path: () => "/workflows/new?example=greeting",
    status: 200,
    type: HTML,
    contains: ["New workflow", "Greet {name} {count} times.", 'data-draft="new"', "Valid, 1 step"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "POST /workflows/new",
    path: () => "/workflows/new",
    fields: { intent: "save", source: GREETING.replace("greeting", "written") },
    status: 303,
    location: /^\/workflows\/\w+\?saved=new$/,
  },
  {
    route: "POST /workflows/preview",
    path: () => "/workflows/preview",
    isPart: true,
    fields: { source: GREETING.replace("prompt:", "promt:") },
    status: 200,
    type: HTML,
    contains: ['data-severity="error"', 'data-insert="prompt"'],
    lacks: ["<html", 'id="preview"'],
  },
  {
    route: "POST /workflows/completions",
    path: () => "/workflows/completions",
    fields: { source: "fl", offset: "2" },
    status: 200,
    type: JSON_TYPE,
    contains: ['"label":"flow"', '"from":0'],
  },
  {
    route: "POST /workflows/hover",
    path: () => "/workflows/hover",
    fields: { source: GREETING, offset: String(GREETING.indexOf("prompt:") + 2) },
    status: 200,
    type: JSON_TYPE,
    contains: ['"title":"prompt"', "What the model is asked."],
  },
  {
    route: "POST /workflows/examples/:name",
    path: () => "/workflows/examples/greeting",
    status: 303,
    location: /^\/workflows\/\w+$/,
  },
  {
    route: "GET /workflows/:id",
    path: ({ workflow }) => `/workflows/${workflow.id}`,
    status: 200,
    type: HTML,
    contains: ["Start run", 'name="input.name"', 'name="input.tags"', "Version 1"],
    lacks: ['name="input.text"'],
  },
  {
    route: "GET /workflows/:id/edit",
    path: ({ workflow }) => `/workflows/${workflow.id}/edit`,
    status: 200,
    type: HTML,
    contains: ["Edit greeting", "Greet {name} {count} times.", 'name="base_name" value="greeting"'],
    lacks: ["<script>", 'style="', "Begin with an example"],
  },
  {
    route: "POST /workflows/:id/edit",
    path: ({ unused }) => `/workflows/${unused.id}/edit`,
    fields: { intent: "validate", source: GREETING.replace("to: END", "to: ENDE") },
    status: 200,
    type: HTML,
    contains: ["Edit lonely", "2 errors", "Write END"],
  },
  {
    route: "GET /workflows/:id/file",
    path: ({ workflow }) => `/workflows/${workflow.id}/file?version=1`,
    status: 200,
    type: "application/yaml; charset=utf-8",
    contains: ["name: greeting"],
  },
  {
    route: "GET /workflows/:id/versions/:number",
    path: ({ workflow }) => `/workflows/${workflow.id}/versions/1`,
    status: 200,
    type: HTML,
    contains: ["greeting, version 1", "It is the current version", 'id="L3"'],
  },
  {
    route: "POST /workflows/:id/versions/:number/runs",
    path: ({ workflow }) => `/workflows/${workflow.id}/versions/1/runs`,
    fields: { "input.name": "Grace", "input.count": "2" },
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "GET /workflows/:id/diff",
    path: ({ workflow }) => `/workflows/${workflow.id}/diff?from=1&to=1`,
    status: 200,
    type: HTML,
    contains: ["greeting: version 1 to 1", "These two versions have the same text."],
  },
  {
    route: "POST /workflows/:id/restorations",
    path: ({ unused }) => `/workflows/${unused.id}/restorations`,
    fields: { version: "1" },
    status: 303,
    location: /^\/workflows\/\w+\?saved=restored$/,
  },
  {
    route: "POST /workflows/:id/runs",
    path: ({ workflow }) => `/workflows/${workflow.id}/runs`,
    fields: { "input.name": "Grace", "input.count": "2" },
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /workflows/:id/deletion",
    path: ({ unused }) => `/workflows/${unused.id}/deletion`,
    status: 303,
    location: /^\/workflows\?deleted=lonely$/,
  },
  {
    route: "GET /runs",
    path: () => "/runs?state=queued",
    status: 200,
    type: HTML,
    contains: ["greeting"],
  },
  {
    route: "GET /runs/export.csv",
    path: () => "/runs/export.csv?state=failed",
    status: 200,
    type: "text/csv; charset=utf-8",
    contains: ["id,workflow,version,state", ",failed,dashboard,", "Too slow."],
    lacks: [",succeeded,"],
  },
  {
    route: "GET /runs/export.json",
    path: () => "/runs/export.json",
    status: 200,
    type: JSON_TYPE,
    contains: ['"state":"succeeded"', '"state":"failed"'],
  },
  {
    route: "GET /runs/compare",
    path: ({ finished, failed }) => `/runs/compare?a=${finished.id}&b=${failed.id}`,
    status: 200,
    type: HTML,
    contains: ["They part at step <b>write</b>", "only the first run has reached it"],
  },
  {
    route: "POST /runs/bulk",
    path: () => "/runs/bulk",
    fields: { action: "cancel", run: "nothing" },
    status: 303,
    location: /^\/runs\/bulk\/\w+$/,
  },
  {
    route: "GET /runs/bulk/:id",
    path: () => "/runs/bulk/nothing",
    status: 404,
    type: HTML,
    contains: ["not known any more"],
  },
  {
    route: "POST /runs/bulk/:id/confirmation",
    path: () => "/runs/bulk/nothing/confirmation",
    status: 404,
    type: HTML,
    contains: ["not known any more"],
  },
  {
    route: "POST /runs/bulk/:id/undo",
    path: () => "/runs/bulk/nothing/undo",
    status: 404,
    type: HTML,
    contains: ["not known any more"],
  },
  {
    route: "GET /runs/:file{[^/]+\\.json}",
    path: ({ finished }) => `/runs/${finished.id}.json`,
    status: 200,
    type: JSON_TYPE,
    contains: ['"run.succeeded"', '"Hello Ada"'],
  },
  {
    route: "GET /runs/:id",
    path: ({ finished }) => `/runs/${finished.id}`,
    status: 200,
    type: HTML,
    contains: ["Hello Ada", "Run again"],
    lacks: ["Internal error"],
  },
  {
    route: "GET /runs/:id/stream",
    path: ({ run }) => `/runs/${run.id}/stream?after=1`,
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "GET /runs/:id/steps",
    path: ({ finished }) => `/runs/${finished.id}/steps`,
    status: 200,
    type: HTML,
    contains: ["step-write-1"],
  },
  {
    route: "GET /runs/:id/steps/:key",
    path: ({ finished }) => `/runs/${finished.id}/steps/write`,
    status: 200,
    type: HTML,
    contains: ["State after this step", "Hello Ada", "Fork from here"],
  },
  {
    route: "GET /runs/:id/trace",
    path: ({ finished }) => `/runs/${finished.id}/trace`,
    status: 200,
    type: HTML,
    contains: ["Steps and calls", `/steps/write">write</a>`],
  },
  {
    route: "GET /runs/:id/items",
    path: ({ finished }) => `/runs/${finished.id}/items?map=write`,
    status: 404,
    type: HTML,
    contains: ["This step has no items."],
  },
  {
    route: "GET /runs/:id/log",
    path: ({ failed }) => `/runs/${failed.id}/log?level=error`,
    status: 200,
    type: HTML,
    contains: ["failed: Too slow."],
    lacks: [">queued<"],
  },
  {
    route: "GET /runs/:id/previous",
    path: ({ failed, asking }) => `/runs/${failed.id}/previous?${asking.id}`,
    status: 303,
    location: /^\/runs\/compare\?a=\w+&b=\w+$/,
  },
  {
    route: "GET /runs/:id/forks",
    path: ({ finished }) => `/runs/${finished.id}/forks?from=write`,
    status: 200,
    type: HTML,
    contains: ["Fork at write", 'name="input.name"', "Ada"],
  },
  {
    route: "POST /runs/:id/forks",
    path: ({ finished }) => `/runs/${finished.id}/forks`,
    fields: { from: "write", "input.name": "Grace", "input.count": "3", "input.tags": "a\nb" },
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /runs/:id/signals",
    path: ({ asking }) => `/runs/${asking.id}/signals`,
    fields: { name: "go", payload: "{" },
    status: 422,
    type: HTML,
    contains: ["This is not JSON."],
  },
  {
    route: "POST /runs/:id/cancellation",
    path: ({ run }) => `/runs/${run.id}/cancellation`,
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /runs/:id/reruns",
    path: ({ finished }) => `/runs/${finished.id}/reruns`,
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /runs/:id/resumptions",
    path: ({ failed }) => `/runs/${failed.id}/resumptions`,
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /runs/:id/retries",
    path: ({ finished }) => `/runs/${finished.id}/retries`,
    fields: { from: "write" },
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /runs/:id/decisions",
    path: ({ asking }) => `/runs/${asking.id}/decisions`,
    fields: { approve: "write", "comment:write": "Gladly." },
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "GET /schedules",
    path: () => "/schedules",
    status: 200,
    type: HTML,
    contains: ["greeting", "At 09:30, Monday through Friday", "Europe/Berlin"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "GET /schedules/times",
    path: () => "/schedules/times?frequency=daily&time=07:05&timeZone=UTC",
    isPart: true,
    status: 200,
    type: HTML,
    contains: ["At 07:05", "07:05</time>"],
    lacks: ["<html"],
  },
  {
    route: "GET /workflows/:id/schedules",
    path: ({ workflow }) => `/workflows/${workflow.id}/schedules`,
    status: 200,
    type: HTML,
    contains: ["Whom to greet.", "Every weekday", "At 09:00"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "POST /workflows/:id/schedules",
    path: ({ workflow }) => `/workflows/${workflow.id}/schedules`,
    fields: {
      frequency: "weekly",
      weekday: "3",
      time: "25:00",
      timeZone: "Mars/North",
      "input.count": "three",
    },
    status: 422,
    type: HTML,
    contains: ["Write a time such as 09:30.", "Mars/North", "The schedule was not saved"],
  },
  {
    route: "GET /schedules/:id",
    path: ({ schedule }) => `/schedules/${schedule.id}`,
    status: 200,
    type: HTML,
    contains: ["Save changes", "Pause", "09:30"],
  },
  {
    route: "POST /schedules/:id",
    path: ({ schedule }) => `/schedules/${schedule.id}`,
    fields: {
      frequency: "monthly",
      monthday: "31",
      time: "8:15",
      timeZone: "UTC",
      "input.name": "Eve",
    },
    status: 303,
    location: /^\/schedules\/\w+$/,
  },
  {
    route: "POST /schedules/:id/state",
    path: ({ schedule }) => `/schedules/${schedule.id}/state`,
    fields: { state: "paused" },
    status: 303,
    location: /^\/schedules$/,
  },
  {
    route: "POST /schedules/:id/runs",
    path: ({ schedule }) => `/schedules/${schedule.id}/runs`,
    status: 303,
    location: /^\/runs\/\w+$/,
  },
  {
    route: "POST /schedules/:id/deletion",
    path: ({ oldSchedule }) => `/schedules/${oldSchedule.id}/deletion`,
    status: 303,
    location: /^\/schedules\?undo=\w+$/,
  },
  {
    route: "POST /schedules/restorations",
    path: () => "/schedules/restorations",
    fields: { id: "nothing" },
    status: 404,
    type: HTML,
    contains: ["can no longer be put back"],
  },
  {
    route: "GET /agents",
    path: () => "/agents?search=help",
    headers: AS_PAGE,
    status: 200,
    type: HTML,
    contains: ["Helper", "Alive", 'hx-sse:connect="/agents/stream?search=help"'],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "GET /agents/stream",
    path: () => "/agents/stream",
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "POST /agents/register",
    path: () => "/agents/register",
    program: { json: { agent_id: "new-1", host: "127.0.0.1", port: 8000 } },
    status: 201,
    type: JSON_TYPE,
    contains: ['"agent_id":"new-1"', '"is_alive":true'],
  },
  {
    route: "POST /agents/:id/heartbeat",
    path: () => "/agents/helper-1/heartbeat",
    program: {},
    status: 200,
    type: JSON_TYPE,
    contains: ['"status":"ok"'],
  },
  {
    route: "GET /agents/:id",
    path: () => "/agents/helper-1",
    headers: AS_PAGE,
    status: 200,
    type: HTML,
    contains: ["127.0.0.1:8000", "Used by", "search"],
  },
  {
    route: "DELETE /agents/:id",
    path: () => "/agents/old-1",
    program: {},
    status: 200,
    type: JSON_TYPE,
    contains: ['{"status":"deleted","agent_id":"old-1"}'],
  },
  {
    route: "POST /agents/:id/checks",
    path: () => "/agents/helper-1/checks",
    status: 303,
    location: /^\/agents\/helper-1$/,
  },
  {
    route: "POST /agents/:id/deletion",
    path: () => "/agents/old-2/deletion",
    status: 303,
    location: /^\/agents\?undo=old-2$/,
  },
  {
    route: "POST /agents/restorations",
    path: () => "/agents/restorations",
    fields: { id: "nothing" },
    status: 404,
    type: HTML,
    contains: ["can no longer be put back"],
  },
  {
    route: "GET /metrics",
    path: ({ workflow }) => `/metrics?range=24h&workflow=${workflow.id}`,
    status: 200,
    type: HTML,
    contains: [
      "By workflow",
      "Slowest nodes",
      "/metrics.csv?table=workflows&amp;range=24h",
      "greeting",
    ],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "GET /metrics.csv",
    path: () => "/metrics.csv?table=workflows",
    status: 200,
    type: "text/csv; charset=utf-8",
    contains: ["workflow_id,workflow,created,succeeded", ",greeting,"],
    lacks: ["lonely"],
  },
  {
    route: "GET /metrics.json",
    path: () => "/metrics.json?range=90d",
    status: 200,
    type: JSON_TYPE,
    contains: ['"workflow":"greeting"', '"series":[', '"models":['],
  },
  {
    route: "GET /logs",
    path: ({ finished }) => `/logs?run=${finished.id}`,
    status: 200,
    type: HTML,
    contains: ["succeeded", "/logs/stream?run=", "/logs.txt?run="],
    lacks: ["<script>", 'style="', "failed: Too slow."],
  },
  {
    route: "GET /logs.txt",
    path: () => "/logs.txt?level=error",
    status: 200,
    type: "text/plain; charset=utf-8",
    contains: ["failed: Too slow."],
    lacks: [" info "],
  },
  {
    route: "GET /logs/stream",
    path: () => "/logs/stream?source=services",
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "GET /memory",
    path: () => "/memory?agent=greeting",
    status: 200,
    type: HTML,
    contains: ["What tone is.", "greeting (2)"],
  },
  {
    route: "POST /memory/:id",
    path: ({ memory }) => `/memory/${memory.id}`,
    fields: { value: "Dry." },
    status: 303,
    location: /^\/memory$/,
  },
  {
    route: "POST /memory/:id/deletion",
    path: ({ oldMemory }) => `/memory/${oldMemory.id}/deletion`,
    status: 303,
    location: /^\/memory\?undo=\w+$/,
  },
  {
    route: "POST /memory/restorations",
    path: () => "/memory/restorations",
    fields: { id: "nothing" },
    status: 404,
    type: HTML,
    contains: ["can no longer be put back"],
  },
  {
    route: "POST /memory/clearance",
    path: () => "/memory/clearance",
    fields: { agent: "nobody", sure: "yes" },
    status: 303,
    location: /^\/memory\?cleared=0$/,
  },
  {
    route: "GET /chat",
    path: () => "/chat",
    status: 200,
    type: HTML,
    contains: ["Describe a workflow", "Greet people", 'hx-sse:connect="/chat/stream"'],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "POST /chat",
    path: () => "/chat",
    fields: { text: "Greet cats." },
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "GET /chat/stream",
    path: () => "/chat/stream",
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "GET /chat/:id",
    path: ({ talk }) => `/chat/${talk.id}`,
    status: 200,
    type: HTML,
    contains: ["Greet people", "valid, 1 step", "Saved as version 1"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "GET /chat/:id/stream",
    path: ({ talk }) => `/chat/${talk.id}/stream`,
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
  },
  {
    route: "GET /chat/:id/:file{[^/]+\\.yaml}",
    path: ({ talk }) => `/chat/${talk.id}/2.yaml`,
    status: 200,
    type: "application/yaml; charset=utf-8",
    contains: ["name: greeting"],
  },
  {
    route: "POST /chat/:id/messages",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/messages`,
    fields: { text: "And dogs." },
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/cancellation",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/cancellation`,
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/answers",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/answers`,
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/workflows",
    path: ({ talk }) => `/chat/${talk.id}/workflows`,
    fields: { message: "2-new" },
    status: 303,
    location: /^\/workflows\/\w+\?conversation=\w+$/,
  },
  {
    route: "POST /chat/:id/title",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/title`,
    fields: { title: "Dogs" },
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/model",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/model`,
    fields: { model: "openai/gpt-5" },
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/branch",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/branch`,
    fields: { message: "2" },
    status: 303,
    location: /^\/chat\/\w+$/,
  },
  {
    route: "POST /chat/:id/decisions",
    path: ({ talk }) => `/chat/${talk.id}/decisions`,
    fields: { decision: "2-1-approve" },
    status: 409,
    type: HTML,
    contains: ["This was decided already, or is not there."],
  },
  {
    route: "GET /chat/:id/files/:ordinal/:number",
    path: ({ talk }) => `/chat/${talk.id}/files/1/1`,
    status: 200,
    type: "application/octet-stream",
    contains: ["notes"],
  },
  {
    route: "POST /chat/:id/edits",
    path: ({ talk }) => `/chat/${talk.id}/edits`,
    fields: { message: "2" },
    status: 303,
    location: /^\/chat\/\w+\?view=form$/,
  },
  {
    route: "POST /chat/:id/runs",
    path: ({ talk }) => `/chat/${talk.id}/runs`,
    fields: { message: "2-new", "input.name": "Ada" },
    status: 303,
    location: /^\/chat\/\w+\?view=run$/,
  },
  {
    route: "POST /chat/:id/runs/decisions",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/runs/decisions`,
    fields: { approve: "ask" },
    status: 404,
    type: HTML,
    contains: ["No run was begun in this conversation."],
  },
  {
    route: "POST /chat/:id/runs/cancellation",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/runs/cancellation`,
    status: 404,
    type: HTML,
    contains: ["No run was begun in this conversation."],
  },
  {
    route: "POST /chat/:id/deletion",
    path: ({ oldTalk }) => `/chat/${oldTalk.id}/deletion`,
    status: 303,
    location: /^\/chat\?undo=\w+$/,
  },
  {
    route: "POST /chat/restorations",
    path: () => "/chat/restorations",
    fields: { id: "01kaegone0000000" },
    status: 404,
    type: HTML,
    contains: ["There is no conversation 01kaegone0000000."],
  },
  {
    route: "GET /settings",
    path: () => "/settings",
    status: 200,
    type: HTML,
    contains: ["OPENAI_API_KEY", "agents 1.2.3"],
  },
  {
    route: "POST /settings/keys",
    path: () => "/settings/keys",
    fields: { provider: "openai", key: "sk-something" },
    status: 303,
    location: /^\/settings\?done=key$/,
  },
  {
    route: "POST /settings/checks",
    path: () => "/settings/checks",
    fields: { provider: "demo" },
    status: 303,
    location: /^\/settings$/,
  },
  {
    route: "POST /settings/password",
    path: () => "/settings/password",
    fields: { password: "short" },
    status: 422,
    type: HTML,
    contains: ["Choose one of 8 to 1000 characters."],
  },
  {
    route: "POST /settings/keys/removals",
    path: () => "/settings/keys/removals",
    fields: { provider: "openai" },
    status: 303,
    location: /^\/settings\?done=key-removed$/,
  },
  {
    route: "POST /settings/values",
    path: () => "/settings/values",
    fields: { section: "defaults", AGENTS_WORKERS: "3" },
    status: 303,
    location: /^\/settings\?done=saved#defaults-h$/,
  },
  {
    route: "POST /settings/sessions",
    path: () => "/settings/sessions",
    status: 303,
    location: /^\/settings$/,
  },
  {
    route: "POST /settings/restart",
    path: () => "/settings/restart",
    status: 303,
    location: /^\/settings\/restart\?of=\d+$/,
  },
  {
    route: "GET /settings/restart",
    path: () => "/settings/restart?of=another",
    status: 303,
    location: /^\/settings\?done=restarted$/,
  },
  {
    route: "POST /settings/backups",
    path: () => "/settings/backups",
    status: 303,
    location: /^\/settings\?done=backup#backups-h$/,
  },
  {
    route: "POST /settings/backups/uploads",
    path: () => "/settings/backups/uploads",
    status: 422,
    type: HTML,
    contains: ["No file was chosen."],
  },
  {
    route: "GET /settings/backups/:name",
    path: () => "/settings/backups/mine.db",
    status: 200,
    type: "application/vnd.sqlite3",
    contains: ["no database"],
  },
  {
    route: "POST /settings/backups/:name/restorations",
    path: () => "/settings/backups/mine.db/restorations",
    status: 422,
    type: HTML,
    contains: ["is no database of agents"],
  },
  {
    route: "POST /settings/backups/:name/deletion",
    path: () => "/settings/backups/mine.db/deletion",
    status: 303,
    location: /^\/settings\?done=deleted#backups-h$/,
  },
  {
    route: "GET /search",
    path: () => "/search?q=greet",
    status: 200,
    type: HTML,
    contains: ["Workflows", "greeting", "Greet people"],
    lacks: ["Nothing found", "<script>", 'style="'],
  },
  {
    route: "GET /help",
    path: () => "/help",
    status: 200,
    type: HTML,
    contains: ["First steps", "Heartbeat", "Turn shortcuts off", "Where your data lies"],
    lacks: ["<script>", 'style="'],
  },
  {
    route: "POST /help/shortcuts",
    path: () => "/help/shortcuts",
    fields: { shortcuts: "off" },
    status: 303,
    location: /^\/help#shortcuts-h$/,
  },
  {
    route: "GET /settings/tokens",
    path: () => "/settings/tokens",
    status: 200,
    type: HTML,
    contains: ["Continuous integration", "never used", "Make token"],
    lacks: ["agents_"],
  },
  {
    route: "POST /settings/tokens",
    path: () => "/settings/tokens",
    fields: { name: "Backup", scope: "write", days: "30" },
    status: 303,
    location: /^\/settings\/tokens\?made=[\w-]{36}$/,
  },
  {
    route: "POST /settings/tokens/:id/revocation",
    path: ({ token }) => `/settings/tokens/${token.id}/revocation`,
    status: 303,
    location: /^\/settings\/tokens\?revoked=1$/,
  },
  {
    route: "GET /api",
    path: () => "/api?search=runs",
    status: 200,
    type: HTML,
    contains: ["/workflows/{id}/runs", "curl -X POST", "operation-startRun"],
    lacks: ["/providers"],
  },
  {
    route: "POST /api/workflows/start/:id",
    path: () => "/api/workflows/start/greeting",
    fields: { "input.name": "Grace" },
    status: 201,
    type: JSON_TYPE,
    location: /^\/api\/v1\/runs\/\w+$/,
    contains: ['"state":"queued"', '"name":"Grace"'],
    isApi: true,
  },
  {
    route: "POST /api/workflows/stop/:id",
    path: ({ run }) => `/api/workflows/stop/${run.id}`,
    status: 200,
    type: JSON_TYPE,
    contains: ['"state":"cancelled"'],
    isApi: true,
  },
  {
    route: "POST /api/workflows/restart/:id",
    path: ({ finished }) => `/api/workflows/restart/${finished.id}`,
    status: 201,
    type: JSON_TYPE,
    contains: ['"kind":"rerun"'],
    isApi: true,
  },
  {
    route: "GET /api/workflows/stream/:id",
    path: ({ run }) => `/api/workflows/stream/${run.id}`,
    status: 200,
    type: "text/event-stream; charset=utf-8",
    isStream: true,
    isApi: true,
  },
  {
    route: "GET /api/workflows/:id",
    path: ({ finished }) => `/api/workflows/${finished.id}`,
    status: 200,
    type: JSON_TYPE,
    contains: ['"workflow":"greeting"'],
    isApi: true,
  },
  {
    route: "GET /api/agents",
    path: () => "/api/agents",
    status: 200,
    type: JSON_TYPE,
    contains: ['"agents":[', '"liveness":"alive"'],
    isApi: true,
  },
  {
    route: "GET /api/agents/:id",
    path: ({ agent }) => `/api/agents/${agent.id}`,
    status: 200,
    type: JSON_TYPE,
    contains: ['"id":"writer-1"'],
    isApi: true,
  },
  {
    route: "POST /theme",
    path: () => "/theme",
    fields: { theme: "dark", back: "/runs?state=failed" },
    status: 303,
    location: /^\/runs\?state=failed$/,
  },
  { route: "GET /login", path: () => "/login?next=/runs", status: 303, location: /^\/runs$/ },
  { route: "POST /login", path: () => "/login", status: 303, location: /^\/$/ },
  { route: "POST /logout", path: () => "/logout", status: 303, location: /^\/$/ },
  {
    route: "GET /assets/:name",
    path: () => "/assets/icon.svg",
    status: 200,
    type: "image/svg+xml",
    contains: ["<svg"],
  },
  {
    route: "GET /favicon.ico",
    path: () => "/favicon.ico",
    status: 302,
    location: /^\/assets\/icon\.svg/,
  },
  {
    route: "GET /health",
    path: () => "/health",
    status: 200,
    type: JSON_TYPE,
    contains: ['"status":"ok"', '"name":"worker-1"', '"pid":4711'],
  },
  { route: "GET /health/liveness", path: () => "/health/liveness", status: 200, type: JSON_TYPE },
  { route: "GET /health/readiness", path: () => "/health/readiness", status: 200, type: JSON_TYPE },
];

/** Two workflows, one queued and one finished run, two conversations. */
export async function setUp(world: World): Promise<Setting> {
  const workflow = await world.addWorkflow();
  const unused = await world.addWorkflow(GREETING.replace("greeting", "lonely"));
  const finished = await world.addRun(workflow);
  const claim = await world.claim(finished.id);
  const { runs, memory: memories } = world.store;
  await beginStep(runs, claim, { key: "write" });
  await endStep(runs, claim, { key: "write", patch: { text: "Hello Ada" }, last: true });
  const asking = await world.addRun(workflow);
  const asked = await world.claim(asking.id);
  await beginStep(runs, asked, { key: "write" });
  await askApproval(runs, asked, { key: "write", message: "Greet Ada?" });
  const failed = await world.addRun(workflow);
  await runs.failRun(await world.claim(failed.id), { code: "timeout", message: "Too slow." });
  const remember = (key: string) =>
    memories.save({
      namespace: { scope: "agent", agent: "greeting", runId: null, nodeId: null },
      key,
      value: `What ${key} is.`,
      maxEntries: 10,
      expiresAt: null,
    });
  const schedule = () =>
    world.store.schedules.create({
      workflowId: workflow.id,
      cron: "30 9 * * 1-5",
      timeZone: "Europe/Berlin",
      inputs: { name: "Ada" },
      overrides: {},
      overlap: "skip",
      catchUp: true,
      nextAt: Date.now() + 3_600_000,
    });
  await Bun.write(join(world.folder, "backups", "mine.db"), "no database");
  await Bun.write(join(world.folder, "backups", "old.db"), "no database");
  saveBackup(join(world.folder, "agents.sqlite"), join(world.folder, "backups", "whole.db"));
  const job = (id: string, state: "asked" | "running") =>
    world.store.bulkJobs.create({
      id,
      action: "cancel",
      state,
      isMore: false,
      runIds: [asking.id],
    });
  await job("job-asked", "asked");
  await job("job-open", "asked");
  await job("job-done", "running");
  await world.store.bulkJobs.begin("job-done", 1);
  const outcome = { runId: asking.id, changedRunId: asking.id, refusal: null };
  await world.store.bulkJobs.finish("job-done", [outcome]);
  await world.store.bulkJobs.begin("job-done", 1);
  const register = (id: string, name: string) =>
    world.store.agents.register({
      id,
      name,
      url: "http://127.0.0.1:8000",
      ttlSeconds: 60,
      capabilities: ["search"],
      metadata: {},
    });
  await register("helper-1", "Helper");
  await register("old-1", "Old");
  await register("old-2", "Old");
  const token = await world.store.tokens.create({
    name: "Continuous integration",
    scope: "read",
    expiresAt: null,
    digest: "0".repeat(64),
  });
  const { agent } = await world.store.agents.register({
    id: "writer-1",
    name: "Writer",
    url: "http://127.0.0.1:8000",
    ttlSeconds: 3600,
    capabilities: ["write"],
    metadata: {},
  });
  const talk = await addTalk(world, "Greet people");
  const oldTalk = await addTalk(world, "Old");
  return {
    world,
    workflow,
    unused,
    finished,
    asking,
    failed,
    schedule: await schedule(),
    oldSchedule: await schedule(),
    memory: await remember("tone"),
    oldMemory: await remember("colour"),
    token,
    agent,
    talk,
    oldTalk,
    run: await world.addRun(workflow),
  };
}

async function addTalk(world: World, title: string): Promise<Conversation> {
  const { conversations } = world.store;
  const talk = await conversations.create({
    id: title.slice(0, 3),
    title,
    text: title,
    files: [
      { name: "notes.txt", mediaType: "text/plain", data: new TextEncoder().encode("notes") },
    ],
  });
  const begun = await conversations.startAnswer(talk.id, 0);
  await conversations.endAnswer(begun, {
    text: `\`\`\`yaml\n${GREETING}\`\`\``,
    state: "done",
    provider: "openai",
    model: "gpt",
    omittedCount: 0,
    finish: "stop",
    usage: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
    costNanoUsd: 1,
    error: null,
    thoughts: null,
    calls: [],
  });
  return talk;
}
