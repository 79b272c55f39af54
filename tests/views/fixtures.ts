/** Realistic domain objects for the tests and pictures of the views. Times hang on `NOW`. */
import { drawWorkflow } from "../../src/graph/layout.ts";
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import type { Usage } from "../../src/domain/model.ts";
import type { Memory } from "../../src/domain/memory.ts";
import type {
  PendingApproval,
  Run,
  RunState,
  RunStats,
  StepAttempt,
  StepCall,
} from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import type {
  LlmNode,
  Problem,
  StateField,
  Workflow,
  WorkflowFigures,
  WorkflowListing,
  WorkflowRecord,
  WorkflowVersion,
} from "../../src/domain/workflow.ts";
import { assetUrl } from "../../views/assets.ts";
import type { ProviderStatus, SettingValue } from "../../views/settings.tsx";
import type { Shell } from "../../views/shell.ts";
import type { Status } from "../../views/status.tsx";
import type { RunForm } from "../../views/workflow.tsx";
import type { ExampleCard } from "../../views/part/example-gallery.tsx";
import type { WorkflowCheck } from "../../views/part/workflow-check.tsx";
import type { WorkflowItem, WorkflowsFilter } from "../../views/workflows.tsx";

export const NOW = Date.UTC(2026, 10, 20, 14, 31, 40);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MILLI_USD = 1_000_000;

