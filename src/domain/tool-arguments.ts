/** What a model gives a tool: told to it as JSON Schema, and what is wrong with it told in words. */
import * as z from "zod";
import { isJsonObject, type JsonObject } from "../lib/json.ts";

export function parametersOf(schema: z.ZodObject): JsonObject {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(schema, { io: "input" });
  const json: unknown = JSON.parse(JSON.stringify(parameters));
  return isJsonObject(json) ? json : {};
}

export function argumentProblems(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
      return `${place}${issue.message.replace(/\.$/, "")}.`;
    })
    .join(" ");
}
