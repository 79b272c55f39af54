import { connect } from "node:net";
import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { BODY_BYTES_MAX } from "../../src/web/middleware/body-limit.ts";
import { localPath } from "../../src/web/routes.ts";
import { createSessions, SESSION_MS, SESSION_REVOKED_COUNT_MAX } from "../../src/web/session.ts";
import {
  createThrottle,
  LOGIN_ADDRESS_COUNT_MAX,
  LOGIN_CONCURRENT_COUNT_MAX,
  LOGIN_FAILURE_COUNT_MAX,
  LOGIN_WINDOW_MS,
} from "../../src/web/throttle.ts";
import { Browser, PASSWORD, startWorld, type World, type WorldOptions } from "./world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]();
});

async function start(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

const withoutToken = (text: string) => text.replaceAll(/[\w-]{43}/g, "token");

/** A clock that the test moves. */
function movableClock() {
  let offsetMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + offsetMs,
    advance(ms: number) {
      offsetMs += ms;
    },
  };
}

const refuse = () => Promise.resolve(false);

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return undefined;
}

test("hostCheck() takes every name of this machine, with and without the port", async () => {
  const { url, port } = await start();
  const statusFor = async (host: string) =>
    (await fetch(`${url}/health/liveness`, { headers: { Host: host } })).status;
  for (const name of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]) {
    expect(await statusFor(name), name).toBe(200);
    expect(await statusFor(`${name}:${port}`), name).toBe(200);
  }
  const foreign = [
    "evil.example",
    `localhost:${port + 1}`,
    `localhost.evil.example:${port}`,
    "0.0.0.0",
  ];
  for (const name of foreign) expect(await statusFor(name), name).toBe(403);
});

test("hostCheck() lets any name through where a login is needed", async () => {
  const { url } = await start({ host: "0.0.0.0" });
  const headers = { Host: "agents.example" };
  expect((await fetch(`${url}/health/liveness`, { headers })).status).toBe(200);
});

test("originCheck() lets a link from another site through", async () => {
  const { url } = await start();
  const headers = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
  };
  expect((await fetch(`${url}/runs`, { headers })).status).toBe(200);
  const framed = { ...headers, "Sec-Fetch-Dest": "iframe" };
  expect((await fetch(`${url}/runs`, { headers: framed })).status).toBe(403);
});

test("the CSRF cookie is HttpOnly, Lax, and minted once; the token is the same on all pages", async () => {
  const world = await start();
  const browser = new Browser(world);
  const first = await browser.get("/");
  expect(first.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^agents-csrf-\d+=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/),
  ]);
  const { token } = browser;
  const second = await browser.get("/settings");
  expect(second.headers.getSetCookie()).toEqual([]);
  expect(browser.token).toBe(token);
});

test("csrfCheck() takes the token from the header as well", async () => {
  const world = await start();
  const browser = new Browser(world);
  await browser.get("/");
  const send = (token: string) =>
    fetch(`${world.url}/theme`, {
      method: "POST",
      redirect: "manual",
      headers: { Cookie: browser.cookieHeader(), "X-CSRF-Token": token },
    });
  expect((await send(browser.token)).status).toBe(303);
  expect((await send("wrong")).status).toBe(403);
});

test("the theme goes into a cookie and back to the page", async () => {
  const world = await start();
  const browser = new Browser(world);
  const answer = await browser.post("/theme", { theme: "dark", back: "/runs" });
  expect(answer.headers.getSetCookie()).toEqual([
    "agents-theme=dark; Max-Age=31536000; Path=/; SameSite=Lax",
  ]);
  expect((await browser.get("/runs")).text).toContain('data-theme="dark"');
  await browser.post("/theme", { theme: '"><script>', back: "/" });
  expect((await browser.get("/runs")).text).toContain('data-theme="dark"');
});

test("a refused form's page leads back to the page of the form", async () => {
  const world = await start();
  const browser = new Browser(world);
  const headers = { Referer: `${world.url}/workflows?search=x` };
  const answer = await browser.post("/runs/nothing/reruns", {}, headers);
  expect(answer.status).toBe(404);
  expect(answer.text).toContain('name="back" value="/workflows?search=x"');
  const without = await browser.post("/runs/nothing/reruns");
  expect(without.text).toContain('name="back" value="/"');
});

