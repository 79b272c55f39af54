/** Failures of servers and of the client library, in the words and codes of tools. */
import { AppError } from "../domain/error.ts";
import { endSentence } from "../lib/end-sentence.ts";
import type { Mask } from "../lib/mask.ts";

const REASON_CHARS_MAX = 500;
/** JSON-RPC: the arguments are not what the tool takes. */
const INVALID_PARAMS = -32_602;
const NOT_FOUND = 404;
const DENIED = /\bHTTP 40[13]\b/;

/** Told apart by their shape: the library, whose classes they are, is loaded when a server is used. */
export function callFailure(server: string, error: unknown): AppError {
  const own = ownError(error);
  if (own !== undefined) return asToolFailure(own);
  const reason = reasonOf(error);
  if (codeOf(error) === INVALID_PARAMS) return new AppError("invalid", reason, { cause: error });
  if (codeOf(error) === "CONNECTION_CLOSED" || codeOf(error) === "NOT_CONNECTED") {
    return new AppError("tool_failed", `The MCP server \`${server}\` ended while it was asked.`, {
      fix: "Look at the log for what the server has written.",
      cause: error,
    });
  }
  return new AppError("tool_failed", `The MCP server \`${server}\` failed: ${reason}`, {
    cause: error,
  });
}

export function startFailure(server: string, error: unknown): AppError {
  const own = ownError(error);
  if (own !== undefined) return asToolFailure(own);
  const reason = reasonOf(error);
  return new AppError("tool_failed", `The MCP server \`${server}\` cannot be used: ${reason}`, {
    fix: DENIED.test(reason)
      ? "Check the key in the `headers` of its entry in `config.mcp_servers`."
      : "Check its entry in `config.mcp_servers`, and the log for what it has written.",
    cause: error,
  });
}

/** A failure without what the mask hides; what is no AppError (the reason of an abort) stays as it is. */
export function maskedFailure(error: unknown, mask: Mask): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message, fix, cause } = error;
  return new AppError(code, mask.text(message), {
    ...(fix === undefined ? {} : { fix: mask.text(fix) }),
    ...(cause === undefined ? {} : { cause: new Error(mask.text(Bun.inspect(cause))) }),
  });
}

/** The server answers but has forgotten us: it was started anew, or has let the session expire. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status === NOT_FOUND;
}

/** Whether the server has answered, with a refusal. */
export function isRefusal(error: unknown): boolean {
  return typeof codeOf(error) === "number";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Ours, which the library may have wrapped. */
function ownError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : undefined;
}

function asToolFailure(error: AppError): AppError {
  if (error.code !== "unavailable") return error;
  return new AppError("tool_failed", error.message, {
    ...(error.fix === undefined ? {} : { fix: error.fix }),
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text
    .replace(/^(?:MCP error -?\d+|Version negotiation failed): /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return endSentence(line.slice(0, REASON_CHARS_MAX));
}
