/**
 * One operation of the API: what it takes and answers as schemas, and what it does. The routes, the checks
 * of what is sent and the OpenAPI document are all made from it.
 */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { TokenScope } from "../../domain/access-token.ts";
import type { WebContext } from "../kit.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export const TAGS = {
  workflows: "Workflow files, their versions, and starting them.",
  runs: "What was started, what it did, and what can be done with it.",
  approvals: "Steps that wait for a person.",
  schedules: "Workflows that are started by the clock.",
  agents: "Agents elsewhere that have registered here.",
  memories: "What agents remember.",
  metrics: "What runs have cost, taken and come to.",
  logs: "What services and runs have said.",
  backups: "Copies of the database.",
  system: "The product itself: state, services, providers, settings.",
  tokens: "What programs prove themselves with.",
} as const;

/** What a request came with, read and checked. */
export interface OperationInput<P, Q, B> {
  readonly c: WebContext;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Of a request that may come again: makes the same identifier each time. */
  readonly idSeed: { readonly atMs: number; readonly seed: string } | undefined;
}

export interface OperationAnswer<A> {
  /** The one of the operation when it is left out. */
  readonly status?: ContentfulStatusCode;
  readonly body?: A;
  readonly file?: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a resource whose tag is not made from its text. */
  readonly etag?: string;
}

/** What becomes of a second request under the same `Idempotency-Key`, see idempotency.ts. */
export type Repetition =
  /** Made anew when the outcome of the first is not known: that comes to the same. */
  | "repeatable"
  /** Refused when the outcome of the first is not known. */
  | "once"
  /** Its answer holds a secret and is not kept: a second request is refused. */
  | "secret";

export interface OperationSpec<P, Q, B, A> {
  /** Unique, in camelCase. */
  readonly id: string;
  readonly method: Method;
  /** As hono writes it: `/runs/:id`. */
  readonly path: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  readonly scope: TokenScope;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** A request may come without a body, which is then read as `{}`. */
  readonly isBodyOptional?: boolean;
  readonly bodyExample?: unknown;
  /** No schema: the answer has no body. */
  readonly answer: {
    readonly status: ContentfulStatusCode | 204;
    readonly description: string;
    readonly schema?: z.ZodType<unknown, A>;
    /** It is a file of this type in place of JSON. */
    readonly mediaType?: string;
    /** Another status with the same body. */
    readonly other?: { readonly status: ContentfulStatusCode; readonly description: string };
    /** It is a page of a list, and says where the next one is. */
    readonly isPage?: boolean;
    /** Says where the thing that was made is. */
    readonly hasLocation?: boolean;
  };
  /** Refusals beside those that every operation of its kind may give. */
  readonly refusals?: readonly ContentfulStatusCode[];
  readonly repetition?: Repetition;
  /** Answers with an `ETag`, and with 304 to one that is known. */
  readonly isTagged?: boolean;
  /** Takes `If-Match`. */
  readonly takesMatch?: boolean;
  readonly handle: (input: OperationInput<P, Q, B>) => Promise<OperationAnswer<A>>;
}

type Nothing = Record<string, never>;

/** An operation whose types have been checked against each other. */
export type Operation = OperationSpec<never, never, never, unknown>;

/** Only for its types: what is sent and answered must fit the schemas. */
export function defineOperation<P = Nothing, Q = Nothing, B = Nothing, A = never>(
  spec: OperationSpec<P, Q, B, A>,
): Operation {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `handle` is only given what its schemas gave.
  return spec as unknown as Operation;
}