/** Everything that must stay text. */
export const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)> & 'q' </pre></textarea>`;

export function shell(over: Partial<Shell> = {}): Shell {
  return {
    title: "Status",
    path: "/",
    shortcuts: true,
    csrf: "token-1",
    theme: "auto",
    version: "0.1.0",
    health: { state: "ok" },
    needsLogin: false,
    demo: false,
    asset: assetUrl,
    now: NOW,
    ...over,
  };
}

export const DEGRADED: Shell["health"] = {
  state: "degraded",
  code: "disk_full",
  message:
    "The disk that holds the database is full: 0 bytes are free in /home/ada/.local/share/agents.",
  fix: "Free at least 10 MiB on that disk.",
};

export function usage(input: number, output: number): Usage {
  return { input, output, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
}

const ID = "01kae9x7m";

export function run(state: RunState, over: Partial<Run> = {}): Run {
  const final = state === "succeeded" || state === "failed" || state === "cancelled";
  return {
    id: `${ID}0v3t5hq`,
    workflowId: "01kae9article0000",
    workflowName: "article_writer",
    versionHash: "9f2c1a7be04d5566",
    nodeIds: ["research", "outline", "write", "review"],
    state,
    waitingFor: state === "waiting" ? "rate_limit" : null,
    dueAt: state === "waiting" ? NOW + 24 * SECOND : null,
    inputs: { topic: "Tidal power in small harbours", audience: "engineers", max_words: 600 },
    overrides: {},
    source: "dashboard",
    origin: null,
    depth: 0,
    rootId: `${ID}0v3t5hq`,
    wakeCount: 0,
    values: {
      topic: "Tidal power in small harbours",
      research: "Tidal range above 4 m is needed; three harbours in the study reach it.",
      article: "# Tidal power in small harbours\n\nThe sea keeps its appointments. Twice a day…",
      word_count: 412,
      tags: ["energy", "harbours"],
    },
    error:
      state === "failed"
        ? {
            code: "rate_limited",
            message: "The provider openai refused the call: the quota of this key is used up.",
            fix: "Raise the quota, or set another provider for this run.",
            details: "429 insufficient_quota, request req_0123456789",
          }
        : null,
    cancelRequestedAt: null,
    createdAt: NOW - 90 * SECOND,
    startedAt: state === "queued" ? null : NOW - 88 * SECOND,
    finishedAt: final ? NOW - 24 * SECOND : null,
    activeMs: state === "queued" ? 0 : 62_000,
    doneNodeIds:
      state === "queued"
        ? []
        : state === "succeeded"
          ? ["research", "outline", "write", "review"]
          : ["research", "outline"],
    worker: state === "running" ? "worker-1" : null,
    usage: state === "queued" ? usage(0, 0) : usage(12_480, 2_310),
    costNanoUsd: state === "queued" ? 0 : 41 * MILLI_USD,
    unpricedCount: 0,
    ...over,
  };
}

export function step(id: string, over: Partial<StepAttempt> = {}): StepAttempt {
  return {
    key: id,
    nodeId: id,
    attempt: 1,
    state: "succeeded",
    input: { topic: "Tidal power in small harbours" },
    patch: { [id]: `The text of ${id}.` },
    error: null,
    retryAt: null,
    wait: null,
    next: null,
    startedSeq: 2,
    endedSeq: null,
    recoveryCount: 0,
    startedAt: NOW - 88 * SECOND,
    finishedAt: NOW - 70 * SECOND,
    usage: usage(3_120, 640),
    costNanoUsd: 12 * MILLI_USD,
    unpricedCount: 0,
    ...over,
  };
}

export function call(key: string, ordinal: number, over: Partial<StepCall> = {}): StepCall {
  return {
    key,
    attempt: 1,
    ordinal,
    kind: "model",
    name: "gpt-5-mini",
    request: { messages: [{ role: "user", text: "Research tidal power." }] },
    result: { text: "Tidal range above 4 m is needed.", finish: "stop" },
    usage: usage(1_560, 320),
    costNanoUsd: 6 * MILLI_USD,
    startedAt: NOW - 87 * SECOND,
    finishedAt: NOW - 80 * SECOND,
    ...over,
  };
}

const RESEARCH_STEPS: readonly StepAttempt[] = [
  step("research", {
    patch: { research: "Tidal range above 4 m is needed; three harbours reach it." },
  }),
  step("outline", {
    startedAt: NOW - 70 * SECOND,
    finishedAt: NOW - 61 * SECOND,
    state: "failed",
    patch: null,
    retryAt: NOW - 59 * SECOND,
    error: {
      code: "output_invalid",
      message:
        "The answer does not fit the schema: word_count must be an integer, got “about 600”.",
      fix: "Say in the prompt that word_count is a whole number.",
    },
  }),
  step("outline", {
    attempt: 2,
    startedAt: NOW - 58 * SECOND,
    finishedAt: NOW - 46 * SECOND,
    patch: { tags: ["energy", "harbours"], word_count: 412 },
    recoveryCount: 1,
  }),
];

const CALLS: readonly StepCall[] = [
  call("research", 0),
  call("research", 1, {
    kind: "tool",
    name: "serper_search",
    request: { query: "tidal power small harbours cost" },
    result: { results: [{ title: "Tidal harbours", url: "https://example.org/tides" }] },
    usage: usage(0, 0),
    costNanoUsd: 0,
    startedAt: NOW - 80 * SECOND,
    finishedAt: NOW - 77 * SECOND,
  }),
  call("research", 2, { startedAt: NOW - 77 * SECOND, finishedAt: NOW - 71 * SECOND }),
  call("outline", 0, { startedAt: NOW - 69 * SECOND, finishedAt: NOW - 62 * SECOND }),
  call("outline", 0, {
    attempt: 2,
    startedAt: NOW - 57 * SECOND,
    finishedAt: NOW - 47 * SECOND,
    costNanoUsd: null,
  }),
];

export function steps(state: RunState): readonly StepAttempt[] {
  if (state === "queued") return [];
  const write = { startedAt: NOW - 46 * SECOND, patch: null, finishedAt: null };
  if (state === "running") return [...RESEARCH_STEPS, step("write", { ...write, state })];
  if (state === "waiting")
    return [
      ...RESEARCH_STEPS,
      step("write", {
        ...write,
        state: "failed",
        finishedAt: NOW - 30 * SECOND,
        retryAt: NOW + 24 * SECOND,
        error: { code: "rate_limited", message: "The provider asked to wait for 54 seconds." },
      }),
    ];
  const end = { ...write, finishedAt: NOW - 30 * SECOND };
  if (state === "failed")
    return [...RESEARCH_STEPS, step("write", { ...end, state, error: run("failed").error })];
  if (state === "cancelled") return [...RESEARCH_STEPS, step("write", { ...end, state })];
  return [
    ...RESEARCH_STEPS,
    step("write", {
      ...end,
      patch: { article: "# Tidal power in small harbours\n\nThe sea keeps its appointments." },
    }),
    step("review", {
      startedAt: NOW - 30 * SECOND,
      finishedAt: NOW - 24 * SECOND,
      patch: { word_count: 412 },
    }),
  ];
}

export const calls = (state: RunState): readonly StepCall[] => (state === "queued" ? [] : CALLS);

/** Stored events of one run, a second apart. */
export function events(runId: string, list: readonly RunEvent[]): StoredEvent[] {
  return list.map((event, index) => ({
    runId,
    seq: index + 1,
    at: NOW - (90 - index * 2) * SECOND,
    event,
  }));
}

export function logEvents(): readonly RunEvent[] {
  const research = { step: "research", attempt: 1 };
  const model = { ...research, call: 0 };
  const outline = { step: "outline", attempt: 1 };
  return [
    { type: "run.queued" },
    { type: "run.started", worker: "worker-1" },
    { type: "step.started", node: "research", ...research },
    { type: "model.started", ...model, provider: "openai", model: "gpt-5-mini" },
    { type: "model.delta", ...model, text: "I will look for harbours with a tidal range " },
    { type: "model.delta", ...model, text: "above 4 m, and for what they paid." },
    {
      type: "model.finished",
      ...model,
      usage: usage(1_560, 320),
      costNanoUsd: 6 * MILLI_USD,
      durationMs: 7_020,
    },
    {
      type: "tool.started",
      ...research,
      call: 1,
      tool: "serper_search",
      input: { query: "tidal power small harbours cost" },
    },
    {
      type: "tool.finished",
      ...research,
      call: 1,
      tool: "serper_search",
      ok: true,
      durationMs: 2_940,
    },
    { type: "step.succeeded", ...research, patch: { research: "…" }, next: ["outline"] },
    { type: "step.started", node: "outline", ...outline },
    {
      type: "step.failed",
      ...outline,
      error: { code: "output_invalid", message: "word_count must be an integer." },
      retryAtMs: NOW - 59 * SECOND,
    },
    { type: "run.recovered", worker: "worker-2" },
    { type: "run.waiting", for: "rate_limit", untilMs: NOW + 24 * SECOND },
    {
      type: "step.failed",
      step: "write",
      attempt: 1,
      error: { code: "timeout", message: "The step took longer than its limit of 60 s." },
    },
  ];
}

function field(name: string, over: Partial<StateField>): StateField {
  return { name, type: { kind: "str" }, required: false, default: null, ...over };
}

function node(id: string, over: Partial<LlmNode> = {}): LlmNode {
  return {
    kind: "llm",
    id,
    inputs: {},
    prompt: `Write the ${id} about {topic}.\n\nUse {research}.`,
    outputs: [{ name: "article", type: { kind: "str" } }],
    tools: [],
    llm: { fallbacks: [] },
    cache: false,
    files: [],
    onError: { kind: "fail" },
    retry: { maxAttempts: 3, backoff: "exponential", delayMs: 1000, on: ["invalid_output"] },
    ...over,
  };
}

export const STATE: readonly StateField[] = [
  field("topic", { required: true, description: "The topic to research and write about." }),
  field("max_words", {
    type: { kind: "int" },
    default: 600,
    description: "Length of the article.",
  }),
  field("temperature", { type: { kind: "float" }, default: 0.7 }),
  field("with_sources", {
    type: { kind: "bool" },
    default: true,
    description: "List the sources.",
  }),
  field("audiences", { type: { kind: "list", item: { kind: "str" } }, default: [] }),
  field("author", {
    type: { kind: "object", fields: [field("name", { required: true }), field("mail", {})] },
    description: "Who signs it.",
  }),
  field("scores", {
    type: { kind: "dict", key: { kind: "str" }, value: { kind: "float" } },
    default: {},
  }),
];

export const WORKFLOW: Workflow = {
  name: "article_writer",
  description: "Researches a topic on the web, makes an outline, writes an article and reviews it.",
  version: "1.2.0",
  state: STATE,
  nodes: [
    node("research", {
      description: "Search the web for facts about the topic.",
      tools: [{ name: "serper_search", onError: "continue", config: {} }],
      llm: { provider: "openai", model: "gpt-5-mini", fallbacks: [] },
      outputs: [{ name: "research", type: { kind: "str" } }],
    }),
    node("outline", {
      outputs: [
        { name: "tags", type: { kind: "list", item: { kind: "str" } } },
        { name: "word_count", type: { kind: "int" } },
      ],
    }),
    node("write", { description: "Write the article.", timeoutMs: 60_000 }),
    node("review", { llm: { provider: "anthropic", model: "claude-sonnet-5", fallbacks: [] } }),
  ],
  edges: [
    { kind: "to", from: "START", to: ["research"] },
    { kind: "to", from: "research", to: ["outline"] },
    { kind: "to", from: "outline", to: ["write"] },
    { kind: "to", from: "write", to: ["review"] },
    { kind: "to", from: "review", to: ["END"] },
  ],
  mcpServers: {},
  budget: {},
  onBudget: "fail",
  concurrency: 16,
};

export const DRAWING = drawWorkflow(WORKFLOW);

export const SOURCE = `schema_version: "1.0"

