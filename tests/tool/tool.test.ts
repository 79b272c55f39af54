import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AppError } from "../../src/domain/error.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { createToolPort } from "../../src/tool/registry.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

const KEY = "serper-key-0123456789";

function context(signal = new AbortController().signal) {
  return { signal, idempotencyKey: "run/step/1", config: null };
}

function tool(name: string, serper: { apiKey?: string; baseUrl?: string } = {}) {
  const found = createToolPort({
    serper: { apiKey: serper.apiKey, baseUrl: serper.baseUrl },
  }).get(name);
  if (found === undefined) throw new Error(`no tool ${name}`);
  return found;
}

async function failure(run: () => unknown) {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, message: error.message, fix: error.fix };
  }
  throw new Error("did not fail");
}

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.stop());

test("createToolPort() knows its tools and no other", () => {
  const port = createToolPort({ serper: { apiKey: undefined, baseUrl: undefined } });
  expect(port.names).toEqual(["serper_search", "json_parse"]);
  expect(port.get("constructor")).toBeUndefined();
});

const search = (input: JsonObject, apiKey = KEY) =>
  tool("serper_search", { apiKey, baseUrl: server.serperUrl }).run(input, context());
const parseJson = (input: JsonObject) => tool("json_parse").run(input, context());

describe("serper_search", () => {
  test("tells the model its parameters as JSON Schema", () => {
    expect(tool("serper_search").spec.parameters).toEqual({
      type: "object",
      properties: {
        query: {
          type: "string",
          minLength: 1,
          maxLength: 2000,
          description: "What to search the web for.",
        },
        num: {
          type: "integer",
          minimum: 1,
          maximum: 20,
          description: "How many results to return; 5 when left out.",
        },
      },
      required: ["query"],
    });
  });

  test("returns the results with what helps a model", async () => {
    expect(await search({ query: "AI safety", num: 2 })).toEqual({
      results: [1, 2].map((number) => ({
        title: `Result ${number} for AI safety`,
        link: `https://example.com/${number}`,
        snippet: `What page ${number} says about AI safety.`,
      })),
    });
  });

  test("check() names the variable that is missing", async () => {
    expect(await failure(() => tool("serper_search").check())).toEqual({
      code: "missing_key",
      message: "The tool serper_search needs SERPER_API_KEY, which is not set.",
      fix: "Set SERPER_API_KEY in the environment or in .env (get one at https://serper.dev).",
    });
    expect(tool("serper_search", { apiKey: KEY }).check()).toBeUndefined();
  });

  test("says in words which arguments are wrong", async () => {
    expect(await failure(() => search({ num: 99 }))).toEqual({
      code: "invalid",
      message:
        "The arguments of serper_search are not valid. query: Invalid input: expected string, received undefined. num: Too big: expected number to be <=20.",
      fix: "Call the tool again with arguments that satisfy its parameters.",
    });
  });

  test("a rejected key fails as tool_failed without showing the key", async () => {
    const error = await failure(() => search({ query: "x" }, "bad-serper-key-1"));
    expect(error).toEqual({
      code: "tool_failed",
      message: "serper.dev rejected the key (HTTP 403).",
      fix: "Set SERPER_API_KEY to a valid key (https://serper.dev/api-key).",
    });
  });

  test("nobody there is tool_failed; an abort is cancelled, at once", async () => {
    const closed = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) });
    const baseUrl = `http://127.0.0.1:${closed.port}`;
    const slow = tool("serper_search", { apiKey: KEY, baseUrl });
    const controller = new AbortController();
    const running = failure(() => slow.run({ query: "x" }, context(controller.signal)));
    controller.abort();
    expect((await running).code).toBe("cancelled");
    await closed.stop(true);
    const gone = await failure(() => slow.run({ query: "x" }, context()));
    expect(gone).toMatchObject({
      code: "tool_failed",
      message: `The search service cannot be used at ${baseUrl}/search.`,
    });
  });
});

describe("json_parse", () => {
  test("returns the value, or the part at the path", async () => {
    const text = '{"items":[{"name":"A"},{"name":"B"}]}';
    expect(await parseJson({ text })).toEqual({ items: [{ name: "A" }, { name: "B" }] });
    expect(await parseJson({ text, path: "items.1.name" })).toBe("B");
    expect(await parseJson({ text, path: "$.items.0" })).toEqual({ name: "A" });
  });

  test("tells the model what it can do about a wrong text or path", async () => {
    expect(await failure(() => parseJson({ text: "{oops" }))).toMatchObject({ code: "invalid" });
    const text = '{"a":1,"b":2}';
    for (const path of ["c", "constructor", "__proto__"]) {
      expect(await failure(() => parseJson({ text, path }))).toEqual({
        code: "invalid",
        message: `There is nothing at "${path}" of the path "${path}".`,
        fix: "Use one of: a, b.",
      });
    }
  });
});
