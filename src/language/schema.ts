/**
 * The shape of a workflow file: CA's `schema_version: "1.0"` (what both of its branches read) and
 * the keys added to it. This is the source of the JSON Schema for editors, so every key says what it is
 * for. What the shape cannot say (names that must exist, graphs, types) is checked elsewhere.
 */
import { z } from "zod";
import { PROVIDERS, RETRY_REASONS, WORKFLOW_NODE_COUNT_MAX } from "../domain/workflow.ts";

/** Seven days: longer waits are for schedules, not for a step. */
export const TIMEOUT_SECONDS_MAX = 7 * 24 * 60 * 60;
export const ATTEMPT_COUNT_MAX = 100;
/** The engine waits no longer than this between two tries. */
const RETRY_DELAY_SECONDS_MAX = 300;
const LOOP_COUNT_MAX = 100;
const SANDBOX_SECONDS_MAX = 3600;
const VARIANT_RUN_COUNT_MAX = 10;

export const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

const text = z.string().trim().min(1);
const name = z.string().regex(IDENTIFIER);
const note = z.string().optional();
const seconds = z.number().positive().max(TIMEOUT_SECONDS_MAX);
const count = (least: number, most: number) => z.number().int().min(least).max(most);
/** A key that CA's files carry and nothing reads. */
const ignored = z.unknown().optional().describe("Accepted and ignored.");

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

const stateField = z.strictObject({
  type,
  required: z
    .boolean()
    .optional()
    .describe("Whether a run must be given this value. Default: false."),
  default: z.unknown().optional().describe("Value at the start when the inputs give none."),
  description: note.describe("Shown beside the input."),
  schema: fieldMap.optional().describe("Fields of an object; for types with `object` in them."),
});

const llm = z
  .strictObject({
    provider: z.enum(PROVIDERS).optional().describe("Who serves the model."),
    model: text.optional().describe("Model name as the provider spells it."),
    temperature: z.number().min(0).max(2).optional().describe("0 is most predictable."),
    max_tokens: z.number().int().positive().optional().describe("Longest answer, in tokens."),
    api_base: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Address of a server of your own."),
  })
  .describe("Model settings. A node's settings win over the workflow's, key by key.");

const memory = z
  .strictObject({
    enabled: z.boolean().optional().describe("Whether anything is remembered. Default: false."),
    default_scope: z
      .enum(["agent", "workflow", "node"])
      .optional()
      .describe("Who shares what is remembered."),
    max_entries: z.number().int().positive().optional().describe("How much is remembered."),
  })
  .describe("What a node remembers between runs.");

const outputField = z.strictObject({
  name: name.describe("A state field that is listed in `outputs`."),
  type,
  description: note.describe("Tells the model what to write here."),
  schema: fieldMap.optional().describe("Fields of an object."),
});

const outputSchema = z
  .strictObject({
    type: type.describe("`object` with `fields`, or one simple type for a single output."),
    fields: z.array(outputField).min(1).optional().describe("One for each of `outputs`."),
    description: note.describe("Tells the model what the answer is."),
  })
  .describe("What the answer must look like.");

const tool = z
  .union([
    text,
    z.strictObject({
      name: text.describe("The tool's name."),
      on_error: z
        .enum(["fail", "continue"])
        .optional()
        .describe("`continue` tells the model about the failure. Default: fail."),
      config: z.record(z.string(), z.unknown()).optional().describe("Settings of the tool."),
    }),
  ])
  .describe("The name of a tool, or a map with `name` and more.");

const sandbox = z.strictObject({
  mode: z.enum(["python", "docker"]).optional().describe("The kind of sandbox."),
  enabled: z.boolean().optional().describe("Whether the code is confined."),
  network: z
    .union([z.boolean(), z.record(z.string(), z.unknown())])
    .optional()
    .describe("Whether the code may use the network."),
  preset: z.enum(["low", "medium", "high", "max"]).optional().describe("A set of limits by name."),
  resources: z
    .strictObject({
      cpu: z.number().positive().optional().describe("Processors."),
      memory: text.optional().describe("Memory, such as 512m."),
      timeout: count(1, SANDBOX_SECONDS_MAX).optional().describe("Limit in seconds."),
    })
    .optional()
    .describe("Limits for the code."),
  timeout: count(1, SANDBOX_SECONDS_MAX).optional().describe("Limit in seconds."),
});

const retry = z
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

const mlflow = z
  .strictObject({
    experiment: text.optional().describe("Name of an experiment."),
    run_name: text.optional().describe("Name of a run."),
  })
  .describe("Accepted without effect.");

const node = z.strictObject({
  id: name.describe("Unique name of the step."),
  name: ignored,
  description: note.describe("What the step does."),
  inputs: z
    .record(name, z.string())
    .optional()
    .describe("Names for use in the prompt: local name to template."),
  prompt: text.optional().describe("What the model is asked. `{name}` puts a value in."),
  output_schema: outputSchema,
  outputs: z.array(text).min(1).describe("State fields that the answer is written to."),
  tools: z.array(tool).optional().describe("Tools the model may call."),
  memory: memory.optional(),
  llm: llm.optional(),
  sandbox: sandbox.optional().describe("Where code runs."),
  code: text.optional().describe("Python code; makes the node a code node."),
  log_prompts: z.boolean().optional().describe("Accepted without effect."),
  log_artifacts: z.boolean().optional().describe("Accepted without effect."),
  optimize: ignored,
  mlflow: mlflow.optional(),
  timeout: seconds.optional().describe("Limit for one try, in seconds."),
  retry: retry.optional(),
});

