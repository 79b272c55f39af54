import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { JsonObject } from "../../src/lib/json.ts";
import { createRedactor } from "../../src/lib/redact.ts";
import { createWorld, failure, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const parseJson = (input: JsonObject) => world.call("json_parse", input);
const parseYaml = (input: JsonObject) => world.call("yaml_parse", input);

describe("json_parse", () => {
  test("returns the value, or the part at the path", async () => {
    const text = '{"items":[{"name":"A"},{"name":"B"}]}';
    expect(await parseJson({ text })).toEqual({ items: [{ name: "A" }, { name: "B" }] });
    expect(await parseJson({ text, path: "items.1.name" })).toBe("B");
    expect(await parseJson({ text, path: "$.items.0" })).toEqual({ name: "A" });
  });

  test("tells the model what it can do about a wrong text or path", async () => {
    expect(await failure(parseJson({ text: "{oops" }))).toMatchObject({ code: "invalid" });
    const text = '{"a":1,"b":2}';
    for (const path of ["c", "constructor", "__proto__"]) {
      expect(await failure(parseJson({ text, path }))).toEqual({
        code: "invalid",
        message: `There is nothing at "${path}" of the path "${path}".`,
        fix: "Use one of: a, b.",
      });
    }
  });
});

describe("yaml_parse", () => {
  test("returns what the text says as JSON, or the part at the path", async () => {
    const text =
      "items:\n  - name: A\n    at: 2026-01-02\n  - &b {name: B, n: .nan}\n  - *b\n1: one\n";
    expect(await parseYaml({ text })).toEqual({
      items: [
        { name: "A", at: "2026-01-02" },
        { name: "B", n: null },
        { name: "B", n: null },
      ],
      "1": "one",
    });
    expect(await parseYaml({ text, path: "items.1.name" })).toBe("B");
    expect(await parseYaml({ text: "" })).toBeNull();
  });

  test("refuses what is no YAML, several documents, and texts that stand for far more", async () => {
    for (const text of ["a: [1", "a: 1\n---\nb: 2", "a: 1\na: 2", "a: *none"])
      expect((await failure(parseYaml({ text }))).code, text).toBe("invalid");
    const bomb = Array.from({ length: 9 }, (_, index) =>
      index === 0
        ? "a0: &a0 [x,x,x,x,x,x,x,x,x]"
        : `a${index}: &a${index} [${`*a${index - 1},`.repeat(9)}]`,
    ).join("\n");
    expect(await failure(parseYaml({ text: bomb }))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("alias"),
    });
  });
});

const write = async (input: JsonObject) => {
  const answer = await world.call("dataframe_to_csv", { path: "t.csv", ...input });
  return { answer, text: await readFile(join(world.workspace, "t.csv"), "utf8") };
};

describe("dataframe_to_csv", () => {
  test("writes maps and lists", async () => {
    expect(
      await write({
        data: [
          { a: 1, b: "x" },
          { b: null, c: true },
        ],
      }),
    ).toEqual({
      answer: { path: "t.csv", rows: 2, columns: ["a", "b", "c"] },
      text: "a,b,c\n1,x,\n,,true\n",
    });
    expect((await write({ data: [{ a: 1, b: 2 }], columns: ["b", "a"], index: true })).text).toBe(
      ",b,a\n0,2,1\n",
    );
    expect(
      (
        await write({
          data: [
            [1, { k: "v" }],
            ["a", [1]],
          ],
          columns: ["x", "y"],
        })
      ).text,
    ).toBe('x,y\n1,"{""k"":""v""}"\na,[1]\n');
    expect((await write({ data: [] })).text).toBe("");
    expect(await failure(write({ data: [[1], [1, 2]], columns: ["x"] }))).toMatchObject({
      code: "invalid",
      message: "Row 1 has 2 values for 1 columns.",
    });
  });

  test("every text comes back as it was", async () => {
    const row = fc.array(
      fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "=", "é") }),
      {
        minLength: 2,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 3 }), async (data) => {
        expect(readCsv((await write({ data })).text)).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });
});

/** RFC 4180, sign by sign. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index] ?? "";
    if (quoted && sign === '"' && text[index + 1] === '"') {
      cell += sign;
      index += 1;
    } else if (sign === '"') quoted = !quoted;
    else if (quoted || !/[,\n]/.test(sign)) cell += sign;
    else {
      row.push(cell);
      cell = "";
      if (sign === "\n") {
        rows.push(row);
        row = [];
      }
    }
  }
  return rows;
}

describe("env_vars", () => {
  const environment = {
    PYTHONPATH: "/lib",
    PYTHON_VERSION: "3.13",
    HOME: "/home/a",
    OPENAI_API_KEY: "sk-secret-123456",
    DB_PASSWORD: "password-123456",
    GITHUB_TOKEN: "token-123456",
    COPY_OF_IT: "uses password-123456 too",
    DATABASE: "postgres://me:hidden-word@host/db",
    ALLOWED: "for-headers-only",
    EMPTY: undefined,
  };
  const list = (input: JsonObject) =>
    world.call("env_vars", input, {
      deps: {
        environment,
        redact: createRedactor([]),
        settings: { ...world.deps.settings, variables: { X: "for-headers-only" } },
      },
    });

  test("returns the names that fit, without secrets in name or value", async () => {
    expect(await list({ pattern: "PYTHON*" })).toEqual({
      PYTHONPATH: "/lib",
      PYTHON_VERSION: "3.13",
    });
    expect(await list({})).toEqual({
      HOME: "/home/a",
      PYTHONPATH: "/lib",
      PYTHON_VERSION: "3.13",
    });
    expect(await list({ pattern: "*KEY" })).toEqual({});
  });
});
