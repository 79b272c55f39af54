/** What the document says is what the API does: every operation, every kind of refusal. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { z } from "zod";
import { setUp, type Setting } from "../scenarios.ts";
import { GREETING, startWorld, type World } from "../world.ts";
import { type ApiAnswer, type ApiCall, call } from "./client.ts";
import { CASES, type OperationCase } from "./operations.ts";

interface DocumentAnswer {
  readonly $ref?: string;
  readonly content?: Record<string, { readonly schema: object; readonly example?: unknown }>;
  readonly headers?: Record<string, unknown>;
}
interface DocumentOperation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: object; readonly example?: unknown }>;
  };
  readonly responses: Record<string, DocumentAnswer>;
}
interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Record<string, Record<string, DocumentOperation>>;
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly responses: Record<string, DocumentAnswer>;
  };
}

// Some go over all operations, on machines that have more to do.
setDefaultTimeout(60_000);

let world: World;
let setting: Setting;
let document: Document;
/** Statuses that were seen, by operation. */
const seen = new Map<string, Set<number>>();

beforeAll(async () => {
  world = await startWorld();
  setting = await setUp(world);
  document = (await call(world, "GET /openapi.json")).json;
});
afterAll(() => world[Symbol.asyncDispose]());

const IDS = Object.keys(CASES);

function operationOf(id: string): DocumentOperation {
  const found = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((operation) => operation.operationId === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found;
}

function answerOf(id: string, status: number): DocumentAnswer | undefined {
  const stated = operationOf(id).responses[status];
  const name = stated?.$ref?.replace("#/components/responses/", "");
  return name === undefined ? stated : document.components.responses[name];
}

/** The schema of the document itself, so that what is checked is what a reader of it sees. */
function schemaOf(schema: object): z.ZodType {
  const { schemas } = document.components;
  const text = JSON.stringify({ ...schema, $defs: schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}

/** Sends a request, and holds the answer against the document. */
async function ask(id: string, request: string, send: ApiCall = {}): Promise<ApiAnswer> {
  const answer = await call(world, request, send);
  hold(id, answer);
  return answer;
}

function hold(id: string, answer: ApiAnswer): void {
  const { status, headers, text, json } = answer;
  seen.set(id, (seen.get(id) ?? new Set()).add(status));
  const stated = answerOf(id, status);
  expect(stated, `${id} does not document ${status}: ${text}`).toBeDefined();
  const [type, content] = Object.entries(stated?.content ?? {})[0] ?? [null, undefined];
  expect(headers.get("Content-Type"), `${id} ${status}`).toBe(type);
  if (content === undefined) {
    expect(text).toBe("");
    return;
  }
  if (type === null || !type.includes("json")) return;
  const reading = schemaOf(content.schema).safeParse(json);
  expect(reading.error?.issues ?? [], `${id} ${status} ${text.slice(0, 500)}`).toEqual([]);
}

test("the document is OpenAPI 3.1, relative, and every reference in it leads somewhere", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.servers.map(({ url }) => url)).toEqual(["/api/v1"]);
  const text = JSON.stringify(document);
  for (const [, reference = ""] of text.matchAll(/"\$ref":"#\/components\/([^"]+)"/g)) {
    const [kind, name = ""] = reference.split("/");
    const there = kind === "schemas" ? document.components.schemas : document.components.responses;
    expect(there[name], reference).toBeDefined();
  }
  expect(text).not.toContain("$defs");
});

