import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/lib/json.ts";
import type { ToolSettings } from "../../src/domain/tool-settings.ts";
import { startModelServer, type ModelServer } from "../support/model-server.ts";
import { createWorld, failure, NO_SEARCH, type World } from "./world.ts";

const KEY = "search-key-0123456789";
const seen: { path: string; query: string; headers: Headers; body: string }[] = [];

/** The three services beside Serper, as their documentation has them. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const url = new URL(request.url);
    seen.push({
      path: url.pathname,
      query: url.search,
      headers: request.headers,
      body: await request.text(),
    });
    const key =
      request.headers.get("x-subscription-token") ?? request.headers.get("authorization") ?? "";
    if (key.includes("bad")) return Response.json({ error: `no such key ${key}` }, { status: 401 });
    if (key.includes("broken")) return new Response("<html>", { status: 200 });
    if (url.pathname === "/tavily/search") {
      return Response.json({
        answer: "42",
        results: [
          { title: "T", url: "https://t.example", content: "about t", score: 0.9 },
          {
            title: "U",
            url: "https://u.example",
            content: "about u",
            published_date: "2026-01-01",
          },
        ],
      });
    }
    if (url.pathname === "/brave/res/v1/web/search") {
      return Response.json({
        web: {
          results: [{ title: "B", url: "https://b.example", description: "about b", age: "1 day" }],
        },
      });
    }
    if (url.pathname === "/searx/search") {
      return Response.json({
        results: [1, 2, 3].map((id) => ({
          title: `S${id}`,
          url: `https://s${id}.example`,
          content: "",
        })),
      });
    }
    return new Response("no", { status: 404 });
  },
});
const base = `http://127.0.0.1:${server.port}`;

let models: ModelServer;
let world: World;
beforeAll(async () => {
  models = await startModelServer();
  world = await createWorld();
});
afterAll(async () => {
  await Promise.all([server.stop(true), models.stop(), world[Symbol.asyncDispose]()]);
});

const services = (): ToolSettings["search"] => ({
  provider: undefined,
  serper: { apiKey: KEY, baseUrl: models.serperUrl },
  tavily: { apiKey: KEY, baseUrl: `${base}/tavily` },
  brave: { apiKey: KEY, baseUrl: `${base}/brave` },
  searxng: { baseUrl: `${base}/searx` },
});

const search = (
  settings: Partial<ToolSettings["search"]>,
  input: JsonObject,
  name = "web_search",
) =>
  world.call(name, input, {
    deps: {
      settings: { ...world.deps.settings, search: { ...NO_SEARCH, ...settings } },
    },
  });

const serperResult = (number: number) => ({
  title: `Result ${number} for AI safety`,
  link: `https://example.com/${number}`,
  snippet: `What page ${number} says about AI safety.`,
});

const brave = (apiKey: string) => ({ brave: { apiKey, baseUrl: `${base}/brave` } });

describe("web_search", () => {
  test("uses the service that is set up, each in its own way", async () => {
    const { serper, tavily, searxng } = services();
    const input = { query: "AI safety", num_results: 2 };
    expect(await search({ serper }, input)).toEqual({ results: [1, 2].map(serperResult) });
    expect(await search({ tavily }, input)).toEqual({
      answer: "42",
      results: [
        { title: "T", link: "https://t.example", snippet: "about t" },
        { title: "U", link: "https://u.example", snippet: "about u", date: "2026-01-01" },
      ],
    });
    expect(seen.at(-1)).toMatchObject({
      body: JSON.stringify({ query: "AI safety", max_results: 2 }),
    });
    expect(seen.at(-1)?.headers.get("authorization")).toBe(`Bearer ${KEY}`);
    expect(await search(brave(KEY), input)).toEqual({
      results: [{ title: "B", link: "https://b.example", snippet: "about b", date: "1 day" }],
    });
    expect(seen.at(-1)?.query).toBe("?q=AI+safety&count=2&text_decorations=0");
    expect(await search({ searxng }, input)).toEqual({
      results: [
        { title: "S1", link: "https://s1.example" },
        { title: "S2", link: "https://s2.example" },
      ],
    });
    expect(seen.at(-1)?.query).toBe("?q=AI+safety&format=json");
  });

  test("the workflow's provider wins over the setting, the setting over the order", async () => {
    const all = services();
    const titles = async (provider: "brave" | undefined, config: JsonObject | null) => {
      const settings = { ...world.deps.settings, search: { ...all, provider } };
      const answer = await world.call("web_search", { query: "x" }, { config, deps: { settings } });
      return JSON.stringify(answer).slice(0, 30);
    };
    expect(await titles(undefined, null)).toContain("Result 1");
    expect(await titles("brave", null)).toContain('"B"');
    expect(await titles("brave", { provider: "searxng" })).toContain('"S1"');
  });

  test("a service that is named and not set up is missing_key", async () => {
    expect(
      await failure(search({ ...services(), provider: "brave", brave: NO_SEARCH.brave }, {})),
    ).toEqual({
      code: "missing_key",
      message: "The tool web_search needs BRAVE_API_KEY, which is not set.",
      fix: "Set BRAVE_API_KEY in the environment or in .env (get one at https://brave.com/search/api).",
    });
  });

  test("a rejected key and an answer that is none are tool_failed", async () => {
    expect(await failure(search(brave("bad-key-1"), { query: "x" }))).toEqual({
      code: "tool_failed",
      message: "Brave Search rejected the request (HTTP 401).",
      fix: "Set BRAVE_API_KEY to a valid value.",
    });
    expect(await failure(search(brave("broken-1"), { query: "x" }))).toEqual({
      code: "tool_failed",
      message: "The search with Brave Search failed (HTTP 200).",
      fix: "Try again later; look at Brave Search for the state of the account.",
    });
  });
});

describe("serper_search", () => {
  test("returns the results with what helps a model", async () => {
    const { serper } = services();
    expect(await search({ serper }, { query: "AI safety", num: 2 }, "serper_search")).toEqual({
      results: [1, 2].map(serperResult),
    });
  });

  test("names the variable that is missing", async () => {
    expect(await failure(search({}, { query: "x" }, "serper_search"))).toEqual({
      code: "missing_key",
      message: "The tool serper_search needs SERPER_API_KEY, which is not set.",
      fix: "Set SERPER_API_KEY in the environment or in .env (get one at https://serper.dev).",
    });
  });

  test("says in words which arguments are wrong", async () => {
    const { serper } = services();
    expect(await failure(search({ serper }, { num: 99 }, "serper_search"))).toEqual({
      code: "invalid",
      message:
        "The arguments of serper_search are not valid. query: Invalid input: expected string, received undefined. num: Too big: expected number to be <=20.",
      fix: "Call the tool again with arguments that satisfy its parameters.",
    });
  });

  test("a rejected key fails without showing the key, nobody there is tool_failed", async () => {
    const serper = { apiKey: "bad-serper-key-1", baseUrl: models.serperUrl };
    expect(await failure(search({ serper }, { query: "x" }, "serper_search"))).toEqual({
      code: "tool_failed",
      message: "serper.dev rejected the request (HTTP 403).",
      fix: "Set SERPER_API_KEY to a valid value.",
    });
    const gone = { apiKey: KEY, baseUrl: "http://127.0.0.1:1" };
    expect(await failure(search({ serper: gone }, { query: "x" }, "serper_search"))).toMatchObject({
      code: "tool_failed",
      message: "`127.0.0.1:1` cannot be reached (ECONNREFUSED).",
    });
  });
});