flow:
  name: article_writer
  description: Researches a topic and writes an article   # shown in the list

state:
  fields:
    topic: {type: str, required: true}
    article: {type: str, default: ""}

nodes:
  - id: research
    prompt: |
      Research {state.topic} and cite 'sources'.
    outputs: [research]
    output_shema:
      type: str

edges:
  - {from: START, to: research}
  - {from: research, to: ENDE}
`;

export const PROBLEMS: readonly Problem[] = [
  {
    severity: "error",
    code: "unknown-key",
    message: "The node “research” has an unknown key “output_shema”.",
    fix: "Rename it to output_schema.",
    text: "output_shema",
    suggestion: "output_schema",
    path: "nodes[0].output_shema",
    line: 17,
    column: 5,
  },
  {
    severity: "error",
    code: "unknown-node",
    message: "The edge leads to “ENDE”, which is no node.",
    fix: "Name a node of this file, or END.",
    text: "ENDE",
    suggestion: "END",
    path: "edges[1].to",
    line: 22,
    column: 25,
  },
  {
    severity: "warning",
    code: "ignored-key",
    message: "No step reads the state field “article”.",
    path: "state.fields.article",
    line: 10,
    column: 5,
  },
];

export function version(number: number): WorkflowVersion {
  return {
    hash: `${number}f2c1a7be04d5566`,
    workflowId: "01kae9article0000",
    number,
    source: SOURCE,
    format: "yaml",
    createdAt: NOW - (10 - number) * HOUR,
  };
}

export function record(over: Partial<WorkflowRecord> = {}): WorkflowRecord {
  return {
    id: "01kae9article0000",
    name: "article_writer",
    description: WORKFLOW.description ?? null,
    createdAt: NOW - 50 * HOUR,
    updatedAt: NOW - 7 * HOUR,
    version: version(3),
    ...over,
  };
}

export function form(over: { errors?: boolean; provider?: string } = {}): RunForm {
  const texts: Record<string, string> = {
    max_words: "600",
    temperature: "0.7",
    with_sources: "true",
    audiences: "engineers\nmayors",
    author: '{\n  "name": "Ada"\n}',
    scores: "{}",
  };
  const errors: Record<string, string> = {
    topic: "This input is required.",
    author: "This is not JSON: expected a comma after line 2.",
  };
  return {
    fields: STATE.map((item) => ({
      field: item,
      text: texts[item.name] ?? "",
      error: over.errors === true ? errors[item.name] : undefined,
    })),
    provider: over.provider ?? "",
    model: "",
    providers: [
      { name: "openai", usable: true, note: "key from the environment" },
      { name: "anthropic", usable: false, note: "no key" },
      { name: "demo", usable: true, note: "offline, made-up answers" },
    ],
  };
}

function listing(over: Partial<WorkflowListing> = {}): WorkflowListing {
  const { id, name, description, updatedAt, version: current } = record();
  const { hash, number } = current;
  return { id, name, description, updatedAt, versionHash: hash, versionNumber: number, ...over };
}

/** @param states Of the newest runs, the newest first. */
export function figures(states: readonly RunState[], over: Partial<WorkflowFigures> = {}) {
  const count = (state: RunState) => states.filter((one) => one === state).length;
  return {
    recent: states.map((state, index) => ({
      id: `01kae9figures0${index}`,
      state,
      createdAt: NOW - (index + 1) * HOUR,
    })),
    created: states.length,
    succeeded: count("succeeded"),
    failed: count("failed"),
    cancelled: count("cancelled"),
    durationMs: 96_000,
    costNanoUsd: 184_000_000,
    ...over,
  } satisfies WorkflowFigures;
}

export const WORKFLOWS: readonly WorkflowItem[] = [
  {
    listing: listing(),
    figures: figures(["running", "succeeded", "succeeded", "failed", "succeeded"], {
      created: 1412,
    }),
    nodeCount: 4,
    hasErrors: false,
  },
  {
    listing: listing({
      id: "01kae9triage00000",
      name: "inbox_triage",
      description: "Labels incoming mail by urgency and drafts a first answer.",
      updatedAt: NOW - 26 * HOUR,
    }),
    figures: figures(["failed", "cancelled", "failed"]),
    nodeCount: 0,
    hasErrors: true,
  },
  {
    listing: listing({
      id: "01kae9nested00000",
      name: "nested_state",
      description: null,
      updatedAt: NOW - 200 * HOUR,
    }),
    figures: figures([], { durationMs: 0, costNanoUsd: 0 }),
    nodeCount: 2,
    hasErrors: false,
  },
];

export const EXAMPLES: readonly ExampleCard[] = [
  { name: "haiku", description: "One step: a poem about any topic.", drawing: DRAWING },
  {
    name: "research_brief",
    description: "Two steps with a tool: search, then write a brief.",
    drawing: DRAWING,
  },
  {
    name: "typed_output",
    description: "Numbers, lists and nested objects from a model.",
    drawing: undefined,
  },
];

export const FILTER: WorkflowsFilter = {
  search: "",
  result: undefined,
  order: "changed",
  after: undefined,
};

export const CHECK: WorkflowCheck = {
  source: SOURCE,
  workflow: WORKFLOW,
  problems: PROBLEMS.slice(2),
  drawing: DRAWING,
  target: { kind: "expected" },
  average: { costNanoUsd: 12_000_000, durationMs: 24_000 },
};
export const CHECK_REFUSED: WorkflowCheck = {
  source: SOURCE,
  workflow: undefined,
  problems: PROBLEMS,
  drawing: undefined,
  target: { kind: "expected" },
};

export const SERVICES: readonly ServiceStatus[] = [
  service("dashboard", { url: "http://127.0.0.1:7861/", pid: 4101 }),
  service("worker-1", { pid: 4107 }),
  service("worker-2", { pid: 4108, restartCount: 2, since: NOW - 4 * MINUTE }),
  service("mlflow", {
    state: "disabled",
    since: null,
    message: "MLflow is not installed on this machine.",
    fix: "Run `agents setup` and choose MLflow.",
  }),
  service("chat", {
    state: "disabled",
    since: null,
    message: "The chat is switched off.",
    fix: "Start without `--no-chat`.",
  }),
];

function service(name: string, over: Partial<ServiceStatus>): ServiceStatus {
  return {
    name,
    state: "running",
    pid: null,
    url: null,
    restartCount: 0,
    since: NOW - 5 * HOUR,
    message: null,
    fix: null,
    ...over,
  };
}

export const SERVICES_FAILED: readonly ServiceStatus[] = [
  service("dashboard", { url: "http://127.0.0.1:7861/", pid: 4101 }),
  service("worker-1", {
    state: "failed",
    since: null,
    restartCount: 5,
    message: "It ended 5 times in a row with exit code 8: the disk is full.",
    fix: "Free disk space; it is started again by itself.",
  }),
  service("mlflow", {
    state: "backing_off",
    since: null,
    restartCount: 1,
    message: "Port 5000 is taken by process 812 (AirPlay).",
    fix: "Choose another port with --mlflow-port.",
  }),
];

export function stats(scale: number): RunStats {
  const bucket = (index: number) => {
    const wave = Math.round(scale * (4 + 3 * Math.sin(index / 4) + (index % 5)));
    const failed = index % 9 === 4 ? Math.min(2, wave) : 0;
    return {
      created: wave,
      succeeded: Math.max(0, wave - failed),
      failed,
      costNanoUsd: wave * 18 * MILLI_USD,
      tokens: wave * 5_400,
    };
  };
  return {
    sinceMs: NOW - 24 * HOUR,
    bucketMs: 30 * MINUTE,
    buckets: Array.from({ length: 48 }, (_, index) => bucket(index)),
  };
}

const COUNTS = { queued: 3, running: 2, waiting: 1, succeeded: 291, failed: 11, cancelled: 4 };

export const APPROVAL: PendingApproval = {
  runId: "01kae9x7mapprove",
  workflowName: "article_writer",
  key: "review",
  nodeId: "review",
  message: "Publish this article?\n\nTidal power in small harbours, 412 words.",
  askedAt: NOW - 340 * SECOND,
  untilMs: NOW + 3_600 * SECOND,
};

export const STATUS_FULL: Status = {
  canAsk: true,
  counts: COUNTS,
  stats: stats(1),
  previous: stats(0.8),
  runs: [
    run("running"),
    run("waiting", { id: `${ID}1aa11aa`, workflowName: "inbox_triage", source: "api" }),
    run("failed", { id: `${ID}2bb22bb`, workflowName: "nightly_regression", source: "cli" }),
    run("succeeded", { id: `${ID}3cc33cc`, unpricedCount: 2, createdAt: NOW - 40 * MINUTE }),
    run("cancelled", { id: `${ID}4dd44dd`, createdAt: NOW - 3 * HOUR }),
    run("queued", {
      id: `${ID}5ee55ee`,
      workflowName: "summarise_every_single_document_of_the_quarter",
      nodeIds: Array.from({ length: 24 }, (_, index) => `part_${index}`),
    }),
  ],
  events: events(`${ID}0v3t5hq`, logEvents()),
  services: SERVICES,
  approvals: [APPROVAL],
  interrupted: [run("running"), run("succeeded", { id: `${ID}3cc33cc` })],
  failed: [
    run("failed", { id: `${ID}2bb22bb`, workflowName: "nightly_regression", source: "cli" }),
  ],
  held: [run("waiting", { id: `${ID}6ff66ff`, waitingFor: "budget" })],
  pauses: [{ account: "openai:0123456789abcdef", untilAt: NOW + 40 * SECOND }],
  acknowledged: {},
  queueDepth: 3,
  resources: Array.from({ length: 120 }, (_, index) => ({
    at: NOW - (120 - index) * 5 * SECOND,
    cpuShare: 0.05 + (index % 12) / 40,
    memoryBytes: 88_400_000 + (index % 20) * 400_000,
    diskFreeBytes: 61_000_000_000 - index * 9_000_000,
    databaseBytes: 18_300_000 + index * 4_096,
    queueDepth: index % 5,
  })),
  memoryBytes: 88_400_000,
  workflowCount: 3,
  range: "24h",
  now: NOW,
};

export const STATUS_EMPTY: Status = {
  ...STATUS_FULL,
  counts: { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0 },
  stats: stats(0),
  previous: stats(0),
  runs: [],
  events: [],
  services: [],
  approvals: [],
  interrupted: [],
  failed: [],
  held: [],
  pauses: [],
  resources: [],
  queueDepth: 0,
  memoryBytes: null,
  workflowCount: 0,
};

export const PROVIDERS: readonly ProviderStatus[] = [
  {
    name: "openai",
    label: "OpenAI",
    configured: true,
    variable: "OPENAI_API_KEY",
    baseUrl: null,
    origin: "environment",
    check: { ok: true, message: "Answered in 412 ms with 84 models." },
  },
  {
    name: "anthropic",
    label: "Anthropic",
    configured: false,
    variable: "ANTHROPIC_API_KEY",
    baseUrl: null,
    origin: null,
    check: null,
  },
  {
    name: "google",
    label: "Google Gemini",
    configured: true,
    variable: "GOOGLE_API_KEY",
    baseUrl: null,
    isSaved: true,
    origin: "/home/ada/.local/share/agents/.env:4",
    check: { ok: false, message: "The key was rejected (HTTP 403). Paste a new one." },
  },
  {
    name: "ollama",
    label: "Ollama",
    configured: true,
    variable: "",
    baseUrl: "http://127.0.0.1:11434",
    origin: null,
    check: null,
  },
];

export const VALUES: readonly SettingValue[] = [
  {
    name: "PORT",
    value: "7861",
    origin: "default",
    description: "Dashboard and API.",
    secret: false,
  },
  {
    name: "AGENTS_DATA_DIR",
    value: "/home/ada/.local/share/agents",
    origin: "environment",
    description: "Where the database, keys and backups are kept.",
    secret: false,
  },
  {
    name: "OPENAI_API_KEY",
    value: "set",
    origin: "environment",
    description: "Key for OpenAI.",
    secret: true,
  },
  {
    name: "OPENAI_BASE_URL",
    value: "",
    origin: "default",
    description: "Another address for the OpenAI API.",
    secret: false,
  },
];

function memory(id: string, over: Partial<Memory> = {}): Memory {
  return {
    id: `01kae9mem${id}`,
    namespace: { scope: "agent", agent: "article_writer", runId: null, nodeId: null },
    key: "preferred tone",
    value: "The readers are engineers; they like short sentences and numbers with units.",
    createdAt: NOW - 9_000 * SECOND,
    updatedAt: NOW - 600 * SECOND,
    expiresAt: null,
    ...over,
  };
}

export const MEMORIES: readonly Memory[] = [
  memory("0000001"),
  memory("0000002", {
    key: "harbours",
    value: "Three harbours of the study have a tidal range above 4 m.",
    namespace: {
      scope: "node",
      agent: "article_writer",
      runId: "01kae9x7m0v3t5hq",
      nodeId: "research",
    },
  }),
];

export const HOSTILE_MEMORY = memory("0000003", {
  key: HOSTILE,
  value: HOSTILE,
  namespace: { scope: "node", agent: HOSTILE, runId: HOSTILE, nodeId: HOSTILE },
});

export const MEMORY = {
  memories: MEMORIES,
  agents: [
    { agent: "article_writer", count: 2 },
    { agent: "support", count: 1_204 },
  ],
  filter: {},
  next: "01kae9mem0000002",
  removed: undefined,
  clearedCount: undefined,
  error: undefined,
};