test("every operation has a case, and every case an operation", () => {
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(ids.toSorted()).toEqual(IDS.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
});

test("the examples of bodies and problems fit their schemas", () => {
  const contents = [
    ...IDS.flatMap((id) => Object.values(operationOf(id).requestBody?.content ?? {})),
    ...Object.values(document.components.responses).flatMap((one) =>
      Object.values(one.content ?? {}),
    ),
  ];
  for (const { schema, example } of contents) {
    if (example === undefined) continue;
    const reading = schemaOf(schema).safeParse(example);
    expect(reading.error?.issues ?? [], JSON.stringify(example)).toEqual([]);
  }
});

describe("as the case asks", () => {
  for (const [id, { request, send, status }] of Object.entries(CASES)) {
    test(id, async () => {
      const answer = await ask(id, request(setting), send);
      expect(answer.status, answer.text).toBe(status);
      expect(world.errors).toEqual([]);
    });
  }
});

const pathOf = (one: OperationCase) => one.request(setting).split(" ")[1] ?? "";
const methodOf = (one: OperationCase) => one.request(setting).split(" ")[0] ?? "";

/** Refusals that come before anything is done, for every operation that may give them. */
describe("refuses", () => {
  const cases = Object.entries(CASES);
  const each = (what: string, check: (id: string, one: OperationCase) => Promise<void>) => {
    test(what, async () => {
      for (const [id, one] of cases) await check(id, one);
    });
  };
  test("a token that nobody has: 401", async () => {
    const headers = { Authorization: `Bearer agents_${"x".repeat(43)}` };
    for (const [index, [id, one]] of cases.entries()) {
      // So many are answered before all of them are refused.
      if (index % 50 === 0) await world.restart();
      const answer = await ask(id, one.request(setting), { ...one.send, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("WWW-Authenticate")).toContain("Bearer");
    }
  });

  each("another site: 403", async (id, one) => {
    const headers = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors" };
    const answer = await ask(id, one.request(setting), { ...one.send, headers });
    expect(answer.status).toBe(403);
  });

  each("what is not there: 404", async (id, one) => {
    if (one.missing === undefined) return;
    expect((await ask(id, one.missing, one.send)).status).toBe(404);
  });

  each("everything but JSON: 406", async (id, one) => {
    const answer = await ask(id, one.request(setting), {
      ...one.send,
      headers: { Accept: "text/html" },
    });
    expect(answer.status).toBe(406);
  });

  each("a parameter that it does not know: 422", async (id, one) => {
    const sign = pathOf(one).includes("?") ? "&" : "?";
    const answer = await ask(id, `${methodOf(one)} ${pathOf(one)}${sign}surprise=1`, one.send);
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json.errors).toContainEqual({
      in: "query",
      field: "surprise",
      message: expect.any(String),
    });
  });

  each("a body that is no JSON, no object or has too much: 400, 415, 422", async (id, one) => {
    if (operationOf(id).requestBody === undefined) return;
    const request = one.request(setting);
    expect((await ask(id, request, { text: "{" })).status).toBe(400);
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    expect((await ask(id, request, { text: "a=1", headers: form })).status).toBe(415);
    for (const body of [[], "text", { surprise: 1 }]) {
      expect((await ask(id, request, { body })).status).toBe(422);
    }
  });

  test("a body that is nested too deep: 422", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const request = CASES["startRun"]?.request(setting) ?? "";
    expect((await ask("startRun", request, { text: `{"inputs":${deep}}` })).status).toBe(422);
  });

  each("a body that is too large: 413", async (id, one) => {
    if (methodOf(one) === "GET") return;
    const text = " ".repeat(4 * 1024 * 1024 + 1);
    expect((await ask(id, one.request(setting), { text })).status).toBe(413);
  });

  each("what cannot be an Idempotency-Key: 422", async (id, one) => {
    if (operationOf(id).parameters?.some(({ name }) => name === "Idempotency-Key") !== true) return;
    const headers = { "Idempotency-Key": "two words" };
    const answer = await ask(id, one.request(setting), { ...one.send, headers });
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0]).toMatchObject({ in: "header", field: "Idempotency-Key" });
  });

  test("too many wrong tokens: 429 with the time to wait, for every operation", async () => {
    await world.restart();
    const headers = { Authorization: "Bearer agents_guess" };
    for (let count = 0; count < 60; count += 1) await call(world, "GET /tools", { headers });
    for (const [id, one] of cases) {
      const answer = await ask(id, one.request(setting), { ...one.send, headers });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    }
    await world.restart();
  });
});

test("an ETag that is known: 304 without a body, also for HEAD", async () => {
  for (const id of IDS) {
    if (answerOf(id, 304) === undefined) continue;
    const request = (CASES[id]?.request(setting) ?? "")
      .replace(setting.memory.id, (await remembered()).id)
      .replace(setting.agent.id, (await registered()).id);
    const first = await ask(id, request);
    const tag = first.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"[\w-]+"$/);
    expect(first.headers.get("Cache-Control")).toBe("private, no-cache");
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = await ask(id, request, { headers: { "If-None-Match": known } });
      expect([again.status, again.text, again.headers.get("ETag")]).toEqual([304, "", tag]);
    }
    const head = await call(world, request.replace("GET", "HEAD"));
    expect([head.status, head.headers.get("ETag"), head.text]).toEqual([200, tag, ""]);
    expect(head.headers.get("Content-Length")).toBe(String(Buffer.byteLength(first.text)));
    const other = await ask(id, request, { headers: { "If-None-Match": '"other"' } });
    expect(other.status).toBe(200);
  }
});

async function remembered(): Promise<{ id: string }> {
  const body = { scope: "agent", agent: "tagged", key: "tone", value: "Dry." };
  return (await call(world, "POST /memories", { body })).json;
}

async function registered(): Promise<{ id: string }> {
  const body = { id: "tagged", name: "Tagged", url: "http://127.0.0.1:8000" };
  return (await call(world, "POST /agents", { body })).json;
}

