/** The frame of every tool: its arguments are one zod schema, told to the model as JSON Schema. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool, ToolContext } from "../domain/tool.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export interface ToolDefinition<Schema extends z.ZodObject> {
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  readonly input: Schema;
  /** @throws AppError `missing_key`. */
  check?(): void;
  run(input: z.output<Schema>, context: ToolContext): Promise<Json>;
}

/** A tool that validates its arguments and tells the model in words what is wrong with them. */
export function defineTool<Schema extends z.ZodObject>(definition: ToolDefinition<Schema>): Tool {
  const { name, description, input: schema } = definition;
  return {
    spec: { name, description, parameters: parametersOf(schema) },
    check: () => definition.check?.(),
    async run(input, context) {
      const parsed = schema.safeParse(input);
      if (!parsed.success) {
        throw new AppError(
          "invalid",
          `The arguments of ${name} are not valid. ${problems(parsed.error)}`,
          {
            fix: "Call the tool again with arguments that satisfy its parameters.",
            cause: parsed.error,
          },
        );
      }
      return definition.run(parsed.data, context);
    },
  };
}

function parametersOf(schema: z.ZodObject): JsonObject {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(schema, { io: "input" });
  const json: unknown = JSON.parse(JSON.stringify(parameters));
  return isJsonObject(json) ? json : {};
}

function problems(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
      return `${place}${issue.message.replace(/\.$/, "")}.`;
    })
    .join(" ");
}
