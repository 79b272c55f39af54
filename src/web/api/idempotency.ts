/**
 * `Idempotency-Key`: a request that is sent again under the same key acts once and gets the same answer.
 *
 * A key is taken before anything is done and its answer kept after it. In between the process may die, or the
 * database refuse the answer: the row is then there without one, and who comes again finds it open. Whether
 * the first request has acted is not known then, so an operation says what that means: `repeatable` ones are
 * made anew (a run gets its id from the key, so there is one), `once` ones are refused. That a row is open
 * because its request is under way is known from memory, as one process answers for a database.
 */
import { createHash } from "node:crypto";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import type { IdempotencyStore, IdempotentAnswer } from "../../domain/idempotent-answer.ts";
import { IDEMPOTENCY_KEY_LENGTH_MAX } from "../../domain/idempotent-answer.ts";
import type { WebContext } from "../kit.ts";
import { PROBLEM_TYPE, problemBody, RequestProblem } from "../problem.ts";
import { invalidRequest } from "./request.ts";
import type { Repetition } from "./operation.ts";

export const KEY_HEADER = "Idempotency-Key";
export const REPLAY_HEADER = "Idempotency-Replayed";
const KEY = /^[\x21-\x7e]+$/;
const BUSY_RETRY_SECONDS = 1;

export interface KeyedRequest {
  readonly key: string;
  /** Whoever it is that asks: nobody gets the answer to somebody else's request. */
  readonly holder: string;
  readonly text: string;
  readonly repetition: Repetition;
}

export interface Idempotency {
  /** @param act Does what was asked for; given what identifiers are made from. */
  run(
    c: WebContext,
    request: KeyedRequest,
    act: (startedAt: number) => Promise<IdempotentAnswer>,
  ): Promise<Response>;
}

/** @throws RequestProblem 422 for what cannot be a key. */
export function readKey(c: WebContext): string | undefined {
  const key = c.req.header(KEY_HEADER);
  if (key === undefined || (KEY.test(key) && key.length <= IDEMPOTENCY_KEY_LENGTH_MAX)) return key;
  const message = `An Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters without spaces.`;
  throw invalidRequest([{ in: "header", field: KEY_HEADER, message }]);
}

export function createIdempotency(deps: {
  idempotency: IdempotencyStore;
  reportError: (error: unknown) => void;
}): Idempotency {
  const { idempotency: store } = deps;
  const underWay = new Set<string>();

  async function act(
    request: KeyedRequest,
    work: () => Promise<IdempotentAnswer>,
  ): Promise<IdempotentAnswer> {
    const { key, repetition } = request;
    try {
      const answer = await work();
      const kept = repetition === "secret" ? { ...answer, body: "" } : answer;
      // It has been done: an answer that cannot be kept is given all the same.
      await store.finish(key, kept).catch(deps.reportError);
      return answer;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) await store.finish(key, refusal).catch(deps.reportError);
      else if (isUndone(error, repetition)) await store.abandon(key).catch(deps.reportError);
      throw error;
    }
  }

  return {
    async run(c, request, work) {
      const { key, repetition } = request;
      if (underWay.has(key)) throw busy();
      underWay.add(key);
      try {
        const found = await store.begin(key, digestOf(c, request));
        if (found.state === "taken") throw taken();
        if (found.state === "answered") {
          if (repetition === "secret" && found.answer.status < 400) throw secret();
          return toResponse(found.answer, true);
        }
        if (found.state === "open" && repetition !== "repeatable") throw unknownOutcome();
        return toResponse(await act(request, () => work(found.startedAt)), false);
      } finally {
        underWay.delete(key);
      }
    },
  };
}

function digestOf(c: WebContext, { holder, text }: KeyedRequest): string {
  const { pathname, search } = new URL(c.req.url);
  const parts = [c.req.method, pathname + search, holder, text];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function toResponse(answer: IdempotentAnswer, isReplay: boolean): Response {
  const headers = new Headers();
  if (answer.body !== "") {
    headers.set("Content-Type", answer.status < 400 ? "application/json" : PROBLEM_TYPE);
  }
  if (answer.location !== null) headers.set("Location", answer.location);
  if (isReplay) headers.set(REPLAY_HEADER, "true");
  return new Response(answer.body === "" ? null : answer.body, { status: answer.status, headers });
}

/** The answer to keep for a refusal that would be the same again; undefined for one that may pass. */
function refusalOf(error: unknown): IdempotentAnswer | undefined {
  if (error instanceof RequestProblem) return undefined;
  if (!(error instanceof AppError)) return undefined;
  const status: ContentfulStatusCode = ERROR_CODES[error.code].status;
  if (status >= 500 || status === 429) return undefined;
  return { status, location: null, body: problemBody(status, error.toRecord()) };
}

/** True when nothing was done: the request itself was refused, or the database has refused the one write. */
function isUndone(error: unknown, repetition: Repetition): boolean {
  if (error instanceof RequestProblem) return true;
  const isRefused = error instanceof AppError && ERROR_CODES[error.code].status === 503;
  return isRefused && repetition !== "repeatable";
}

function busy(): RequestProblem {
  return new RequestProblem(409, "idempotency_in_flight", {
    message: "The first request with this Idempotency-Key is still under way.",
    fix: "Wait a moment, then send it again.",
    headers: { "Retry-After": String(BUSY_RETRY_SECONDS) },
  });
}

function taken(): RequestProblem {
  return new RequestProblem(422, "idempotency_key_reused", {
    message: "This Idempotency-Key belongs to another request.",
    fix: "Use a new key for each request, and the same one only to send the same request again.",
  });
}

function unknownOutcome(): RequestProblem {
  return new RequestProblem(409, "idempotency_outcome_unknown", {
    message: "The first request with this Idempotency-Key was interrupted; it may have been done.",
    fix: "Look whether it was done. If not, send it with a new key.",
  });
}

function secret(): RequestProblem {
  return new RequestProblem(409, "idempotency_answer_secret", {
    message:
      "The first request with this Idempotency-Key has succeeded, and its secret is not shown twice.",
    fix: "Revoke what it made, then ask with a new key.",
  });
}
