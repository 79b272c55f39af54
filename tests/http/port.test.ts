import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../src/domain/error.ts";
import { HTTP_BODY_BYTES_MAX, type HttpRequest } from "../../src/domain/http.ts";
import { createFetchFunction } from "../../src/http/guarded-fetch.ts";
import type { GuardOptions } from "../../src/http/guard.ts";
import { createHttpPort } from "../../src/http/port.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const seen: Seen[] = [];
const routes: Record<string, (url: URL) => Response> = {
  "/big": () => new Response(new Uint8Array(HTTP_BODY_BYTES_MAX + 1)),
  "/events": () => {
    // Three events that are large together, then one that never ends.
    const event = "x".repeat(HTTP_BODY_BYTES_MAX / 2 - 10);
    const pieces = [
      ...Array<string>(3).fill(`data: ${event}\r\n\r\n`),
      ...Array<string>(3).fill(event),
    ];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
  "/loop": () => new Response(null, { status: 302, headers: { location: "/loop" } }),
  "/file": () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
  "/named": () => new Response(null, { status: 302, headers: { location: "http://a:b@x.test/" } }),
  "/to": (url) =>
    new Response(null, {
      status: Number(url.searchParams.get("status") ?? 302),
      headers: { location: url.searchParams.get("url") ?? "/" },
    }),
};

/** Two servers with one port on two loopback addresses: they tell which address was called. */
function serve(hostname: string, port = 0) {
  return Bun.serve({
    hostname,
    port,
    async fetch(request) {
      const url = new URL(request.url);
      seen.push({
        method: request.method,
        path: url.pathname,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      });
      const route = routes[url.pathname];
      if (route !== undefined) return route(url);
      return new Response(`${hostname} for ${request.headers.get("host")}`);
    },
  });
}

const first = serve("127.0.0.1");
const port = first.port ?? 0;
const second = serve("127.0.0.2", port);
afterAll(async () => {
  await Promise.all([first.stop(true), second.stop(true)]);
});

async function get(
  url: string,
  options: Partial<GuardOptions> = {},
  request: Partial<HttpRequest> = {},
) {
  const answer = await createHttpPort({ allowedAddresses: [], ...options }).request({
    method: "GET",
    url,
    signal: AbortSignal.timeout(10_000),
    ...request,
  });
  return { status: answer.status, url: answer.url, text: new TextDecoder().decode(answer.body) };
}

async function refused(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, message: error.message, fix: error.fix };
  }
  throw new Error("was not refused");
}

const loopback = { allowedAddresses: ["127.0.0.0/8"] };

