import { expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { workflowJsonSchema } from "../../src/language/schema-json.ts";

test("workflowJsonSchema is a titled, closed schema of draft 2020-12 with a text for every key", () => {
  const schema = workflowJsonSchema();
  expect(schema).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "agents workflow",
    type: "object",
    required: ["schema_version", "flow", "state", "nodes", "edges"],
    additionalProperties: false,
  });
  const keys = Object.entries(schema["properties"] ?? {});
  expect(keys.filter(([, value]) => typeof value.description !== "string")).toEqual([]);
});

test("workflowJsonSchema accepts every example and refuses unknown keys", async () => {
  const schema = z.fromJSONSchema(workflowJsonSchema());
  const folder = join(import.meta.dir, "../../examples");
  for (const name of new Bun.Glob("*.yaml").scanSync(folder)) {
    const file: unknown = Bun.YAML.parse(await Bun.file(join(folder, name)).text());
    expect({ name, issues: schema.safeParse(file).error?.issues }).toEqual({
      name,
      issues: undefined,
    });
    expect(schema.safeParse(Object.assign({}, file, { zebra: 1 })).success).toBe(false);
  }
});
