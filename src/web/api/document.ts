/** The OpenAPI document, made from the operations and their schemas. */
import type { Hono } from "hono";
import {
  type DescribeRouteOptions,
  generateSpecs,
  loadVendor,
  resolver,
  uniqueSymbol,
} from "hono-openapi";
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { TOKEN_SCOPES } from "../../domain/access-token.ts";
import { IDEMPOTENCY_KEY_LENGTH_MAX } from "../../domain/idempotent-answer.ts";
import type { WebEnv } from "../kit.ts";
import { PROBLEM_TYPE, TITLES } from "../problem.ts";
import { API_PREFIX } from "../routes.ts";
import { KEY_HEADER, REPLAY_HEADER } from "./idempotency.ts";
import { type Operation, TAGS } from "./operation.ts";
import { ProblemSchema } from "./schema/common.ts";

export type OpenApiDocument = Awaited<ReturnType<typeof generateSpecs>>;

const JSON_TYPE = "application/json";

// Otherwise it would be found by name at run time, which the executable leaves out (build.ts).
loadVendor("zod", {
  toJSONSchema(schema, options) {
    if (!(schema instanceof z.ZodType)) throw new TypeError("This is no schema of zod.");
    // The types of both sides differ in old drafts of JSON Schema only.
    const made: object = z.toJSONSchema(schema, options);
    return made;
  },
});

/** What a status means, as the document says it once for all operations. */
const REFUSALS: Readonly<Record<number, { readonly name: string; readonly description: string }>> =
  {
    400: { name: "BadRequest", description: "The body is not JSON." },
    401: { name: "Unauthorized", description: "No token or session, or one that does not count." },
    403: {
      name: "Forbidden",
      description: "The token's scope is too small, or another site asked.",
    },
    404: { name: "NotFound", description: "There is no such thing." },
    406: { name: "NotAcceptable", description: "`Accept` leaves out JSON." },
    409: { name: "Conflict", description: "The state of things does not allow it." },
    412: { name: "PreconditionFailed", description: "`If-Match` names another state." },
    413: { name: "TooLarge", description: "The body, or a value in it, is too large." },
    415: { name: "UnsupportedMediaType", description: "The body is not `application/json`." },
    422: { name: "Invalid", description: "What was sent is not right; `errors` names the places." },
    429: {
      name: "TooMany",
      description: "Too many attempts; `Retry-After` says how long to wait.",
    },
    500: { name: "Internal", description: "A fault of the product; the log has its id." },
    502: { name: "BadGateway", description: "A model provider did not answer as it should." },
    503: {
      name: "Unavailable",
      description: "The database cannot be used now; the reason is told.",
    },
    504: { name: "GatewayTimeout", description: "A model provider did not answer in time." },
  };

const HEADERS = {
  ETag: { description: "Names this state, for `If-None-Match` and `If-Match`." },
  Location: { description: "The address of what was made." },
  Link: { description: 'The next page, as `rel="next"`; none on the last.' },
  [REPLAY_HEADER]: { description: "`true` on an answer that was kept from the first request." },
} as const;

function headers(...names: (keyof typeof HEADERS)[]) {
  const schema = { type: "string" } as const;
  return Object.fromEntries(names.map((name) => [name, { ...HEADERS[name], schema }]));
}

/** @param options.isOpen Nobody needs a token. */
export function describeOperation(
  operation: Operation,
  options: { isOpen: boolean },
): DescribeRouteOptions {
  const { id, tag, summary, description, scope } = operation;
  const holders = [{ bearer: [scope] }, { session: [] }];
  const needs = `Needs the scope \`${scope}\`.`;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: description === undefined ? needs : `${description} ${needs}`,
    security: options.isOpen ? [...holders, {}] : holders,
    parameters: headerParameters(operation),
    responses: { ...answersOf(operation), ...refusalsOf(operation) },
  };
}

const parameter = (
  name: string,
  description: string,
  more: { maxLength?: number; pattern?: string } = {},
) => ({ in: "header", name, description, schema: { type: "string", ...more } }) as const;

function headerParameters(operation: Operation): DescribeRouteOptions["parameters"] & object {
  const found = [];
  if (operation.repetition !== undefined) {
    found.push(
      parameter(
        KEY_HEADER,
        "Sent again under the same key, the request acts once. Kept for 24 hours.",
        {
          maxLength: IDEMPOTENCY_KEY_LENGTH_MAX,
          pattern: "^[!-~]+$",
        },
      ),
    );
  }
  if (operation.takesMatch === true) {
    found.push(parameter("If-Match", "Acts only on the state with this ETag; 412 for another."));
  }
  if (operation.isTagged === true && operation.method === "GET") {
    found.push(
      parameter("If-None-Match", "Answers 304 without a body while the ETag is this one."),
    );
  }
  return found;
}

