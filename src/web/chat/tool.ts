/** What the model of the chat may do with the product. One file a tool, below `tool/`. */
import type { AnswerEnd, ChatCall } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import type { ToolCall, ToolSpec } from "../../domain/model.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../../domain/tool.ts";
import type { Json } from "../../lib/json.ts";

export interface ChatToolResult {
  /** What the model is told. */
  readonly text: string;
  /** Where what was made can be seen, a path of the dashboard. */
  readonly link?: string;
  /** The run that it has begun. */
  readonly runId?: string;
}

/** Which call it is: the same when it is made again after a crash. */
export interface CallKey {
  readonly seed: string;
  /** When it was approved, or when the model asked for it where nobody is asked. */
  readonly atMs: number;
  /** What the person saw who approved it: see `ChatCall`. */
  readonly seen: string | null;
}

export interface ChatTool {
  readonly spec: ToolSpec;
  /** It writes or spends: a person is asked before each call. */
  readonly asks: boolean;
  /** @throws AppError when a call with these arguments makes no sense; asked before a person is. */
  check(input: Json): Promise<void>;
  /**
   * @param key Of a call that is made again after a crash what it makes must be there once.
   * @throws AppError
   */
  run(input: Json, key: CallKey): Promise<ChatToolResult>;
}

/** Decides for each call of an answer what is to be done: at once, after a person was asked, or nothing. */
export function planCalls(
  tools: readonly ChatTool[],
  calls: readonly ToolCall[],
): Promise<AnswerEnd["calls"]> {
  return Promise.all(
    calls.map(async ({ id, name, arguments: input }) => {
      const call = { callId: id, tool: name, arguments: input };
      try {
        const tool = requireTool(tools, name);
        await tool.check(input);
        return { ...call, state: tool.asks ? "asked" : "begun", result: null } as const;
      } catch (error) {
        return { ...call, state: "failed", result: failureText(error) } as const;
      }
    }),
  );
}

/** Makes one call. Never rejects: what fails is told to the model. */
export async function performCall(
  tools: readonly ChatTool[],
  call: ChatCall,
  key: CallKey,
): Promise<Pick<ChatCall, "state" | "result" | "link"> & Pick<ChatToolResult, "runId">> {
  try {
    const made = await requireTool(tools, call.tool).run(call.arguments, key);
    const { text, link = null, ...rest } = made;
    return { state: "done", result: cut(text), link, ...rest };
  } catch (error) {
    return { state: "failed", result: failureText(error), link: null };
  }
}

function requireTool(tools: readonly ChatTool[], name: string): ChatTool {
  const tool = tools.find(({ spec }) => spec.name === name);
  if (tool !== undefined) return tool;
  throw new AppError("not_found", `There is no tool ${name}.`, {
    fix: `Use one of ${tools.map(({ spec }) => spec.name).join(", ")}.`,
  });
}

function failureText(error: unknown): string {
  const { message, fix } = AppError.from(error);
  return cut([message, fix].filter((part) => part !== undefined).join(" "));
}

function cut(text: string): string {
  if (text.length <= TOOL_OUTPUT_CHARS_MAX) return text;
  return `${text.slice(0, TOOL_OUTPUT_CHARS_MAX)}\n… cut, ${text.length} characters in all`;
}
