/** The pieces that the shape of a workflow file is made of. */
import { z } from "zod";
import { MEMORY_ENTRY_COUNT_MAX } from "../domain/memory.ts";
import {
  MEMORY_SCOPES,
  MERGE_MODES,
  PROVIDERS,
  REASONING_LEVELS,
  RETRY_REASONS,
  SANDBOX_PRESETS,
} from "../domain/workflow.ts";
import { BYTE_SIZE } from "../lib/byte-size.ts";
import { DURATION, parseDurationMs } from "../lib/duration.ts";

/** Seven days: longer waits are for `wait` and `approval`, not for a step that works. */
export const TIMEOUT_SECONDS_MAX = 7 * 24 * 60 * 60;
/** Ten years: a timer for longer is a mistake. */
export const WAIT_SECONDS_MAX = 10 * 365 * 24 * 60 * 60;
export const ATTEMPT_COUNT_MAX = 100;
/** The engine waits no longer than this between two tries. */
const RETRY_DELAY_SECONDS_MAX = 300;
const SANDBOX_SECONDS_MAX = 3600;
const CPU_COUNT_MAX = 256;
const FALLBACK_COUNT_MAX = 10;
const FILE_COUNT_MAX = 20;
const EXPIRY_DAYS_MAX = 3650;

export const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

export const text = z.string().trim().min(1);
export const name = z.string().regex(IDENTIFIER);
export const note = z.string().optional();
export const count = (least: number, most: number) => z.number().int().min(least).max(most);
/** A key that CA's files carry and nothing reads. */
export const ignored = z.unknown().optional().describe("Accepted and ignored.");
/** Names to templates. */
export const texts = z.record(z.string(), z.string());

/** Seconds as a number, or a text with a unit. */
const secondsUpTo = (most: number) => z.number().positive().max(most);
const spanUpTo = (most: number) =>
  z
    .string()
    .regex(DURATION)
    .refine((span) => isWithin(parseDurationMs(span), most), {
      error: `must be above 0 and at most ${most} seconds`,
      params: { code: "out-of-range", fix: "Write a shorter time." },
    });
export const duration = (most: number) => z.union([secondsUpTo(most), spanUpTo(most)]);
export const timeout = duration(TIMEOUT_SECONDS_MAX);
/** The options of `duration` for a union that has more of them. */
export const waitOptions = [secondsUpTo(WAIT_SECONDS_MAX), spanUpTo(WAIT_SECONDS_MAX)] as const;

function isWithin(ms: number | undefined, most: number): boolean {
  return ms === undefined || (ms > 0 && ms <= most * 1000);
}

const type = text.describe(
  "str, int, float, bool, list, list[T], dict, dict[K, V] or object; they nest.",
);

const nestedField: z.ZodType = z
  .union([
    type,
    z.strictObject({
      type,
      required: z.boolean().optional().describe("Whether the field must be given. Default: false."),
      default: z.unknown().optional().describe("Value when none is given."),
      description: note.describe("What the field holds."),
      schema: z
        .lazy(() => fieldMap)
        .optional()
        .describe("Fields of an object."),
    }),
  ])
  .describe("A type, or a map with `type` and more.");
const fieldMap = z
  .record(name, nestedField)
  .refine((fields) => Object.keys(fields).length > 0, "must have at least one field");

export const stateField = z.strictObject({
  type,
  required: z
    .boolean()
    .optional()
    .describe("Whether a run must be given this value. Default: false."),
  default: z.unknown().optional().describe("Value at the start when the inputs give none."),
  description: note.describe("Shown beside the input."),
  schema: fieldMap.optional().describe("Fields of an object; for types with `object` in them."),
  merge: z
    .enum(MERGE_MODES)
    .optional()
    .describe(
      "How a value that a step writes joins the one that is there: last replaces it; append and union are for lists, sum, min and max for numbers, object for maps. Needed where branches that run side by side write the same field. Default: last.",
    ),
});

const apiBase = z
  .url({ protocol: /^https?$/ })
  .optional()
  .describe("Address of a server of your own.");
const provider = z.enum(PROVIDERS).optional().describe("Who serves the model.");
const model = text.optional().describe("Model name as the provider spells it.");

export const llm = z
  .strictObject({
    provider,
    model,
    temperature: z.number().min(0).max(2).optional().describe("0 is most predictable."),
    max_tokens: z.number().int().positive().optional().describe("Longest answer, in tokens."),
    reasoning: z
      .enum(REASONING_LEVELS)
      .optional()
      .describe("How much the model thinks before it answers; for models that can."),
    api_base: apiBase,
    fallbacks: z
      .array(
        z
          .strictObject({ provider, model, api_base: apiBase })
          .refine((choice) => choice.provider !== undefined || choice.model !== undefined, {
            error: "names no model",
            params: { code: "missing-key", fix: "Add `model:`, or `provider:` for its own model." },
          }),
      )
      .max(FALLBACK_COUNT_MAX)
      .optional()
      .describe("Asked in this order when the model before them cannot be used now."),
  })
  .describe("Model settings. A node's settings win over the workflow's, key by key.");