describe("the guard", () => {
  test("refuses every spelling of this machine, before anything is sent", async () => {
    const before = seen.length;
    for (const host of [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f000001",
      "0177.0.0.1",
      "0x7f.1",
      "localhost",
      "LOCALHOST.",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "0.0.0.0",
      "0",
      "①②⑦.0.0.1",
    ]) {
      expect((await refused(get(`http://${host}:${port}/`))).code, host).toBe("forbidden");
    }
    expect(seen.length).toBe(before);
  });

  test("says how the owner can allow it", async () => {
    expect(await refused(get("http://169.254.169.254/latest/meta-data"))).toEqual({
      code: "forbidden",
      message: "`169.254.169.254` is an address of this machine or of a private network.",
      fix: "Add 169.254.169.254:80 to AGENTS_ALLOWED_ADDRESSES if steps and tools may call it.",
    });
  });

  test("no address of a private network is ever called, however it is written", async () => {
    const guarded = createHttpPort({ allowedAddresses: [], resolve: async () => [] });
    const network = fc.constantFrom(
      [10],
      [127],
      [192, 168],
      [169, 254],
      [172, 20],
      [100, 100],
      [0],
    );
    const byte = fc.integer({ min: 0, max: 255 });
    const spelling = fc.constantFrom<(bytes: readonly number[]) => string>(
      (bytes) => bytes.join("."),
      (bytes) => bytes.map((part) => `0x${part.toString(16)}`).join("."),
      (bytes) => bytes.map((part) => `0${part.toString(8)}`).join("."),
      (bytes) => String(bytes.reduce((value, part) => value * 256 + part, 0)),
      (bytes) => `[::ffff:${bytes.join(".")}]`,
      (bytes) => `[64:ff9b::${bytes.join(".")}]`,
    );
    await fc.assert(
      fc.asyncProperty(network, fc.tuple(byte, byte, byte), spelling, async (head, tail, spell) => {
        const bytes = [...head, ...tail].slice(0, 4);
        const url = `http://${spell(bytes)}/`;
        const signal = AbortSignal.timeout(5_000);
        const error = await refused(guarded.request({ method: "GET", url, signal }));
        expect(error.code).toBe("forbidden");
      }),
    );
  });

  test("refuses a name that leads to a private address, takes the public ones of a mixed answer", async () => {
    const url = `http://site.test:${port}/`;
    expect((await refused(get(url, { resolve: async () => ["10.0.0.1", "::1"] }))).code).toBe(
      "forbidden",
    );
    const mixed = await get(url, {
      allowedAddresses: ["127.0.0.2"],
      resolve: async () => ["127.0.0.1", "127.0.0.2"],
    });
    expect(mixed.text).toBe(`127.0.0.2 for site.test:${port}`);
  });

  test("connects to the address that was checked, also when the name leads elsewhere a moment later", async () => {
    const answers = [["127.0.0.2"], ["127.0.0.1"]];
    let asked = 0;
    const answer = await get(`http://rebind.test:${port}/`, {
      allowedAddresses: ["127.0.0.2/32"],
      resolve: async () => answers[asked++] ?? [],
    });
    expect(answer.text).toBe(`127.0.0.2 for rebind.test:${port}`);
    expect(asked).toBe(1);
  });

  test("tries the next address when one does not answer", async () => {
    const answer = await get(`http://site.test:${port}/`, {
      ...loopback,
      resolve: async () => ["127.0.0.77", "127.0.0.2"],
    });
    expect(answer.text).toBe(`127.0.0.2 for site.test:${port}`);
  });

  test.each([
    ["localhost", true],
    [`localhost:${port}`, true],
    ["localhost:1", false],
    ["other", false],
    ["127.0.0.0/8", true],
    ["127.0.0.1", true],
    [`127.0.0.1:${port}`, true],
    ["127.0.0.1:1", false],
    ["128.0.0.0/8", false],
    ["::ffff:127.0.0.1", true],
    ["LocalHost", true],
  ])("the list entry %j opens localhost: %j", async (entry, opens) => {
    const options = { allowedAddresses: [entry], resolve: async () => ["127.0.0.1"] };
    const work = get(`http://localhost:${port}/`, options);
    if (opens) expect((await work).status).toBe(200);
    else expect((await refused(work)).code).toBe("forbidden");
  });

  test.each(["", "http://a/", "a:b", "a:70000", "a/b", "10.0.0.0/40", "user@a", "a b"])(
    "the list entry %j is refused with the way to write it",
    (entry) => {
      expect(() => createHttpPort({ allowedAddresses: [entry] })).toThrow(
        `AGENTS_ALLOWED_ADDRESSES cannot hold \`${entry}\`.`,
      );
    },
  );

  test("a trusted address may be private, what it redirects to may not", async () => {
    const url = `http://127.0.0.1:${port}`;
    expect((await get(`${url}/`, {}, { trusted: true })).status).toBe(200);
    const same = `${url}/to?url=/`;
    expect((await get(same, {}, { trusted: true })).url).toBe(`${url}/`);
    const elsewhere = `${url}/to?url=http://127.0.0.2:${port}/`;
    expect((await refused(get(elsewhere, {}, { trusted: true }))).code).toBe("forbidden");
  });

  test("the proxy of the environment is not used", async () => {
    process.env["HTTP_PROXY"] = "http://127.0.0.1:1";
    try {
      expect((await get(`http://127.0.0.1:${port}/`, loopback)).status).toBe(200);
    } finally {
      delete process.env["HTTP_PROXY"];
    }
  });
});

