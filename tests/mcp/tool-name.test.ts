import { expect, test } from "bun:test";
import fc from "fast-check";
import { modelToolName } from "../../src/mcp/tool-name.ts";

test("modelToolName() keeps names that every provider takes", () => {
  expect(modelToolName("files", "read_file")).toBe("files__read_file");
});

test("modelToolName() makes a name that every provider takes, never the same for two tools", () => {
  const made = new Map<string, string>();
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1, maxLength: 90 }),
      (server, tool) => {
        const name = modelToolName(server, tool);
        expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
        expect(made.get(name) ?? `${server}__${tool}`).toBe(`${server}__${tool}`);
        made.set(name, `${server}__${tool}`);
      },
    ),
    { numRuns: 500 },
  );
});
