import { z } from "zod";
import { assert } from "../lib/assert.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { IDENTIFIER } from "./schema-part.ts";
import { workflowSchema } from "./schema.ts";

/** Editors read patterns with and without Unicode support; this one means the same to both. */
const IDENTIFIER_PATTERN = "^[A-Za-z_\\u0080-\\uFFFF][A-Za-z0-9_\\u0080-\\uFFFF]*$";

/** The JSON Schema of workflow files, draft 2020-12, for editors: completion, hover texts, red lines. */
export function workflowJsonSchema(): JsonObject {
  const schema: unknown = z.toJSONSchema(workflowSchema, {
    target: "draft-2020-12",
    io: "input",
    override({ jsonSchema }) {
      if (jsonSchema.pattern === IDENTIFIER.source) jsonSchema.pattern = IDENTIFIER_PATTERN;
    },
  });
  assert(isJsonObject(schema), "zod writes a schema as an object");
  return schema;
}
