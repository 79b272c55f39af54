/**
 * The shape of a workflow file: CA's `schema_version: "1.0"` (what both of its branches read) and
 * the keys added to it. This is the source of the JSON Schema for editors, so every key says what it is
 * for. What the shape cannot say (names that must exist, graphs, types) is checked elsewhere.
 */
import { z } from "zod";
import {
  STEP_CONCURRENCY_DEFAULT,
  STEP_CONCURRENCY_MAX,
  WORKFLOW_NODE_COUNT_MAX,
} from "../domain/workflow.ts";
import { edge, node } from "./schema-node.ts";
import {
  ATTEMPT_COUNT_MAX,
  count,
  duration,
  ignored,
  llm,
  memory,
  mlflow,
  name,
  note,
  stateField,
  text,
  texts,
  timeout,
  WAIT_SECONDS_MAX,
} from "./schema-part.ts";

const VARIANT_RUN_COUNT_MAX = 10;

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

const budget = z
  .strictObject({
    max_cost_usd: z.number().positive().optional().describe("What all model calls may cost."),
    max_tokens: z.number().int().positive().optional().describe("Tokens of all model calls."),
    max_duration: duration(WAIT_SECONDS_MAX)
      .optional()
      .describe("Age of the run, waiting included: seconds, or a text such as 12h."),
    on_exceeded: z
      .enum(["fail", "wait"])
      .optional()
      .describe("`wait` lets a person raise the budget. Default: fail."),
  })
  .describe("What a run may use up, with the workflows it calls. Checked before each model call.");

const mcpServer = z
  .strictObject({
    command: text
      .optional()
      .describe("A program that speaks MCP on its standard input and output."),
    args: z.array(z.string()).optional().describe("Its arguments."),
    env: texts
      .optional()
      .describe(
        "Its environment variables. `${NAME}` takes a value from the environment, where the owner allows it.",
      ),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Address of a server (streamable HTTP)."),
    headers: texts
      .optional()
      .describe(
        "Headers for the server. `${NAME}` takes a value from the environment, where the owner allows it.",
      ),
  })
  .describe("A server: either `command` or `url`.");

const config = z.strictObject({
  llm: llm.optional(),
  execution: z
    .strictObject({
      timeout: timeout
        .optional()
        .describe(
          "Limit for the time a run works (waiting does not count): seconds, or a text such as 1h.",
        ),
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
  budget: budget.optional(),
  concurrency: count(1, STEP_CONCURRENCY_MAX)
    .optional()
    .describe(`Steps of one run at the same time. Default: ${STEP_CONCURRENCY_DEFAULT}.`),
  mcp_servers: z
    .record(z.string(), mcpServer)
    .optional()
    .describe("MCP servers by name; nodes use their tools as `server.tool`."),
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