const edge = z.strictObject({
  from: text.describe("A node id, or START."),
  to: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe("A node id, or END; a list forks."),
  routes: z
    .array(
      z.strictObject({
        condition: z
          .strictObject({ logic: text.describe("A comparison of state fields, or `default`.") })
          .describe("When this way is taken."),
        to: text.describe("A node id, or END."),
      }),
    )
    .min(1)
    .optional()
    .describe("Targets with conditions; one of them `default`."),
  loop: z
    .strictObject({
      max_iterations: count(1, LOOP_COUNT_MAX).optional().describe("Rounds at most."),
      condition_field: text.describe("The bool field that ends the loop."),
      exit_to: text.optional().describe("A node id, or END. Default: END."),
    })
    .optional()
    .describe("Repeats the node until a bool field is true."),
  parallel: z
    .strictObject({
      items_field: text.describe("The list."),
      target_node: text.describe("The node that is run for each item."),
      collect_field: text.describe("The list that the results go to."),
    })
    .optional()
    .describe("Runs a node once for each item of a list."),
});

const observability = z.strictObject({
  mlflow: z
    .strictObject({
      enabled: z.boolean().optional().describe("Whether traces go to MLflow."),
      tracking_uri: text.optional().describe("Address of a tracking server."),
      experiment_name: text.optional().describe("Name of the experiment."),
      run_name: text.optional().describe("Name of the run."),
      log_prompts: z.boolean().optional().describe("Whether prompts are kept."),
      log_artifacts: z.boolean().optional().describe("Whether results are kept."),
      artifact_level: z
        .enum(["minimal", "standard", "full"])
        .optional()
        .describe("How much is kept."),
      async_logging: z.boolean().optional().describe("Whether a run waits for its log."),
      retention_days: ignored,
      redact_pii: ignored,
    })
    .optional()
    .describe("Accepted without effect."),
  logging: z
    .strictObject({
      level: z
        .enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
        .optional()
        .describe("The least important message that is kept."),
    })
    .optional()
    .describe("Accepted without effect."),
});

const abTest = z.strictObject({
  enabled: z.boolean().optional().describe("Whether variants are compared. Default: false."),
  experiment: text.describe("Name of the experiment."),
  variants: z
    .array(
      z.strictObject({
        name: text.describe("Name of the variant."),
        prompt: text.describe("Its prompt."),
        config_overrides: z
          .record(z.string(), z.unknown())
          .optional()
          .describe("Settings of this variant."),
        node_id: text.optional().describe("The node that it changes."),
      }),
    )
    .min(1)
    .describe("What is compared."),
  run_count: count(1, VARIANT_RUN_COUNT_MAX).optional().describe("Runs of each variant."),
  parallel: z.boolean().optional().describe("Whether variants run at the same time."),
});

const gates = z.strictObject({
  gates: z
    .array(
      z.strictObject({
        metric: text.describe("What is measured."),
        max: z.number().optional().describe("Most that is allowed."),
        min: z.number().optional().describe("Least that is allowed."),
      }),
    )
    .describe("The limits."),
  on_fail: z
    .enum(["warn", "fail", "block_deploy"])
    .optional()
    .describe("What happens when a limit is broken."),
});

const config = z.strictObject({
  llm: llm.optional(),
  execution: z
    .strictObject({
      timeout: seconds.optional().describe("Limit for the whole run, in seconds."),
      max_retries: count(0, ATTEMPT_COUNT_MAX)
        .optional()
        .describe("Tries of each step in all. Default: 3."),
    })
    .optional()
    .describe("Limits of a run."),
  observability: observability.optional().describe("Accepted without effect."),
  storage: z
    .strictObject({
      backend: z.enum(["sqlite"]).optional().describe("The kind of database."),
      path: text.optional().describe("Its file."),
    })
    .optional()
    .describe("Accepted without effect."),
  memory: memory.optional(),
  mlflow: mlflow.optional(),
  ab_test: abTest.optional().describe("Prompt variants to compare."),
  gates: gates.optional().describe("Limits that results are held against."),
});

export const workflowSchema = z
  .strictObject({
    schema_version: z.literal("1.0").describe("The version of this format, in quotes."),
    flow: z
      .strictObject({
        name: text.describe("The workflow's name."),
        description: note.describe("What the workflow does."),
        version: note.describe("Your own version of it; free text."),
        tags: ignored,
        author: ignored,
      })
      .describe("What the workflow is called."),
    state: z
      .strictObject({
        fields: z
          .record(name, stateField)
          .refine((fields) => Object.keys(fields).length > 0, "must have at least one field")
          .describe("Field name to its type."),
      })
      .describe("The values that the steps read and write."),
    nodes: z.array(node).min(1).max(WORKFLOW_NODE_COUNT_MAX).describe("The steps."),
    edges: z.array(edge).min(1).describe("The order of the steps, from START to END."),
    optimization: ignored,
    memory: ignored,
    webhook: ignored,
    config: config.optional().describe("Settings for the whole workflow."),
  })
  .meta({
    title: "agents workflow",
    description: 'A workflow of language model steps, `schema_version: "1.0"`.',
  });