function answersOf(operation: Operation): DescribeRouteOptions["responses"] & object {
  const { status, description, schema, mediaType, other, isPage, hasLocation } = operation.answer;
  const named: (keyof typeof HEADERS)[] = [];
  if (operation.isTagged === true) named.push("ETag");
  if (isPage === true) named.push("Link");
  if (hasLocation === true) named.push("Location");
  if (operation.repetition !== undefined) named.push(REPLAY_HEADER);
  const content =
    mediaType !== undefined
      ? { content: { [mediaType]: { schema: { type: "string", format: "binary" } as const } } }
      : schema === undefined
        ? {}
        : { content: { [JSON_TYPE]: { schema: resolver(schema) } } };
  const links = linksFrom(operation);
  const made = (text: string) => ({
    description: text,
    headers: headers(...named),
    ...content,
    ...links,
  });
  return {
    [status]: made(description),
    ...(other === undefined ? {} : { [other.status]: made(other.description) }),
    ...(operation.isTagged === true && operation.method === "GET"
      ? { 304: { description: "It is as `If-None-Match` names it.", headers: headers("ETag") } }
      : {}),
  };
}

/** What can be done next with what an operation answers with. */
const RUN_STEPS = [
  "getRun",
  "listSteps",
  "listEvents",
  "listDescendants",
  "listSignals",
  "cancelRun",
  "resumeRun",
  "retryRun",
  "rerunRun",
  "forkRun",
  "sendSignal",
];
const WORKFLOW_STEPS = [
  "getWorkflow",
  "listWorkflowVersions",
  "startRun",
  "replaceWorkflow",
  "deleteWorkflow",
];
const NEXT_STEPS: Readonly<Record<string, readonly string[]>> = {
  startRun: RUN_STEPS,
  rerunRun: RUN_STEPS,
  forkRun: RUN_STEPS,
  saveWorkflow: WORKFLOW_STEPS,
  createSchedule: ["getSchedule", "changeSchedule", "deleteSchedule"],
  registerAgent: ["getAgent", "sendHeartbeat", "removeAgent"],
  saveMemory: ["getMemory", "changeMemory", "deleteMemory"],
  createToken: ["revokeToken"],
  createBulkJob: ["getBulkJob", "confirmBulkJob", "undoBulkJob"],
};

function linksFrom({ id }: Operation) {
  const steps = NEXT_STEPS[id];
  if (steps === undefined) return {};
  const parameters = { id: "$response.body#/id" };
  return {
    links: Object.fromEntries(
      steps.map((operationId) => [operationId, { operationId, parameters }]),
    ),
  };
}

/** Every refusal that the operation may give, by its kind and its own list. */
export function refusalStatuses(operation: Operation): number[] {
  const { params, body, repetition, takesMatch, refusals = [] } = operation;
  const isWrite = operation.method !== "GET";
  const always = [401, 403, 406, 429, 500, 503];
  return [
    ...always,
    ...(params === undefined ? [] : [404]),
    // Also an unknown parameter is refused.
    422,
    ...(body === undefined ? [] : [400, 415]),
    ...(isWrite ? [413] : []),
    ...(repetition === undefined ? [] : [409]),
    ...(takesMatch === true ? [412] : []),
    ...refusals,
  ]
    .filter((status, index, all) => all.indexOf(status) === index)
    .toSorted((a, b) => a - b);
}

function refusalsOf(operation: Operation): DescribeRouteOptions["responses"] & object {
  return Object.fromEntries(
    refusalStatuses(operation).map((status) => [
      status,
      { $ref: `#/components/responses/${REFUSALS[status]?.name}` },
    ]),
  );
}

/** Middleware that does nothing: it tells the document of the schemas that the handler reads with. */
export function schemaMarks(operation: Operation): MiddlewareHandler<WebEnv>[] {
  const { params, query, body } = operation;
  return [
    ...(params === undefined ? [] : [mark("param", params)]),
    ...(query === undefined ? [] : [mark("query", query)]),
    ...(body === undefined ? [] : [mark("json", body)]),
  ];
}

const pass: MiddlewareHandler<WebEnv> = (_c, next) => next();

function mark(target: "param" | "query" | "json", schema: z.ZodType): MiddlewareHandler<WebEnv> {
  return Object.assign(pass.bind(null), { [uniqueSymbol]: { target, ...resolver(schema) } });
}

/** @param app Registered below API_PREFIX, which the document names as its server. */
export async function createDocument(
  app: Hono<WebEnv>,
  operations: readonly Operation[],
  product: { readonly version: string },
): Promise<OpenApiDocument> {
  const made = await generateSpecs(app, {
    defaultValidationErrorResponse: false,
    excludeStaticFile: false,
    documentation: {
      openapi: "3.1.0",
      info: {
        title: "agents",
        version: product.version,
        description: INTRODUCTION,
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: API_PREFIX, description: "This server" }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: SECURITY_SCHEMES, responses: sharedResponses() },
    },
  });
  const paths = Object.fromEntries(
    Object.entries(made.paths).map(([path, item]) => [path.slice(API_PREFIX.length), item]),
  );
  for (const operation of operations) completeBody(paths, operation);
  return { ...made, paths };
}

