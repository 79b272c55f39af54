/** The tools of one MCP server, and calls to them. Many steps use it at once. */
import type { Tool as ServerTool } from "@modelcontextprotocol/client";
import type { Json, JsonObject } from "../lib/json.ts";
import { callFailure, isSessionLost } from "./failure.ts";
import { readToolResult } from "./result.ts";
import type { SessionKeeper } from "./session-keeper.ts";

/** The library wants a limit; the real one is the step's. */
const CALL_MS_MAX = 24 * 60 * 60_000;
const META_KEY = "agents/idempotencyKey";
const SESSION_LOST = Symbol("session lost");

export interface ServerCall {
  readonly tool: string;
  readonly input: JsonObject;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

export interface Connection {
  /** @throws AppError `tool_failed`, `forbidden`, `missing_key`; the signal's reason. */
  listTools(signal: AbortSignal): Promise<readonly ServerTool[]>;
  /** @throws AppError `tool_failed`, `invalid`, and as `listTools`; the signal's reason. */
  call(call: ServerCall): Promise<Json>;
  /** For good: a call that still comes fails. */
  close(): Promise<void>;
}

/** @param name What messages call the server. */
export function createConnection(name: string, keeper: SessionKeeper): Connection {
  const call = ({ tool, input, idempotencyKey, signal }: ServerCall) =>
    keeper.use(signal, async (session): Promise<Json | typeof SESSION_LOST> => {
      try {
        const result = await session.client.callTool(
          { name: tool, arguments: { ...input }, _meta: { [META_KEY]: idempotencyKey } },
          { signal, timeout: CALL_MS_MAX },
        );
        return readToolResult(tool, result);
      } catch (error) {
        signal.throwIfAborted();
        if (!isSessionLost(error)) throw callFailure(name, error);
        await keeper.end(session);
        return SESSION_LOST;
      }
    });
  return {
    listTools: (signal) => keeper.use(signal, async ({ tools }) => tools()),
    async call(wanted) {
      const answer = await call(wanted);
      if (answer !== SESSION_LOST) return answer;
      // Nothing was done: the server knew nothing of the one who asked.
      const second = await call(wanted);
      if (second !== SESSION_LOST) return second;
      throw callFailure(name, new Error("it forgets its sessions at once"));
    },
    close: () => keeper.close(),
  };
}