describe("https", () => {
  const pem = Bun.file(`${import.meta.dir}/fixture/secure-test.pem`);

  async function client(host: string) {
    const text = await pem.text();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: text, key: text },
      fetch: (request) => new Response(`hello ${request.headers.get("host")}`),
    });
    const child = Bun.spawn(
      [process.execPath, `${import.meta.dir}/fixture/https-client.ts`, String(server.port), host],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: pem.name ?? "" }, stdout: "pipe" },
    );
    const output = await new Response(child.stdout).text();
    const place = `:${server.port}`;
    await server.stop(true);
    return output.trim().replaceAll(place, "");
  }

  test("the certificate is checked against the name, the connection goes to the checked address", async () => {
    expect(await client("secure.test")).toBe("hello secure.test");
    expect(await client("other.test")).toStartWith("`other.test` cannot be reached (ERR_TLS");
  });
});

describe("redirects", () => {
  const base = `http://127.0.0.1:${port}`;
  const to = (url: string, status = 302) =>
    `${base}/to?status=${status}&url=${encodeURIComponent(url)}`;

  test("each one is checked", async () => {
    const options = { allowedAddresses: ["127.0.0.1"] };
    expect((await refused(get(to(`http://127.0.0.2:${port}/`), options))).code).toBe("forbidden");
    expect((await refused(get(`${base}/file`, options))).code).toBe("invalid");
    expect((await refused(get(`${base}/named`, options))).code).toBe("invalid");
    expect((await get(to(to("/last")), options)).url).toBe(`${base}/last`);
  });

  test("end after their limit", async () => {
    expect(await refused(get(`${base}/loop`, loopback))).toEqual({
      code: "unavailable",
      message: `\`${base}/loop\` leads elsewhere more than 5 times.`,
      fix: "Use the address that it finally leads to.",
    });
  });

  test.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "POST", "GET"],
    [303, "PUT", "GET"],
    [301, "PUT", "PUT"],
    [307, "POST", "POST"],
    [308, "DELETE", "DELETE"],
  ])("%d makes %s into %s", async (status, method, expected) => {
    await get(to("/after", status), loopback, {
      method,
      body: "text",
      headers: { "content-type": "text/x" },
    });
    const last = seen.at(-1);
    const kept = expected !== "GET";
    expect({ method: last?.method, path: last?.path, body: last?.body }).toEqual({
      method: expected,
      path: "/after",
      body: kept ? "text" : "",
    });
    expect(last?.headers["content-type"]).toBe(kept ? "text/x" : undefined);
  });

  test("secrets and keys stay with their origin", async () => {
    const headers = {
      accept: "text/html",
      authorization: "Bearer x",
      cookie: "a=b",
      "idempotency-key": "k",
      "x-api-key": "y",
    };
    await get(to("/same"), loopback, { headers });
    expect(seen.at(-1)?.headers).toMatchObject(headers);
    await get(to(`http://127.0.0.2:${port}/other`), loopback, { headers });
    const { accept, ...rest } = seen.at(-1)?.headers ?? {};
    expect(accept).toBe("text/html");
    expect(Object.keys(rest).toSorted()).toEqual([
      "accept-encoding",
      "connection",
      "host",
      "user-agent",
    ]);
  });
});

