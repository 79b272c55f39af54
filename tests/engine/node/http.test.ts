/** HTTP nodes against a real server, through the product's own guarded HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ErrorCode } from "../../../src/domain/error.ts";
import type { HttpNode } from "../../../src/domain/workflow.ts";
import { httpNode } from "../../../src/engine/node/http.ts";
import { createHttpPort } from "../../../src/http/port.ts";
import { BASE, createTestStep, failureOf, reasonOf } from "./harness.ts";

const http = createHttpPort({ allowedAddresses: ["127.0.0.1"] });
const SECRET = "s3cret-value";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
const seen: Seen[] = [];
let answer: (request: Seen) => Response;
let server: ReturnType<typeof Bun.serve>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const url = new URL(request.url);
      const one = {
        method: request.method,
        url: `${url.pathname}${url.search}`,
        headers: request.headers.toJSON(),
        body: await request.text(),
      };
      seen.push(one);
      return answer(one);
    },
  });
});
afterAll(() => server.stop(true));

function node(changes: Partial<HttpNode>): HttpNode {
  const url = `http://127.0.0.1:${server.port}/items`;
  return {
    ...BASE,
    kind: "http",
    method: "GET",
    url,
    headers: {},
    query: {},
    response: "auto",
    ...changes,
  };
}

const TEXT = [{ name: "text", type: { kind: "str" } }] as const;
const ANY = [{ name: "found", type: { kind: "object", fields: [] } }] as const;

describe("httpNode", () => {
  test("execute() sends templates everywhere, and null leaves a query value out", async () => {
    seen.length = 0;
    answer = () => Response.json({ id: 7 });
    const values = { topic: "a b&c", tags: ["x"], nothing: null };
    const step = createTestStep({ ports: { http }, values, variables: { TOKEN: SECRET } });
    const result = await step.execute(
      httpNode,
      node({
        method: "POST",
        url: `http://127.0.0.1:${server.port}/items/{tags.0}?fixed=1`,
        query: { q: "{topic}", none: "{nothing}" },
        headers: { Authorization: "Bearer ${TOKEN}", "X-Topic": "t={topic}" },
        body: { tags: "{tags}", title: "About {topic}" },
        outputs: ANY,
      }),
    );
    expect(result).toEqual({ patch: { found: { id: 7 } } });
    expect(seen).toEqual([
      {
        method: "POST",
        url: "/items/x?fixed=1&q=a+b%26c",
        headers: expect.objectContaining({
          authorization: `Bearer ${SECRET}`,
          "x-topic": "t=a b&c",
          "content-type": "application/json",
          "idempotency-key": "run1/n/1.0",
        }),
        body: '{"tags":["x"],"title":"About a b&c"}',
      },
    ]);
  });

  test("execute() keeps the key of a POST over a retry, and sends none with a GET", async () => {
    seen.length = 0;
    answer = () => new Response("busy", { status: 503 });
    const step = createTestStep({ ports: { http } });
    for (const attempt of [1, 2])
      await failureOf(step.execute(httpNode, node({ method: "PUT" }), { attempt }));
    await failureOf(step.execute(httpNode, node({})));
    expect(seen.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "run1/n/1.0",
      "run1/n/1.0",
      undefined,
    ]);
  });

  test("execute() sends a text body as it is, with the node's own content type and key", async () => {
    seen.length = 0;
    answer = () => new Response("ok");
    const headers = { "Content-Type": "text/csv", "Idempotency-Key": "mine" };
    const step = createTestStep({ ports: { http }, values: { a: 1 } });
    await step.execute(httpNode, node({ method: "POST", headers, body: "a={a}" }));
    expect(seen[0]).toMatchObject({
      body: "a=1",
      headers: { "content-type": "text/csv", "idempotency-key": "mine" },
    });
  });

  test.each([
    ["auto", "application/json", '{"a":1}', { a: 1 }],
    ["auto", "application/problem+json; charset=utf-8", "[1]", [1]],
    ["auto", "text/plain", '{"a":1}', '{"a":1}'],
    ["auto", "application/json", "", null],
    ["json", "text/plain", "5", 5],
    ["text", "application/json", '{"a":1}', '{"a":1}'],
  ] as const)("execute() reads %s of %s", async (response, type, ...[body, expected]) => {
    answer = () => new Response(body, { headers: { "content-type": type } });
    const step = createTestStep({ ports: { http } });
    await step.execute(httpNode, node({ response }));
    expect(step.calls[0]?.result).toEqual({ value: expected });
  });

  test("execute() gives the headers of a HEAD request", async () => {
    answer = () => new Response(null, { headers: { etag: "abc" } });
    const step = createTestStep({ ports: { http } });
    const result = await step.execute(httpNode, node({ method: "HEAD", outputs: ANY }));
    expect(result).toMatchObject({ patch: { found: { etag: "abc" } } });
  });

  test("execute() refuses JSON that is none, and a result of the wrong type", async () => {
    answer = () => new Response("<html>");
    const step = createTestStep({ ports: { http } });
    expect(await failureOf(step.execute(httpNode, node({ response: "json" })))).toMatchObject({
      code: "output_invalid",
      message: "The answer is not JSON: <html>",
    });
    answer = () => Response.json(5);
    const typed = createTestStep({ ports: { http } });
    const failure = await failureOf(typed.execute(httpNode, node({ outputs: TEXT })));
    expect(failure.code).toBe("output_invalid");
    expect(failure.message).toContain('"text"');
  });

  const refusals: [number, Record<string, string>, ErrorCode, number | undefined][] = [
    [429, { "retry-after": "7" }, "rate_limited", 7_000],
    [503, { "retry-after": "2" }, "unavailable", 2_000],
    [500, {}, "unavailable", undefined],
    [408, {}, "unavailable", undefined],
    [404, {}, "tool_failed", undefined],
    [401, {}, "tool_failed", undefined],
    [304, {}, "tool_failed", undefined],
  ];
  test.each(refusals)(
    "execute() turns status %d into an error",
    async (status, headers, ...[code, waitMs]) => {
      answer = () =>
        new Response(status === 304 ? null : "no  luck\n", {
          status,
          headers: new Headers(headers),
        });
      const step = createTestStep({ ports: { http } });
      const failure = await failureOf(
        step.execute(httpNode, node({ query: { key: "not-to-be-shown" } })),
      );
      const said = status === 304 ? "." : ": no luck.";
      expect(failure).toEqual({
        code,
        message: `GET http://127.0.0.1:${server.port}/items answered with status ${status}${said}`,
        fix: expect.any(String),
        ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      });
      expect(step.calls).toEqual([]);
      expect(step.events).toMatchObject([
        { type: "tool.started" },
        { type: "tool.finished", ok: false },
      ]);
    },
  );

  test("execute() keeps variables out of journal, log, result and errors", async () => {
    const headers = { Authorization: "Bearer ${TOKEN}" };
    answer = ({ headers: sent }) => Response.json({ echo: sent["authorization"] });
    const step = createTestStep({ ports: { http }, variables: { TOKEN: SECRET } });
    const result = await step.execute(httpNode, node({ headers, outputs: ANY }));
    answer = ({ headers: sent }) => new Response(sent["authorization"], { status: 400 });
    const failing = createTestStep({ ports: { http }, variables: { TOKEN: SECRET } });
    const failure = await failureOf(failing.execute(httpNode, node({ headers })));
    const kept = JSON.stringify([result, failure, step.calls, step.events, failing.events]);
    expect(kept).not.toContain(SECRET);
    expect(result).toEqual({ patch: { found: { echo: "Bearer [redacted]" } } });
    expect(step.calls[0]?.request).toMatchObject({
      input: { headers: { Authorization: ["Bearer ", { variable: "TOKEN" }] } },
    });
  });

  test("execute() takes a variable's name in a value of the state as text", async () => {
    seen.length = 0;
    answer = () => new Response("ok");
    const values = { said: "${TOKEN}" };
    const step = createTestStep({ ports: { http }, values, variables: { TOKEN: SECRET } });
    await step.execute(httpNode, node({ headers: { "X-Said": "{said}" } }));
    expect(seen[0]?.headers["x-said"]).toBe("${TOKEN}");
  });

  test("execute() refuses a variable that is not allowed before anything is sent", async () => {
    seen.length = 0;
    const step = createTestStep({ ports: { http } });
    const failure = await failureOf(
      step.execute(httpNode, node({ headers: { Authorization: "${TOKEN}" } })),
    );
    expect(failure).toEqual({
      code: "missing_key",
      message: "The variable `TOKEN` is not set, or workflows may not use it.",
      fix: "Set TOKEN in the environment and name it in ALLOWED_VARIABLES.",
    });
    expect(seen).toEqual([]);
  });

  test("render() refuses a body for GET and an address that is none", () => {
    const step = createTestStep({ values: { url: "nowhere" } });
    expect(() => step.render(httpNode, node({ body: {} }))).toThrow("A GET request has no body.");
    expect(() => step.render(httpNode, node({ url: "{url}" }))).toThrow(
      "`nowhere` is not an address.",
    );
  });

  test("execute() is refused a private address that nobody has allowed", async () => {
    const guarded = createHttpPort({ allowedAddresses: [] });
    const step = createTestStep({ ports: { http: guarded } });
    expect((await failureOf(step.execute(httpNode, node({})))).code).toBe("forbidden");
  });

  test("execute() again after a crash reads the journal and asks nobody", async () => {
    seen.length = 0;
    answer = () => Response.json({ count: seen.length });
    const step = createTestStep({ ports: { http } });
    const first = await step.execute(httpNode, node({ method: "POST", outputs: ANY }));
    const second = await step.execute(httpNode, node({ method: "POST", outputs: ANY }));
    expect(second).toEqual(first);
    expect(seen).toHaveLength(1);
    expect(step.events.map(({ type }) => type)).toEqual(["tool.started", "tool.finished"]);
  });

  test("execute() ends with the reason of the abort", async () => {
    answer = () => new Response(new ReadableStream({ start: () => undefined }));
    const abort = new AbortController();
    const step = createTestStep({ ports: { http } });
    const work = step.execute(httpNode, node({}), { signal: abort.signal });
    while (seen.length === 0) await Bun.sleep(1);
    abort.abort(new Error("stop"));
    expect(await reasonOf(work)).toMatchObject({ message: "stop" });
  });
});