test("states that do not allow it: 409, and 502 and more are told as they are", async () => {
  const { finished, workflow, asking } = setting;
  await ask("cancelRun", `POST /runs/${finished.id}/cancellation`);
  const cases: [string, string, ApiCall?][] = [
    ["deleteWorkflow", `DELETE /workflows/${workflow.id}`],
    [
      "decideApproval",
      `POST /runs/${asking.id}/decisions`,
      { body: { step: "write", approved: false } },
    ],
    ["sendSignal", `POST /runs/${finished.id}/signals`, { body: { name: "late" } }],
    ["undoBulkJob", "POST /bulk-jobs/job-open/undo"],
    ["changeSettings", "PATCH /settings", { body: { values: { AGENTS_KEEP_RUNS_COUNT: "1" } } }],
    ["setProviderKey", "PUT /providers/demo/key", { body: { key: "none" } }],
  ];
  for (const [id, request, send] of cases) {
    const answer = await ask(id, request, send);
    expect(answer.status, `${id} ${answer.text}`).toBe(409);
  }
  const restore = () => ask("restoreBackup", "POST /backups/mine.db/restorations");
  const both = await Promise.all([restore(), restore()]);
  expect(new Set(both.map((answer) => answer.status))).toEqual(new Set([409, 422]));
  const many = await ask("changeSettings", "PATCH /settings", {
    body: { values: { AGENTS_WORKERS: "many" } },
  });
  expect([many.status, many.json?.errors?.[0]?.field]).toEqual([422, "/values/AGENTS_WORKERS"]);
  const wrong = await ask("setPassword", "PUT /password", {
    body: { password: "another one", current: "wrong" },
  });
  expect([wrong.status, wrong.json?.errors?.[0]?.field]).toEqual([422, "/current"]);
});

test("a second save or registration: 200; an If-Match that does not hold: 412", async () => {
  const { workflow } = setting;
  await ask("saveWorkflow", "POST /workflows", { body: { source: GREETING } });
  const url = "http://127.0.0.1:8000";
  await ask("registerAgent", "POST /agents", { body: { id: "tagged", name: "Again", url } });
  const headers = { "If-Match": '"another"' };
  const put = { body: { source: GREETING }, headers };
  await ask("replaceWorkflow", `PUT /workflows/${workflow.id}`, put);
  await ask("deleteWorkflow", `DELETE /workflows/${workflow.id}`, { headers });
});

test("an Idempotency-Key whose first request is under way: 409", async () => {
  const path = join(world.folder, "agents.sqlite");
  for (const [id, one] of Object.entries(CASES)) {
    if (operationOf(id).parameters?.some(({ name }) => name === "Idempotency-Key") !== true)
      continue;
    const headers = { "Idempotency-Key": `under-way-${id}` };
    const send = () => ask(id, one.request(setting), { ...one.send, headers });
    // While somebody else writes, the first request waits, and the second comes meanwhile.
    using other = new Database(path);
    other.run("BEGIN IMMEDIATE");
    const both = [send(), send()];
    const first = await Promise.race(both);
    expect([first.status, first.json.code]).toEqual([409, "idempotency_in_flight"]);
    other.run("ROLLBACK");
    await Promise.all(both);
  }
});

test("metrics sum up what was started, and days in the wrong order are refused", async () => {
  const runs = await world.store.runs.list({ limit: 1_000 });
  const { json } = await ask("getMetrics", "GET /metrics?range=24h");
  expect(json.totals.created).toBe(runs.length);
  expect(json.series.length).toBe(24);
  expect(json.workflows[0]).toMatchObject({ workflow: "greeting" });
  const wrong = await ask("getMetrics", "GET /metrics?from=2026-11-20&to=2026-11-01");
  expect(wrong.json.detail).toStartWith("The last day is before the first.");
});

test("other methods: 405 with Allow; OPTIONS tells the same; unknown addresses: 404", async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const address = path.replaceAll(/\{\w+\}/g, "1");
    const own = Object.keys(methods).map((method) => method.toUpperCase());
    const allow = [...own, "OPTIONS", ...(own.includes("GET") ? ["HEAD"] : [])]
      .toSorted()
      .join(", ");
    const options = await call(world, `OPTIONS ${address}`);
    expect([options.status, options.headers.get("Allow")]).toEqual([204, allow]);
    const other = ["PATCH", "DELETE", "PUT", "POST"].find((method) => !own.includes(method)) ?? "";
    const refused = await call(world, `${other} ${address}`, { body: {} });
    expect([refused.status, refused.headers.get("Allow")]).toEqual([405, allow]);
    expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
  }
  const nowhere = await call(world, "GET /nowhere", { headers: { Accept: "text/html" } });
  expect([nowhere.status, nowhere.json.code]).toEqual([404, "not_found"]);
});

test("every status of the document was seen, but those that only a fault of the world makes", () => {
  const unseen = IDS.flatMap((id) =>
    Object.keys(operationOf(id).responses)
      .map(Number)
      .filter((status) => status < 500 && seen.get(id)?.has(status) !== true)
      .map((status) => `${id} ${status}`),
  );
  // Only where the environment sets the password.
  expect(unseen).toEqual(["setPassword 409"]);
});
