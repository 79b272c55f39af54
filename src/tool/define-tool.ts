/** The frame of every tool: its arguments are one zod schema, told to the model as JSON Schema. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool, ToolContext } from "../domain/tool.ts";
import { argumentProblems, parametersOf } from "../domain/tool-arguments.ts";
import type { Json } from "../lib/json.ts";

const NO_CONFIG = z.strictObject({});

export interface ToolDefinition<Input extends z.ZodObject, Config extends z.ZodObject> {
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  readonly input: Input;
  /** What `config` of the workflow file may hold; nothing when left out. */
  readonly config?: Config;
  /** @throws AppError `missing_key`, `sandbox_unavailable`. */
  check?(config: z.output<Config>): void | Promise<void>;
  run(
    input: z.output<Input>,
    context: Omit<ToolContext, "config"> & { readonly config: z.output<Config> },
  ): Promise<Json>;
}

/** A tool that validates its arguments and tells the model in words what is wrong with them. */
export function defineTool<
  Input extends z.ZodObject,
  Config extends z.ZodObject = typeof NO_CONFIG,
>(definition: ToolDefinition<Input, Config>): Tool {
  const { name, description, input: schema } = definition;
  const configSchema: z.ZodObject = definition.config ?? NO_CONFIG;
  const readConfig = (config: Json): z.output<Config> => {
    const parsed = configSchema.safeParse(config ?? {});
    // The schema is Config's: only the default, which has no keys, hides that from the compiler.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (parsed.success) return parsed.data as z.output<Config>;
    const keys = Object.keys(configSchema.shape).join(", ");
    throw new AppError(
      "invalid",
      `The config of ${name} is not valid. ${argumentProblems(parsed.error)}`,
      {
        fix: keys === "" ? "Remove `config` from the tool." : `Use only these keys: ${keys}.`,
        cause: parsed.error,
      },
    );
  };
  return {
    spec: { name, description, parameters: parametersOf(schema) },
    async check(config) {
      const read = readConfig(config);
      await definition.check?.(read);
    },
    async run(input, context) {
      const parsed = schema.safeParse(input);
      if (!parsed.success) {
        throw new AppError(
          "invalid",
          `The arguments of ${name} are not valid. ${argumentProblems(parsed.error)}`,
          {
            fix: "Call the tool again with arguments that satisfy its parameters.",
            cause: parsed.error,
          },
        );
      }
      return definition.run(parsed.data, { ...context, config: readConfig(context.config) });
    },
  };
}
