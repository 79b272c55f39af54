/** `/api/v1`: everything that the pages can do, for programs. Loaded with its first request. */
import { Hono } from "hono";
import { describeRoute } from "hono-openapi";
import { AppError } from "../../domain/error.ts";
import { createErrorResponder } from "../error.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { RequestProblem } from "../problem.ts";
import { API_PREFIX } from "../routes.ts";
import { requireScope } from "../scope.ts";
import {
  createDocument,
  describeOperation,
  schemaMarks,
  type OpenApiDocument,
} from "./document.ts";
import { isKnown, tagOf } from "./etag.ts";
import { createIdempotency, type Idempotency, readKey } from "./idempotency.ts";
import { defineOperation, type Operation, type OperationAnswer } from "./operation.ts";
import { createOperations } from "./operations.ts";
import { JsonObjectSchema } from "./schema/common.ts";
import { readRequest, type ReadInput } from "./request.ts";

export interface Api {
  fetch(request: Request, env: WebEnv["Bindings"]): Response | Promise<Response>;
  readonly operations: readonly Operation[];
  document(): Promise<OpenApiDocument>;
}

export function createApi(kit: Kit): Api {
  const { deps, access } = kit;
  let document: Promise<OpenApiDocument> | undefined;
  const readDocument = (): Promise<OpenApiDocument> =>
    (document ??= createDocument(app, operations, deps));
  const operations: readonly Operation[] = [
    ...createOperations(kit),
    documentOperation(readDocument),
  ];
  const idempotency = createIdempotency(deps);
  const app = new Hono<WebEnv>({ strict: false }).basePath(API_PREFIX);
  app.onError(createErrorResponder({ shell: kit.shell, reportError: deps.reportError }));

  for (const operation of operations) {
    app.on(
      operation.method,
      operation.path,
      describeRoute(describeOperation(operation, { isOpen: !access.needsLogin })),
      ...schemaMarks(operation),
      (c) => answer(c, { kit, operation, idempotency }),
    );
  }
  app.all("*", (c) => withoutRoute(c, operations));
  return { fetch: (request, env) => app.fetch(request, env), operations, document: readDocument };
}

function documentOperation(read: () => Promise<OpenApiDocument>): Operation {
  return defineOperation({
    id: "getDocument",
    method: "GET",
    path: "/openapi.json",
    tag: "system",
    summary: "Read this document",
    scope: "read",
    answer: { status: 200, description: "An OpenAPI document.", schema: JsonObjectSchema },
    isTagged: true,
    handle: async () => ({ body: { ...(await read()) } }),
  });
}

/** OPTIONS, another method than the address takes, or an address that there is not. */
function withoutRoute(c: WebContext, operations: readonly Operation[]): Response {
  const path = c.req.path.slice(API_PREFIX.length).replace(/\/$/, "");
  const methods = operations
    .filter((one) => patternOf(one.path).test(path))
    .map((one) => one.method);
  if (methods.length === 0) {
    throw new AppError("not_found", "There is no such address.", {
      fix: `Look it up in ${API_PREFIX}/openapi.json.`,
    });
  }
  const reads = methods.includes("GET") ? ["HEAD"] : [];
  const allow = [...new Set([...methods, ...reads, "OPTIONS"])].toSorted().join(", ");
  if (c.req.method === "OPTIONS") return c.body(null, 204, { Allow: allow });
  throw new RequestProblem(405, "method_not_allowed", {
    message: `${c.req.method} cannot be used here.`,
    fix: `Use one of: ${allow}.`,
    headers: { Allow: allow },
  });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`);
}

interface Task {
  readonly kit: Kit;
  readonly operation: Operation;
  readonly idempotency: Idempotency;
}

async function answer(c: WebContext, task: Task): Promise<Response> {
  const { kit, operation, idempotency } = task;
  requireScope(c, kit.access, operation.scope);
  const read = await readRequest(c, operation);
  const { repetition } = operation;
  const key = repetition === undefined ? undefined : readKey(c);
  if (key === undefined || repetition === undefined) {
    return toResponse(c, operation, await handle(c, operation, { ...read, idSeed: undefined }));
  }
  const holder = kit.access.tokenOf(c)?.id ?? "";
  return idempotency.run(c, { key, holder, text: read.text, repetition }, async (startedAt) => {
    const idSeed = { atMs: startedAt, seed: `${operation.id} ${holder} ${key}` };
    const made = await handle(c, operation, { ...read, idSeed });
    return {
      status: made.status ?? operation.answer.status,
      location: made.headers?.["Location"] ?? null,
      body: made.body === undefined ? "" : JSON.stringify(made.body),
    };
  });
}

function handle(
  c: WebContext,
  operation: Operation,
  read: ReadInput & { readonly idSeed: { atMs: number; seed: string } | undefined },
): Promise<OperationAnswer<unknown>> {
  return operation.handle({ c, ...read });
}

function toResponse(c: WebContext, operation: Operation, made: OperationAnswer<unknown>): Response {
  for (const [name, value] of Object.entries(made.headers ?? {})) c.header(name, value);
  const status = made.status ?? operation.answer.status;
  if (made.file !== undefined) return fileResponse(c, operation, made.file);
  if (made.body === undefined) return c.body(null, status);
  const text = JSON.stringify(made.body);
  if (operation.isTagged === true || made.etag !== undefined) {
    const tag = made.etag ?? tagOf(text);
    c.header("ETag", tag);
    c.header("Cache-Control", "private, no-cache");
    if (operation.method === "GET" && isKnown(c, tag)) return c.body(null, 304);
  }
  // A HEAD is answered as a GET and loses its body on the way, and the length with it.
  if (c.req.method === "HEAD") c.header("Content-Length", String(Buffer.byteLength(text)));
  return c.body(text, status === 204 ? 200 : status, { "Content-Type": "application/json" });
}

function fileResponse(c: WebContext, { answer: { mediaType = "" } }: Operation, file: Blob) {
  c.header("Content-Type", mediaType);
  c.header("Content-Length", String(file.size));
  if (c.req.method === "HEAD") return c.body(null);
  return c.body(file.stream());
}
