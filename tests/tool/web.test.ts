import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHttpPort } from "../../src/http/port.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { readableText } from "../../src/tool/readable-text.ts";
import { createWorld, failure, type World } from "./world.ts";

const PAGE = `<!doctype html><html><head><title>Tea &amp; more</title><style>p{}</style></head>
<body><script>evil()</script><h1>Green <b>tea</b></h1>
<p>It is &lt;good&gt;,   see <a href="/more?a=1&amp;b=2">the <i>next</i> page</a> or <a href="javascript:x()">this</a>.<br>Really&nbsp;&eacute;.</p>
<ul><li>one<li>two</ul><div hidden>secret</div>
<table><tr><th>Kind<th>Price</tr><tr><td>Sencha<td>4</tr></table>
<pre>a
  b</pre><article class="note"><p>Only this</p></article></body></html>`;

const html = (body: string | Uint8Array<ArrayBuffer>, type = "text/html") =>
  new Response(body, { headers: { "content-type": type } });

const requests: { method: string; headers: Headers; body: string }[] = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    requests.push({ method: request.method, headers: request.headers, body: await request.text() });
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/page":
        return html(PAGE, "text/html; charset=utf-8");
      case "/latin":
        return html(Uint8Array.from([0x3c, 0x70, 0x3e, 0xe9]), "text/html; charset=iso-8859-1");
      case "/meta":
        return html(
          Buffer.concat([Buffer.from('<meta charset="latin1"><p>'), Buffer.from([0xe9])]),
        );
      case "/text":
        return new Response("plain");
      case "/image":
        return html(new Uint8Array(3), "image/png");
      case "/long":
        return html(`<p>${"word ".repeat(20_000)}</p>`);
      case "/json":
        return Response.json({ a: [1] });
      case "/bad-json":
        return html("{oops", "application/json");
      case "/empty":
        return new Response(null, { status: 204 });
      case "/private":
        return Response.redirect("http://169.254.169.254/latest");
      default:
        return new Response("no such page", { status: 404 });
    }
  },
});
const base = `http://127.0.0.1:${server.port}`;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await server.stop(true);
  await world[Symbol.asyncDispose]();
});

const scrape = (input: JsonObject) => world.call("web_scrape", input);
const client = (input: JsonObject) => world.call("http_client", input);

describe("web_scrape", () => {
  test("returns title and text, with headings, lists, tables and links", async () => {
    const text = `# Green tea

It is <good>, see [the next page](${base}/more?a=1&b=2) or this.
Really é.

- one
- two

| Kind | Price

| Sencha | 4

a
  b

Only this`;
    expect(await scrape({ url: `${base}/page` })).toEqual({
      url: `${base}/page`,
      title: "Tea & more",
      chars: text.length,
      next_offset: null,
      text,
    });
  });

  test("reads only what fits a selector", async () => {
    expect(await scrape({ url: `${base}/page`, selector: "article.note, li" })).toMatchObject({
      title: "Tea & more",
      text: "- one\n\n- two\n\nOnly this",
    });
    expect(await failure(scrape({ url: `${base}/page`, selector: "aside" }))).toMatchObject({
      code: "tool_failed",
      message: "Nothing on the page fits the selector `aside`.",
    });
    expect(await failure(scrape({ url: `${base}/page`, selector: "div[" }))).toMatchObject({
      code: "invalid",
      message: "The selector cannot be used: Unexpected end of selector.",
    });
  });

  test("understands the encoding of the page", async () => {
    expect(await scrape({ url: `${base}/latin` })).toMatchObject({ text: "é" });
    expect(await scrape({ url: `${base}/meta` })).toMatchObject({ text: "é" });
    expect(await scrape({ url: `${base}/text` })).toMatchObject({ text: "plain" });
  });

  test("gives long pages in pieces", async () => {
    const url = `${base}/long`;
    const first = await scrape({ url });
    expect(first).toMatchObject({ chars: 99_999, next_offset: 50_000 });
    expect(await scrape({ url, offset: 99_990 })).toMatchObject({
      next_offset: null,
      text: "word word",
    });
  });

  test("refuses what is no page, and addresses of private networks, also by redirect", async () => {
    expect(await failure(scrape({ url: `${base}/image` }))).toEqual({
      code: "tool_failed",
      message: "The address leads to image/png, not to a page.",
      fix: "Use the address of a web page.",
    });
    expect(await failure(scrape({ url: `${base}/none` }))).toMatchObject({
      message: "The page cannot be read (HTTP 404).",
    });
    for (const url of [`${base}/private`, "http://[::1]/", "http://10.0.0.1/"])
      expect((await failure(scrape({ url }))).code).toBe("forbidden");
  });
});