describe("request()", () => {
  test("sends method, headers and body, and sets what belongs to the connection itself", async () => {
    const answer = await get(`http://127.0.0.1:${port}/x?a=1`, loopback, {
      method: "post",
      headers: { Host: "evil.test", "Content-Length": "1", "X-A": "b" },
      body: "hello",
    });
    expect(answer.text).toBe(`127.0.0.1 for 127.0.0.1:${port}`);
    expect(seen.at(-1)).toMatchObject({ method: "POST", path: "/x", body: "hello" });
    expect(seen.at(-1)?.headers).toMatchObject({ "x-a": "b", "user-agent": "agents" });
  });

  test.each([
    ["not an address", "invalid"],
    ["ftp://example.com/", "invalid"],
    ["file:///etc/passwd", "invalid"],
    ["http://a:b@example.com/", "invalid"],
  ] as const)("%j is %s", async (url, code) => {
    expect((await refused(get(url))).code).toBe(code);
  });

  test("a header that cannot be sent is invalid", async () => {
    const work = get(`http://127.0.0.1:${port}/`, loopback, { headers: { a: "b\r\nc: d" } });
    expect((await refused(work)).code).toBe("invalid");
  });

  test("a longer answer than the limit is refused", async () => {
    expect(await refused(get(`http://127.0.0.1:${port}/big`, loopback))).toEqual({
      code: "too_large",
      message: `The answer of \`127.0.0.1:${port}\` is longer than 10 MiB.`,
      fix: "Ask for a part of it.",
    });
  });

  test("a name that is not there, a port where nobody is, an answer that breaks off: unavailable", async () => {
    const none = { resolve: async () => Promise.reject(new Error("ENOTFOUND")) };
    expect((await refused(get("http://none.test/", none))).code).toBe("unavailable");
    expect(await refused(get("http://127.0.0.1:1/", loopback))).toEqual({
      code: "unavailable",
      message: "`127.0.0.1:1` cannot be reached (ECONNREFUSED).",
      fix: "Check the address and the network.",
    });
    using broken = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        },
      },
    });
    const work = get(`http://127.0.0.1:${broken.port}/`, loopback);
    expect((await refused(work)).code).toBe("unavailable");
  });

  test("ends with the signal's reason while it resolves, waits or reads", async () => {
    const reason = new Error("over");
    using slow = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) =>
        new URL(request.url).pathname === "/wait"
          ? new Promise<Response>(() => {})
          : new Response(
              new ReadableStream({
                pull: (controller) => {
                  controller.enqueue(new Uint8Array(10));
                  return new Promise<void>(() => {});
                },
              }),
            ),
    });
    const url = `http://127.0.0.1:${slow.port}`;
    const never = { resolve: () => new Promise<string[]>(() => {}) };
    for (const [address, options] of [
      [`${url}/wait`, loopback],
      [`${url}/read`, loopback],
      ["http://slow.test/", never],
    ] as const) {
      const controller = new AbortController();
      const work = get(address, options, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 30);
      expect(await work.catch((error: unknown) => error)).toBe(reason);
    }
  });
});

test("createFetchFunction() streams, and leaves redirects alone when asked to", async () => {
  const guarded = createFetchFunction(loopback);
  const url = `http://127.0.0.1:${port}`;
  const manual = await guarded(`${url}/loop`, { redirect: "manual" });
  expect([manual.status, manual.headers.get("location")]).toEqual([302, "/loop"]);
  expect(await (await guarded(new URL(`${url}/`))).text()).toBe(`127.0.0.1 for 127.0.0.1:${port}`);
  const closed = createFetchFunction({ allowedAddresses: [] });
  expect((await refused(closed(url))).code).toBe("forbidden");
});

test("createFetchFunction() ends an answer that is too long, and a stream with an event that is", async () => {
  const guarded = createFetchFunction(loopback);
  const url = `http://127.0.0.1:${port}`;
  expect((await refused((await guarded(`${url}/big`)).text())).code).toBe("too_large");
  const stream = await guarded(`${url}/events`);
  let bytes = 0;
  const reading = async () => {
    for await (const chunk of stream.body ?? []) bytes += chunk.length;
  };
  expect((await refused(reading())).code).toBe("too_large");
  expect(bytes).toBeGreaterThan(HTTP_BODY_BYTES_MAX * 1.4);
});