export const memory = z
  .strictObject({
    enabled: z.boolean().optional().describe("Whether anything is remembered. Default: false."),
    default_scope: z
      .enum(MEMORY_SCOPES)
      .optional()
      .describe(
        "Who shares what is remembered: `agent` all runs of this workflow, `workflow` the nodes of one run, `node` this node in one run. Default: agent.",
      ),
    max_entries: count(1, MEMORY_ENTRY_COUNT_MAX)
      .optional()
      .describe("Entries that are kept, and read into a prompt. Default: 50."),
    expires_after: z
      .number()
      .positive()
      .max(EXPIRY_DAYS_MAX)
      .optional()
      .describe("Days after which an entry is forgotten. Default: never."),
  })
  .describe("What a model node remembers. A node's keys win over the workflow's, key by key.");

const outputField = z.strictObject({
  name: name.describe("A state field that is listed in `outputs`."),
  type,
  description: note.describe("Tells the model what to write here."),
  schema: fieldMap.optional().describe("Fields of an object."),
});

export const outputSchema = z
  .strictObject({
    type: type.describe("`object` with `fields`, or one simple type for a single output."),
    fields: z.array(outputField).min(1).optional().describe("One for each of `outputs`."),
    description: note.describe("Tells the model what the answer is."),
  })
  .describe(
    "What the result must look like. Required for a model; other nodes take the types from the state.",
  );

const toolName = text.describe(
  "A tool, or one of an MCP server: `server.tool`, or `server.*` for all of them.",
);
const toolConfig = z.record(z.string(), z.unknown()).optional().describe("Settings of the tool.");
const toolTimeout = timeout.optional().describe("Limit for one call, in seconds. Default: 30.");

export const tool = z
  .union([
    text,
    z.strictObject({
      name: toolName,
      on_error: z
        .enum(["fail", "continue"])
        .optional()
        .describe("`continue` tells the model about the failure. Default: fail."),
      config: toolConfig,
      timeout: toolTimeout,
    }),
  ])
  .describe("The name of a tool, or a map with `name` and more.");

/** The tool of a tool node. */
export const calledTool = z
  .union([text, z.strictObject({ name: toolName, config: toolConfig, timeout: toolTimeout })])
  .describe("Calls this tool, without a model: its name, or a map with `name` and more.");

export const sandbox = z
  .strictObject({
    mode: z
      .enum(["python", "auto", "docker"])
      .optional()
      .describe("`docker` asks for a container; else whatever the machine has. Default: auto."),
    enabled: z.boolean().optional().describe("Code is always confined; false is not obeyed."),
    network: z
      .union([z.boolean(), z.record(z.string(), z.unknown())])
      .optional()
      .describe(
        "Whether the code may use the network. Default: true in a `sandbox` map, false without one.",
      ),
    preset: z
      .enum(SANDBOX_PRESETS)
      .optional()
      .describe(
        "Limits by name: low is 0.5 processors, 256 MB, 30 s; medium 1, 512 MB, 60 s; high 2, 1 GB, 120 s; max 4, 2 GB, 300 s. Default: medium.",
      ),
    resources: z
      .strictObject({
        cpu: z.number().positive().max(CPU_COUNT_MAX).optional().describe("Processors."),
        memory: z.string().regex(BYTE_SIZE).optional().describe("Memory, such as 512m or 2g."),
        timeout: count(1, SANDBOX_SECONDS_MAX).optional().describe("Limit in seconds."),
      })
      .optional()
      .describe("Limits that win over the preset."),
    timeout: count(1, SANDBOX_SECONDS_MAX).optional().describe("Limit in seconds; wins."),
  })
  .describe("How code and commands are confined.");

export const retry = z
  .strictObject({
    max_attempts: count(1, ATTEMPT_COUNT_MAX).optional().describe("Tries in all. Default: 3."),
    backoff: z
      .enum(["exponential", "linear", "fixed"])
      .optional()
      .describe("How the pause between tries grows. Default: exponential."),
    delay: z
      .number()
      .min(0)
      .max(RETRY_DELAY_SECONDS_MAX)
      .optional()
      .describe("The first pause, in seconds. Default: 1."),
    on: z
      .union([z.enum(RETRY_REASONS), z.array(z.enum(RETRY_REASONS)).min(1)])
      .optional()
      .describe("What is tried again. Default: all of them."),
  })
  .describe("How often and when the step is tried again.");

const errorField = name
  .optional()
  .describe("A state field of type str that takes the message of the failure.");

export const onError = z
  .union([
    z.enum(["fail", "continue"]),
    z.strictObject({
      continue: z
        .literal(true)
        .optional()
        .describe("The run goes on as if the step had written nothing."),
      route: text.optional().describe("The run goes on at this node (or END) instead."),
      error_field: errorField,
    }),
  ])
  .describe(
    "What happens when the step has failed for good: fail, continue, or a map. Default: fail.",
  );

export const mlflow = z
  .strictObject({
    experiment: text.optional().describe("Name of an experiment."),
    run_name: text.optional().describe("Name of a run."),
  })
  .describe("Accepted without effect.");

export const fileList = z
  .array(text)
  .max(FILE_COUNT_MAX)
  .describe(
    "Images and documents for the model: templates of paths in the workspace, http(s) addresses or data: URLs.",
  );