describe("readableText()", () => {
  test("reads pages that never close anything", () => {
    expect(readableText("<title>x<p>a", "http://a/").text).toBe("");
    expect(readableText("<p>one<p>two <a href='/x'>link", "http://a/").text).toBe(
      "one\n\ntwo link",
    );
    expect(readableText("<p>a<script>b", "http://a/").text).toBe("a");
    expect(readableText("plain &amp; simple", "http://a/").text).toBe("plain & simple");
  });
});

describe("http_client", () => {
  test("returns status, headers and body in the way the answer says", async () => {
    expect(await client({ url: `${base}/json` })).toMatchObject({
      status: 200,
      url: `${base}/json`,
      headers: { "content-type": "application/json;charset=utf-8" },
      body: { a: [1] },
    });
    expect(await client({ url: `${base}/text` })).toMatchObject({ body: "plain" });
    expect(await client({ url: `${base}/bad-json` })).toMatchObject({ body: "{oops" });
    expect(await client({ url: `${base}/none` })).toMatchObject({
      status: 404,
      body: "no such page",
    });
    expect(await client({ url: `${base}/empty` })).toMatchObject({ status: 204, body: "" });
    expect(await client({ url: `${base}/image` })).toMatchObject({
      body: null,
      note: "The body is 3 bytes of image/png.",
    });
  });

  test("sends what it is given; changes carry the idempotency key", async () => {
    await client({ method: "POST", url: `${base}/text`, headers: { "X-A": "1" }, body: { a: 1 } });
    const posted = requests.at(-1);
    expect([posted?.method, posted?.body]).toEqual(["POST", '{"a":1}']);
    expect(posted?.headers.get("x-a")).toBe("1");
    expect(posted?.headers.get("content-type")).toBe("application/json");
    expect(posted?.headers.get("idempotency-key")).toBe("run/step/1.0");
    await client({
      method: "PUT",
      url: `${base}/text`,
      headers: { "Idempotency-Key": "mine", "Content-Type": "text/x" },
      body: "raw",
    });
    const put = requests.at(-1);
    expect(put?.headers.get("idempotency-key")).toBe("mine");
    expect([put?.headers.get("content-type"), put?.body]).toEqual(["text/x", "raw"]);
    await client({ url: `${base}/text` });
    expect(requests.at(-1)?.headers.get("idempotency-key")).toBeNull();
  });

  test("says what is wrong in the codes of tools", async () => {
    expect(await failure(client({ url: `${base}/text`, body: "x" }))).toMatchObject({
      code: "invalid",
      message: "A GET request has no body.",
    });
    expect((await failure(client({ url: "http://[::1]/" }))).code).toBe("forbidden");
    expect((await failure(client({ url: "http://127.0.0.1:1/" }))).code).toBe("tool_failed");
    expect((await failure(client({ url: "nonsense" }))).code).toBe("invalid");
    const closed = createHttpPort({ allowedAddresses: [] });
    const work = world.call("http_client", { url: base }, { deps: { http: closed } });
    expect((await failure(work)).code).toBe("forbidden");
  });

  test("ends with the signal's reason", async () => {
    const reason = new Error("over");
    const work = world.call("http_client", { url: base }, { signal: AbortSignal.abort(reason) });
    expect(await work.catch((error: unknown) => error)).toBe(reason);
  });
});
