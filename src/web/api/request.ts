/** What a request came with → checked values. Everything wrong with it is reported at once. */
import { z } from "zod";
import { AppError } from "../../domain/error.ts";
import { type Json, parseJson } from "../../lib/json.ts";
import type { WebContext } from "../kit.ts";
import { type FieldProblem, PROBLEM_TYPE, RequestProblem } from "../problem.ts";
import type { Operation, OperationInput } from "./operation.ts";

/** Lists and objects inside of each other. */
const JSON_DEPTH_MAX = 64;
const JSON_TYPE = "application/json";
/** Problems that one answer names. */
const PROBLEM_COUNT_MAX = 50;

type Place = FieldProblem["in"];
export type ReadInput = Pick<OperationInput<never, never, never>, "params" | "query" | "body"> & {
  /** The body as it was sent. */
  readonly text: string;
};

/** @throws RequestProblem 406, 415, 422; AppError `usage` for a body that is no JSON. */
export async function readRequest(c: WebContext, operation: Operation): Promise<ReadInput> {
  requireAcceptable(c, operation);
  const text = operation.body === undefined ? "" : await c.req.text();
  const problems: FieldProblem[] = [];
  const read = (schema: z.ZodType | undefined, place: Place, value: unknown): never => {
    const reading = (schema ?? NOTHING).safeParse(value);
    if (!reading.success)
      problems.push(...reading.error.issues.map((one) => toProblem(one, place)));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The schema is the one of the handler's type.
    return reading.data as never;
  };
  const params = read(operation.params, "path", c.req.param());
  const query = read(operation.query, "query", readQuery(c, operation.query));
  const body = read(operation.body, "body", readBody(c, operation, text));
  if (problems.length > 0) throw invalidRequest(problems);
  return { params, query, body, text };
}

const NOTHING = z.strictObject({});

export function invalidRequest(problems: readonly FieldProblem[]): RequestProblem {
  const [first] = problems;
  const where = first === undefined || first.field === "" ? "" : ` (${first.in} ${first.field})`;
  return new RequestProblem(422, "invalid", {
    message: `${first?.message ?? "The request is not right."}${where}`,
    fix: "Correct what `errors` names; /api describes what this operation takes.",
    errors: problems.slice(0, PROBLEM_COUNT_MAX),
  });
}

function toProblem(issue: z.core.$ZodIssue, place: Place): FieldProblem {
  const path = issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys] : issue.path;
  const names = path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
  const field = place === "body" ? names.map((name) => `/${name}`).join("") : names.join(".");
  return { in: place, field, message: sentence(issue.message) };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Parameters are text: those that the schema wants as numbers, truths or lists are made into them. */
function readQuery(c: WebContext, schema: z.ZodType | undefined): Record<string, unknown> {
  const kinds = schema === undefined ? {} : kindsOf(schema);
  const given = Object.entries(c.req.queries()).map(([name, texts]): [string, unknown] => {
    const kind = kinds[name];
    if (kind === "array") return [name, texts];
    // Twice the same name means nothing unless a list is wanted.
    const [text = ""] = texts;
    return [name, texts.length > 1 ? texts : toValue(text, kind)];
  });
  return Object.fromEntries(given);
}

function toValue(text: string, kind: string | undefined): unknown {
  if (kind === "integer" && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

const kindsBySchema = new WeakMap<z.ZodType, Readonly<Record<string, string>>>();

/** The JSON type of each field of an object's schema. */
function kindsOf(schema: z.ZodType): Readonly<Record<string, string>> {
  const known = kindsBySchema.get(schema);
  if (known !== undefined) return known;
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const kinds = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [
      name,
      typeof field === "object" ? String(field.type) : "",
    ]),
  );
  kindsBySchema.set(schema, kinds);
  return kinds;
}

function readBody(c: WebContext, operation: Operation, text: string): unknown {
  if (operation.body === undefined) return {};
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (text === "" && operation.isBodyOptional === true) return {};
  if (type !== JSON_TYPE) {
    throw new RequestProblem(415, "unsupported_media_type", {
      message: "The body of this request has to be JSON.",
      fix: `Send it with \`Content-Type: ${JSON_TYPE}\`.`,
      headers: { Accept: JSON_TYPE },
    });
  }
  if (depthOf(text) > JSON_DEPTH_MAX) {
    const message = `The body is nested more than ${JSON_DEPTH_MAX} levels deep.`;
    throw invalidRequest([{ in: "body", field: "", message }]);
  }
  const value: Json | undefined = parseJson(text);
  if (value !== undefined) return value;
  throw new AppError("usage", "The body is not JSON.", {
    fix: "Check quotes, commas and brackets.",
  });
}

/** Asked before it is parsed: what walks a value calls itself once for each level. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [piece] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gs)) {
    if (piece === "[" || piece === "{") depth += 1;
    else if (piece === "]" || piece === "}") depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** @throws RequestProblem 406 when JSON is not among what the request takes. */
function requireAcceptable(c: WebContext, { answer: { mediaType } }: Operation): void {
  const accept = c.req.header("Accept");
  if (accept === undefined || accept.trim() === "") return;
  const wanted = accept
    .split(",")
    .map((one) => one.split(";").map((part) => part.trim().toLowerCase()))
    .filter(([, ...parameters]) => !parameters.some((part) => /^q=0(?:\.0*)?$/.test(part)))
    .map(([type]) => type);
  if (wanted.some((type) => TYPES_MADE.has(type ?? "") || type === mediaType)) return;
  throw new RequestProblem(406, "not_acceptable", {
    message: `This address answers in ${mediaType ?? "JSON"} only.`,
    fix: `Send \`Accept: ${mediaType ?? JSON_TYPE}\`, or none.`,
  });
}

const TYPES_MADE = new Set(["*/*", "application/*", JSON_TYPE, PROBLEM_TYPE]);
