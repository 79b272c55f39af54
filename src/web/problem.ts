/** Problem details (RFC 9457), the form of every failure that a program is told of. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorRecord } from "../domain/error.ts";

export const PROBLEM_TYPE = "application/problem+json";

export const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not logged in",
  402: "Out of budget",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  406: "Not acceptable",
  409: "Conflict",
  412: "Precondition failed",
  413: "Too large",
  415: "Unsupported media type",
  422: "Cannot be processed",
  429: "Too many requests",
  500: "Internal error",
  502: "Bad answer from another server",
  503: "Not available",
  504: "Timeout",
};

/** One thing that is wrong with what was sent. */
export interface FieldProblem {
  readonly in: "path" | "query" | "header" | "body";
  /** A name, in the body a JSON pointer: `/inputs/name`; "" for all of it. */
  readonly field: string;
  readonly message: string;
  readonly fix?: string;
  /** Places in the text of a workflow, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** A refusal that is about the request itself, which only programs meet. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly status: ContentfulStatusCode;
  /** Stable, in snake_case, beside the codes of `ERROR_CODES`. */
  readonly code: string;
  readonly fix: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly FieldProblem[];

  constructor(
    status: ContentfulStatusCode,
    code: string,
    more: {
      readonly message: string;
      readonly fix: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly errors?: readonly FieldProblem[];
    },
  ) {
    super(more.message);
    this.status = status;
    this.code = code;
    this.fix = more.fix;
    this.headers = more.headers ?? {};
    this.errors = more.errors ?? [];
  }
}

/** True for the addresses of programs. */
export function isApiPath(path: string): boolean {
  return path.startsWith("/api/");
}

export function problemBody(
  status: number,
  error: Omit<ErrorRecord, "code"> & { readonly code: string },
  errors: readonly FieldProblem[] = [],
): string {
  return JSON.stringify({
    type: `urn:agents:error:${error.code}`,
    title: TITLES[status] ?? "Error",
    status,
    detail: error.message,
    fix: error.fix,
    code: error.code,
    errors: errors.length === 0 ? undefined : errors,
  });
}

export function problemAnswer(c: Context, body: string, status: ContentfulStatusCode): Response {
  return c.body(body, status, { "Content-Type": PROBLEM_TYPE });
}

/** The answer to a request that is refused for its own form. */
export function requestProblem(c: Context, problem: RequestProblem): Response {
  for (const [name, value] of Object.entries(problem.headers)) c.header(name, value);
  const { code, message, fix, status, errors } = problem;
  return problemAnswer(c, problemBody(status, { code, message, fix }, errors), status);
}
