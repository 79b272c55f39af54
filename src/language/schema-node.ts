/** The shape of `nodes[]` and `edges[]`. */
import { z } from "zod";
import { MAP_ITEM_COUNT_MAX, STEP_CONCURRENCY_MAX } from "../domain/workflow.ts";
import { NODE_KINDS } from "./kind.ts";
import {
  calledTool,
  count,
  duration,
  fileList,
  ignored,
  llm,
  memory,
  mlflow,
  name,
  note,
  onError,
  outputSchema,
  retry,
  sandbox,
  text,
  texts,
  timeout,
  tool,
  WAIT_SECONDS_MAX,
  waitOptions,
} from "./schema-part.ts";

const LOOP_COUNT_MAX = 100;
const ARGUMENT_COUNT_MAX = 200;

const headers = texts
  .optional()
  .describe(
    "Headers, as templates. `${NAME}` takes a value from the environment, where the owner allows it.",
  );
const values = z.record(z.string(), z.unknown());

const http = z
  .strictObject({
    method: z
      .enum(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
      .optional()
      .describe("Default: POST with a `body`, GET without one."),
    url: text.describe("Address, as a template."),
    headers,
    query: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe("What comes after the `?`, as templates."),
    body: z
      .unknown()
      .optional()
      .describe("Text or JSON; texts in it are templates, and a lone placeholder keeps its type."),
    response: z
      .enum(["auto", "json", "text"])
      .optional()
      .describe("How the answer is read; `auto` looks at what it says it is. Default: auto."),
  })
  .describe("Sends one HTTP request; the answer is the result.");

const cli = z
  .strictObject({
    command: z
      .array(z.string())
      .min(1)
      .max(ARGUMENT_COUNT_MAX)
      .describe(
        "The program and its arguments, each a template. No shell is involved. `{prompt}` puts the node's prompt in.",
      ),
    env: texts
      .optional()
      .describe(
        "Environment variables, as templates. `${NAME}` takes a value from the environment, where the owner allows it.",
      ),
    folder: text.optional().describe("Folder inside the workspace. Default: the workspace."),
    response: z
      .enum(["json", "text"])
      .optional()
      .describe(
        "How the output of the program is read. Default: text when the only output is a str, else json.",
      ),
  })
  .describe("Runs a program; what it prints is the result. `prompt` goes to its standard input.");

const agent = z
  .strictObject({
    url: text.optional().describe("Address of the agent, as a template."),
    name: text
      .optional()
      .describe(
        "In place of `url`: the id or the name under which it is registered, as a template. Where it is is looked up with each call.",
      ),
    protocol: z
      .enum(["a2a", "run"])
      .optional()
      .describe("`a2a`, or `run` for a deployed workflow of configurable-agents. Default: a2a."),
    headers,
  })
  .describe("Asks an agent elsewhere; `prompt` is the message, `inputs` are its data.");

const workflow = z
  .union([
    text,
    z.strictObject({
      name: text.describe("The workflow's name."),
      inputs: values
        .optional()
        .describe("Its inputs: values or templates; a lone placeholder keeps its type."),
    }),
  ])
  .describe("Runs another workflow; its outputs are the result.");

const approval = z
  .strictObject({
    message: text.describe("What is asked, as a template."),
    timeout: duration(WAIT_SECONDS_MAX)
      .optional()
      .describe("How long to wait: seconds, or a text such as 14d. Default: for ever."),
    on_timeout: z
      .enum(["fail", "approve", "reject"])
      .optional()
      .describe("What no answer in time means. Default: fail."),
    on_reject: z
      .enum(["fail", "continue"])
      .optional()
      .describe("`continue` makes a rejection a result like an approval. Default: fail."),
  })
  .describe(
    "Waits for a person. Its outputs by name: `approved` (bool), `comment` (str), `by` (str); or one bool of any name.",
  );

const wait = z
  .union([
    ...waitOptions,
    z.strictObject({
      seconds: duration(WAIT_SECONDS_MAX)
        .optional()
        .describe("How long: seconds, or a text such as 2h."),
      until: text.optional().describe("A time such as 2030-01-31T09:00:00Z, as a template."),
      signal: text.optional().describe("Name of the signal to wait for, as a template."),
      timeout: duration(WAIT_SECONDS_MAX)
        .optional()
        .describe("How long to wait for the signal. Default: for ever."),
      on_timeout: z
        .enum(["fail", "continue"])
        .optional()
        .describe("What happens when no signal comes in time. Default: fail."),
    }),
  ])
  .describe(
    "Waits: a number of seconds, or one of `seconds`, `until` and `signal`. What comes with a signal is the result.",
  );

const code = {
  code: text
    .optional()
    .describe(
      "A program that leaves its result in `result`; each of `inputs` is a variable. It runs confined.",
    ),
  language: z
    .enum(["python", "javascript"])
    .optional()
    .describe("What `code` is written in. Default: python."),
  sandbox: sandbox.optional(),
};

export const node = z.strictObject({
  id: name.describe("Unique name of the step."),
  kind: z
    .enum(NODE_KINDS)
    .optional()
    .describe("What the node is. Default: what its keys say, else llm."),
  name: ignored,
  description: note.describe("What the step does."),
  when: text
    .optional()
    .describe("A condition; where it is false the step is skipped and writes nothing."),
  inputs: z
    .record(name, z.string())
    .optional()
    .describe("Names for use in the node: local name to template."),
  prompt: text.optional().describe("What the model is asked. `{name}` puts a value in."),
  output_schema: outputSchema.optional(),
  outputs: z.array(text).optional().describe("State fields that the result is written to."),
  tools: z.array(tool).optional().describe("Tools the model may call."),
  memory: memory.optional(),
  llm: llm.optional(),
  cache: z
    .boolean()
    .optional()
    .describe("Whether an answer to the very same request is used again. Default: false."),
  files: fileList.optional(),
  ...code,
  tool: calledTool.optional(),
  arguments: values
    .optional()
    .describe(
      "What the tool is called with: values or templates; a lone placeholder keeps its type.",
    ),
  http: http.optional(),
  cli: cli.optional(),
  agent: agent.optional(),
  workflow: workflow.optional(),
  approval: approval.optional(),
  wait: wait.optional(),
  log_prompts: z.boolean().optional().describe("Accepted without effect."),
  log_artifacts: z.boolean().optional().describe("Accepted without effect."),
  optimize: ignored,
  mlflow: mlflow.optional(),
  timeout: timeout.optional().describe("Limit for one try: seconds, or a text such as 5m."),
  retry: retry.optional(),
  on_error: onError.optional(),
});

export const edge = z.strictObject({
  from: text.describe("A node id, or START."),
  to: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe("A node id, or END. A list runs all of them side by side."),
  routes: z
    .array(
      z.strictObject({
        condition: z
          .strictObject({ logic: text.describe("A condition on the state, or `default`.") })
          .describe("When this way is taken."),
        to: text.describe("A node id, or END."),
      }),
    )
    .min(1)
    .optional()
    .describe("Ways with conditions: the first that is true is taken, else the `default`."),
  loop: z
    .strictObject({
      max_iterations: count(1, LOOP_COUNT_MAX).optional().describe("Rounds at most. Default: 10."),
      condition_field: text.describe("The bool field that ends the loop."),
      exit_to: text.optional().describe("A node id, or END. Default: END."),
    })
    .optional()
    .describe("Repeats the node until a bool field is true."),
  parallel: z
    .strictObject({
      items_field: text.describe(
        `The list; at most ${MAP_ITEM_COUNT_MAX} items. In the node \`{item}\` and \`{index}\` name the item.`,
      ),
      target_node: text.describe("The node that is run for each item."),
      collect_field: text.describe("The list that the results go to, in the order of the items."),
      max_concurrency: count(1, STEP_CONCURRENCY_MAX)
        .optional()
        .describe("Items at the same time. Default: `config.concurrency`."),
    })
    .optional()
    .describe("Runs a node once for each item of a list."),
});