test("localPath() leads nowhere but to this site", () => {
  expect(localPath("/runs?state=failed")).toBe("/runs?state=failed");
  for (const text of [
    undefined,
    "",
    "runs",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "https://evil.example",
    "javascript:alert(1)",
  ]) {
    expect(localPath(text), text).toBe("/");
  }
});

test("bodyLimit() answers 413 with a page, with and without a length, before reading it all", async () => {
  const world = await start();
  const browser = new Browser(world);
  const large = "x".repeat(BODY_BYTES_MAX);
  const answer = await browser.post("/workflows", { source: large });
  expect(answer.status).toBe(413);
  expect(answer.text).toContain("What was sent is too large.");
  expect(answer.text).toContain("<title>Too large · agents</title>");

  // In chunks, without a length: written by hand, since fetch always states one.
  const status = await new Promise<string>((resolve, reject) => {
    const socket = connect(world.port, "127.0.0.1", () => {
      socket.write(
        `POST /workflows HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${browser.cookieHeader()}\r\n` +
          `X-CSRF-Token: ${browser.token}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
          "Transfer-Encoding: chunked\r\n\r\n",
      );
      const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
      for (let sent = 0; sent <= BODY_BYTES_MAX; sent += 0x100000) socket.write(chunk);
      socket.write("0\r\n\r\n");
    });
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().split("\r\n")[0] ?? "");
    });
    socket.once("error", reject);
  });
  expect(status).toBe("HTTP/1.1 413 Payload Too Large");
});

test("a broken form is refused, not an internal error", async () => {
  const world = await start();
  const browser = new Browser(world);
  await browser.get("/");
  const response = await fetch(`${world.url}/theme`, {
    method: "POST",
    body: "--nonsense",
    headers: {
      Cookie: browser.cookieHeader(),
      "Content-Type": "multipart/form-data; boundary=other",
      Accept: "application/json",
    },
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: "usage",
    detail: "The form could not be read.",
  });
  expect(world.errors).toEqual([]);
});

test("assets give only what is in the executable", async () => {
  const world = await start();
  const { url } = world;
  for (const path of [
    "/assets/..%2f..%2fpackage.json",
    "/assets/%2e%2e%2fapp.css",
    "/assets/constructor",
    "/assets/__proto__",
    "/assets/app.css%00.svg",
    "/assets/",
    "/assets/../package.json",
  ]) {
    expect((await fetch(url + path)).status, path).toBe(404);
  }
  expect(world.errors).toEqual([]);
});

test("assets are kept for ever under their hash, asked for again without, and compressed", async () => {
  const { url } = await start();
  const page = await (await fetch(`${url}/`)).text();
  const path = /href="(\/assets\/app\.css\?v=\w+)"/.exec(page)?.[1] ?? "";
  const hashed = await fetch(url + path, { headers: { "Accept-Encoding": "gzip" } });
  expect(hashed.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  expect(hashed.headers.get("Content-Encoding")).toBe("gzip");
  const plain = await fetch(`${url}/assets/app.css`, {
    headers: { "Accept-Encoding": "identity" },
  });
  expect(plain.headers.get("Cache-Control")).toBe("no-cache");
  expect(plain.headers.get("Content-Encoding")).toBeNull();
  expect(await plain.text()).toBe(await hashed.text());
  const etag = plain.headers.get("ETag") ?? "";
  const again = await fetch(`${url}/assets/app.css`, { headers: { "If-None-Match": etag } });
  expect(again.status).toBe(304);
});

test("every page but the open ones needs a login outside of loopback", async () => {
  const world = await start({ host: "0.0.0.0" });
  const browser = new Browser(world);
  for (const path of ["/", "/workflows", "/runs/x", "/settings", "/nothing"]) {
    const answer = await browser.get(path);
    expect(answer.status, path).toBe(303);
    expect(answer.headers.get("Location")).toBe(`/login?next=${encodeURIComponent(path)}`);
  }
  const json = await browser.get("/runs/x.json", { Accept: "application/json" });
  expect(json.status).toBe(401);
  const stream = await browser.get("/status/stream", { "HX-Request": "true" });
  expect(stream.status).toBe(401);
  expect(stream.headers.get("HX-Redirect")).toBe("/login");
  for (const path of [
    "/login",
    "/health",
    "/health/liveness",
    "/health/readiness",
    "/assets/app.css",
  ]) {
    expect((await browser.get(path)).status, path).toBe(200);
  }
  expect(JSON.parse((await browser.get("/health")).text)).toEqual({
    status: "ok",
    version: "1.2.3",
    database: { state: "ok" },
    services: [{ name: "worker-1", state: "running" }],
  });
});

test("login gives a session that logout and a new password end", async () => {
  const world = await start({ host: "0.0.0.0" });
  const browser = new Browser(world);
  const wrong = await browser.post("/login", { password: "wrong", next: "/runs" });
  expect(wrong.status).toBe(401);
  expect(wrong.text).toContain("This password is wrong.");
  expect(wrong.text).toContain('name="next" value="/runs"');
  const right = await browser.post("/login", { password: PASSWORD, next: "/runs" });
  expect([right.status, right.headers.get("Location")]).toEqual([303, "/runs"]);
  expect(right.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^agents-session-\d+=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    ),
  ]);
  expect((await browser.get("/runs")).text).toContain("Log out");

  const thief = new Browser(world);
  for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
  expect((await thief.get("/runs")).status).toBe(200);
  const out = await browser.post("/logout");
  expect([out.status, out.headers.get("Location")]).toEqual([303, "/login"]);
  expect((await thief.get("/runs")).status).toBe(303);

  await browser.post("/login", { password: PASSWORD });
  const other = new Browser(world);
  await other.post("/login", { password: PASSWORD });
  const refused = await browser.post("/settings/password", {
    current: "wrong",
    password: "long enough",
  });
  expect([refused.status, refused.text.includes("The current password is wrong.")]).toEqual([
    422,
    true,
  ]);
  const changed = await browser.post("/settings/password", {
    current: PASSWORD,
    password: "long enough",
  });
  expect([changed.status, changed.headers.get("Location")]).toEqual([
    303,
    "/settings?done=password",
  ]);
  expect((await browser.get("/settings?done=password")).text).toContain("The password was saved.");
  expect((await other.get("/")).status).toBe(303);
  expect((await other.post("/login", { password: PASSWORD })).status).toBe(401);
  expect((await other.post("/login", { password: "long enough" })).status).toBe(303);
});

test("login is refused for a while after too many wrong passwords", async () => {
  const clock = movableClock();
  const world = await start({ host: "0.0.0.0", clock });
  const browser = new Browser(world);
  for (let attempt = 0; attempt < LOGIN_FAILURE_COUNT_MAX; attempt += 1) {
    expect((await browser.post("/login", { password: "wrong" })).status).toBe(401);
  }
  const refused = await browser.post("/login", { password: PASSWORD });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(60);
  clock.advance(LOGIN_WINDOW_MS);
  expect((await browser.post("/login", { password: PASSWORD })).status).toBe(303);
});

test("without a password nobody gets in", async () => {
  const world = await start({ host: "0.0.0.0", deps: { adminPasswordHash: () => undefined } });
  const browser = new Browser(world);
  for (const password of ["", "undefined", PASSWORD]) {
    expect((await browser.post("/login", { password })).status).toBe(401);
  }
  expect((await browser.get("/")).status).toBe(303);
});

test("createSessions() refuses what it did not sign, and what is over", () => {
  const clock = movableClock();
  const options = {
    clock,
    secretKey: "a",
    adminPasswordHash: () => "hash",
    sessionsSince: () => 0,
  };
  const sessions = createSessions(options);
  const cookie = sessions.issue();
  expect(sessions.isValid(cookie)).toBe(true);
  const [id, end, signature] = cookie.split(".");
  const later = `${id}.${Number(end) + 1}.${signature}`;
  for (const forged of ["", "..", later, cookie.slice(0, -1), `${id}.${end}.`]) {
    expect(sessions.isValid(forged), forged).toBe(false);
  }
  expect(createSessions({ ...options, secretKey: "b" }).isValid(cookie)).toBe(false);
  expect(createSessions({ ...options, adminPasswordHash: () => "new" }).isValid(cookie)).toBe(
    false,
  );
  const begunAt = Number(end) - SESSION_MS;
  const isValidSince = (since: number) =>
    createSessions({ ...options, sessionsSince: () => since }).isValid(cookie);
  expect(isValidSince(begunAt)).toBe(true);
  expect(isValidSince(begunAt + 1)).toBe(false);
  const revoked = sessions.issue();
  sessions.revoke(revoked);
  expect(sessions.isValid(revoked)).toBe(false);
  expect(SESSION_REVOKED_COUNT_MAX).toBe(10_000);
  clock.advance(SESSION_MS);
  expect(sessions.isValid(cookie)).toBe(false);
});

test("createThrottle() counts attempts that are made at the same time, and one /64 as one", async () => {
  const clock = movableClock();
  const throttle = createThrottle(clock);
  const tryFrom = (address: string) => failure(throttle.attempt(address, refuse));
  const never = new Promise<boolean>(() => {});
  for (let index = 0; index < LOGIN_CONCURRENT_COUNT_MAX; index += 1) {
    void throttle.attempt(`10.0.0.${index}`, () => never);
  }
  expect(await tryFrom("10.0.1.1")).toMatchObject({ code: "rate_limited", retryAfterMs: 1_000 });

  const other = createThrottle(clock);
  const at = (address: string) => failure(other.attempt(address, refuse));
  for (let index = 0; index < LOGIN_FAILURE_COUNT_MAX; index += 1) {
    expect(await at(`2001:db8::${index + 1}`)).toBeUndefined();
  }
  expect(await at("2001:db8:0:0:1::9")).toMatchObject({ code: "rate_limited" });
  expect(await at("2001:db8:0:1::9")).toBeUndefined();
  for (let index = 0; index < LOGIN_ADDRESS_COUNT_MAX; index += 1) {
    await other.attempt(`10.1.${index >> 8}.${index & 255}`, refuse);
  }
  expect(await at("2001:db8::1"), "the oldest address is forgotten").toBeUndefined();
});

test("a failure is a page, a fragment or problem details, as the client asks", async () => {
  const world = await start();
  const browser = new Browser(world);
  const page = await browser.get("/runs/nothing");
  expect(page.status).toBe(404);
  expect(page.text).toContain("<title>Not found · agents</title>");
  expect(page.text).toContain("There is no run nothing.");
  const boosted = await browser.get("/runs/nothing", {
    "HX-Request": "true",
    "HX-Request-Type": "full",
  });
  expect(boosted.text).toContain("<title>");
  const fragment = await browser.get("/runs/nothing", {
    "HX-Request": "true",
    "HX-Request-Type": "partial",
  });
  expect([fragment.status, fragment.text.startsWith('<div role="alert">')]).toEqual([404, true]);
  const json = await browser.get("/runs/nothing.json", { Accept: "application/json" });
  expect(json.headers.get("Content-Type")).toBe("application/problem+json");
  expect(JSON.parse(json.text)).toEqual({
    type: "urn:agents:error:not_found",
    title: "Not found",
    status: 404,
    detail: "There is no run nothing.",
    fix: "Go to the list of runs and choose one.",
    code: "not_found",
  });
  expect(world.errors).toEqual([]);
});

test("an unknown failure shows an id and nothing else; the log has the rest", async () => {
  const world = await start({
    deps: {
      memoryBytes: () => {
        throw new Error("the secret reason");
      },
    },
  });
  const { text, status } = await new Browser(world).get("/");
  expect(status).toBe(500);
  expect(text).toContain("Internal error.");
  expect(text).not.toContain("secret reason");
  const id = /error (\w{8}) in the log/.exec(text)?.[1] ?? "";
  expect(world.errors).toHaveLength(1);
  const [reported] = world.errors;
  expect(String(reported)).toBe(`Error: request failed, error ${id}`);
  expect(reported).toMatchObject({ cause: new Error("the secret reason") });
});

test("what a user or a model wrote is escaped", async () => {
  const world = await start();
  const browser = new Browser(world);
  const evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>';
  for (const path of [
    `/runs?search=${encodeURIComponent(evil)}`,
    `/workflows?search=${encodeURIComponent(evil)}`,
    `/runs/${encodeURIComponent(evil)}`,
    `/?range=${encodeURIComponent(evil)}`,
  ]) {
    const { text } = await browser.get(path);
    expect(text, path).not.toContain("<script>alert");
    expect(text, path).not.toContain("<img src=x");
  }
});

test("pages are compressed for those who take it, and the same otherwise", async () => {
  const { url } = await start();
  const get = (encoding: string) =>
    fetch(`${url}/runs`, { headers: { "Accept-Encoding": encoding, Cookie: "agents-csrf=x" } });
  const packed = await get("gzip, br");
  expect(packed.headers.get("Content-Encoding")).toBe("gzip");
  expect(packed.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
  const plain = await get("identity");
  expect(plain.headers.get("Content-Encoding")).toBeNull();
  expect(withoutToken(await packed.text())).toBe(withoutToken(await plain.text()));
});