/** What the marks of a schema cannot tell: whether it may be left out, and an example. */
function completeBody(paths: OpenApiDocument["paths"], operation: Operation): void {
  const { method, path, isBodyOptional, bodyExample } = operation;
  const item = paths[path.replaceAll(/:(\w+)/g, "{$1}")];
  const body = item?.[METHOD_NAMES[method]]?.requestBody;
  if (body === undefined || "$ref" in body) return;
  body.required = isBodyOptional !== true;
  const content = body.content[JSON_TYPE];
  if (content !== undefined && bodyExample !== undefined) content.example = bodyExample;
}

const METHOD_NAMES = {
  GET: "get",
  POST: "post",
  PUT: "put",
  PATCH: "patch",
  DELETE: "delete",
} as const;

const INTRODUCTION = [
  "Everything that the pages can do, for programs. Times are ISO 8601 in UTC; money is a number in USD, and in",
  "whole nano-USD where it has to be exact. Lists come in pages: send `next` back as `cursor`. A failure is a",
  "problem of RFC 9457 with a `code` that stays the same, and with `fix`, what to do about it.",
].join(" ");

const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: `A token from the page Settings, Tokens. Scopes: ${TOKEN_SCOPES.join(", ")}; each includes those before it.`,
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "agents-session",
    description: "The login of a browser; the cookie's name ends in `-` and the port.",
  },
} as const;

function sharedResponses() {
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([status, { name, description }]) => [
      name,
      {
        description,
        ...(HEADERS_OF_REFUSALS[status] === undefined
          ? {}
          : { headers: HEADERS_OF_REFUSALS[status] }),
        content: {
          [PROBLEM_TYPE]: { schema: resolver(ProblemSchema), example: exampleOf(Number(status)) },
        },
      },
    ]),
  );
}

const TEXT = { type: "string" } as const;
const SECONDS = { type: "integer" } as const;
const HEADERS_OF_REFUSALS: Readonly<
  Record<string, Record<string, { description: string; schema: typeof TEXT | typeof SECONDS }>>
> = {
  401: { "WWW-Authenticate": { description: "How to authenticate.", schema: TEXT } },
  429: { "Retry-After": { description: "Seconds to wait.", schema: SECONDS } },
  503: { "Retry-After": { description: "Seconds to wait, when that is known.", schema: SECONDS } },
};

/** A problem as it really comes. */
function exampleOf(status: number) {
  const { code, detail, fix } = EXAMPLES[status] ?? INTERNAL;
  return {
    type: `urn:agents:error:${code}`,
    title: TITLES[status] ?? "Error",
    status,
    detail,
    fix,
    code,
  };
}

const INTERNAL = {
  code: "internal",
  detail: "Internal error.",
  fix: "Try again; if it stays, look for error 1f2e3d4c in the log and report it.",
};

const EXAMPLES: Readonly<Record<number, typeof INTERNAL>> = {
  400: {
    code: "usage",
    detail: "The body is not JSON.",
    fix: "Check quotes, commas and brackets.",
  },
  401: {
    code: "unauthorized",
    detail: "This token is not known, has expired or was revoked.",
    fix: "Create a token on the page Settings, Tokens, and send it as `Authorization: Bearer TOKEN`.",
  },
  403: {
    code: "forbidden",
    detail: "This token may only read; this needs the scope write.",
    fix: "Use a token with the scope write.",
  },
  404: {
    code: "not_found",
    detail: "There is no run 01jd2v7k3m0q4x8z.",
    fix: "Go to the list of runs and choose one.",
  },
  406: {
    code: "not_acceptable",
    detail: "This address answers in JSON only.",
    fix: "Send `Accept: application/json`, or none.",
  },
  409: {
    code: "conflict",
    detail: "Run 01jd2v7k3m0q4x8z has not ended.",
    fix: "Cancel it first, or wait for its end.",
  },
  412: {
    code: "precondition_failed",
    detail: "The workflow is not the one that If-Match names: it was changed meanwhile.",
    fix: "Read it again, make your change anew, and send the new ETag.",
  },
  413: { code: "too_large", detail: "What was sent is too large.", fix: "Send at most 4 MiB." },
  415: {
    code: "unsupported_media_type",
    detail: "The body of this request has to be JSON.",
    fix: "Send it with `Content-Type: application/json`.",
  },
  422: {
    code: "invalid",
    detail: "The input `name` is required and was not given. (body /inputs/name)",
    fix: "Correct what `errors` names; /api describes what this operation takes.",
  },
  429: {
    code: "rate_limited",
    detail: "There were too many attempts to log in.",
    fix: "Wait 60 seconds, then try again.",
  },
  502: { code: "key_rejected", detail: "OpenAI refuses the key.", fix: "Check OPENAI_API_KEY." },
  503: {
    code: "disk_full",
    detail: "The disk with the database is full.",
    fix: "Free some space; agents goes on by itself.",
  },
  504: { code: "timeout", detail: "The provider did not answer in time.", fix: "Try again later." },
};
