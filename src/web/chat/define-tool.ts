/** The frame of the chat's tools: arguments are one zod schema, and what goes to the model has no secrets. */
import * as z from "zod";
import type { RunReader } from "../../domain/run-reader.ts";
import type { RunStore } from "../../domain/run.ts";
import { AppError } from "../../domain/error.ts";
import { argumentProblems, parametersOf } from "../../domain/tool-arguments.ts";
import type { WorkflowStore } from "../../domain/workflow.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import type { WebDeps } from "../deps.ts";
import type { WorkflowReader } from "../workflow-reader.ts";
import type { CallKey, ChatTool, ChatToolResult } from "./tool.ts";

/** What a configured provider offers. */
export interface OfferedModels {
  readonly provider: string;
  readonly models: readonly string[];
  /** Why it is not the provider's own list. */
  readonly note?: string;
}

export interface ChatToolDeps {
  readonly workflows: WorkflowStore;
  readonly runs: Pick<RunStore, "get" | "find" | "page">;
  readonly runReader: RunReader;
  readonly reader: Pick<WorkflowReader, "source" | "version">;
  readonly createRun: WebDeps["createRun"];
  /** All providers, also those that are not set up. */
  readonly providers: WebDeps["providers"];
  readonly offeredModels: () => Promise<readonly OfferedModels[]>;
  readonly tools: () => Promise<readonly { readonly name: string; readonly description: string }[]>;
  /** Blanks out keys and the values of variables. */
  readonly redact: (text: string) => string;
  readonly now: () => number;
}

export interface ChatToolDefinition<Input extends z.ZodObject> {
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  /** A strict object: what the tool does not know is refused. */
  readonly input: Input;
  readonly asks?: boolean;
  /** @throws AppError when a call with these arguments makes no sense. */
  check?(input: z.output<Input>): Promise<void>;
  run(input: z.output<Input>, key: CallKey): Promise<ChatToolResult>;
}

/** @param deps.redact Goes over all that the model is told, failures included. */
export function defineChatTool<Input extends z.ZodObject>(
  { redact }: Pick<ChatToolDeps, "redact">,
  definition: ChatToolDefinition<Input>,
): ChatTool {
  const { name, description, input: schema, asks = false } = definition;
  const read = (given: Json): z.output<Input> => {
    const parsed = schema.safeParse(withoutNulls(given));
    if (parsed.success) return parsed.data;
    const names = Object.keys(schema.shape).join(", ");
    throw new AppError(
      "invalid",
      `The arguments of ${name} are not valid. ${argumentProblems(parsed.error)}`,
      {
        fix: names === "" ? "Call it without arguments." : `Its arguments are: ${names}.`,
        cause: parsed.error,
      },
    );
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw cleaned(AppError.from(error), redact);
    }
  };
  return {
    spec: { name, description, parameters: parametersOf(schema) },
    asks,
    check: (given) => guarded(async () => definition.check?.(read(given))),
    run: (given, key) =>
      guarded(async () => {
        const { text, ...rest } = await definition.run(read(given), key);
        return { text: redactText(text, redact), ...rest };
      }),
  };
}

/** Some models give every argument, null where they mean none; and null where there are none. */
function withoutNulls(given: Json): Json {
  if (given === null) return {};
  if (!isJsonObject(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function cleaned(error: AppError, redact: (text: string) => string): AppError {
  const { code, message, fix } = error;
  return new AppError(code, redact(message), {
    cause: error,
    ...(fix === undefined ? {} : { fix: redact(fix) }),
  });
}

/** `{name}` and `${NAME}` stand for a value: as such they are no secret, and a file would break without them. */
function redactText(text: string, redact: (text: string) => string): string {
  return text
    .split(/(\$?\{\w+\})/)
    .map((part, index) => (index % 2 === 1 ? part : redact(part)))
    .join("");
}
