/** Who may use the API: by token, session, scope and place. */
import { expect, test } from "bun:test";
import type { TokenScope } from "../../../src/domain/access-token.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { setUp } from "../scenarios.ts";
import { Browser, PASSWORD, startWorld, type World, type WorldOptions } from "../world.ts";
import { call } from "./client.ts";
import { CASES } from "./operations.ts";

/** A server that other machines reach, and a browser that is logged in. */
async function setUpRemote(options: WorldOptions = {}) {
  const world = await startWorld({ host: "0.0.0.0", ...options });
  const browser = new Browser(world);
  await browser.post("/login", { password: PASSWORD });
  return { world, browser };
}

/** Makes a token as a person does: on the page. */
async function makeToken(browser: Browser, scope: TokenScope, name = `A ${scope} program`) {
  const posted = await browser.post("/settings/tokens", { name, scope, days: "30" });
  const shown = await browser.get(posted.headers.get("Location") ?? "");
  const token = /agents_[\w-]{43}/.exec(shown.text)?.[0] ?? "";
  return { token, path: posted.headers.get("Location") ?? "", text: shown.text };
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

test("from elsewhere nobody gets in without a session or a token, and is told how", async () => {
  const { world, browser } = await setUpRemote();
  await using _ = world;
  const refused = await call(world, "GET /runs", { headers: { Accept: "text/html" } });
  expect(refused.status).toBe(401);
  expect(refused.headers.get("WWW-Authenticate")).toBe('Bearer realm="agents"');
  expect(refused.json).toMatchObject({
    code: "unauthorized",
    fix: expect.stringContaining("Bearer"),
  });
  expect((await browser.get("/api/v1/runs")).status).toBe(200);
  const { token } = await makeToken(browser, "read");
  expect((await call(world, "GET /runs", { headers: bearer(token) })).status).toBe(200);
  // A token is for the API alone.
  const page = await fetch(`${world.url}/runs`, { headers: bearer(token), redirect: "manual" });
  expect([page.status, page.headers.get("Location")]).toEqual([303, "/login?next=%2Fruns"]);
});

test("every operation takes the scope that it documents, and refuses a smaller one", async () => {
  const { world, browser } = await setUpRemote();
  await using _ = world;
  const setting = await setUp(world);
  const tokens = {
    read: (await makeToken(browser, "read")).token,
    write: (await makeToken(browser, "write")).token,
    admin: (await makeToken(browser, "admin")).token,
  };
  const admin = bearer(tokens.admin);
  const { json: document } = await call(world, "GET /openapi.json", { headers: admin });
  const scopes = new Map<string, TokenScope>();
  for (const methods of Object.values<Record<string, never>>(document.paths)) {
    for (const { operationId, security } of Object.values<{
      operationId: string;
      security: { bearer?: TokenScope[] }[];
    }>(methods)) {
      scopes.set(operationId, security[0]?.bearer?.[0] ?? "admin");
      // Nobody gets in without one: the document does not say otherwise.
      expect(security).not.toContainEqual({});
    }
  }
  const order: TokenScope[] = ["read", "write", "admin"];
  for (const [id, one] of Object.entries(CASES)) {
    const wanted = scopes.get(id) ?? "admin";
    for (const scope of order) {
      if (order.indexOf(scope) >= order.indexOf(wanted)) continue;
      const send = { ...one.send, headers: bearer(tokens[scope]) };
      const refused = await call(world, one.request(setting), send);
      expect(refused.status, `${id} with ${scope}`).toBe(403);
      expect(refused.headers.get("WWW-Authenticate")).toContain(`scope="${wanted}"`);
    }
  }
  expect(Object.fromEntries(scopes)).toMatchObject({
    getRun: "read",
    startRun: "write",
    createToken: "admin",
    setProviderKey: "admin",
    setPassword: "admin",
    listSettings: "admin",
  });
  const started = await call(world, "POST /workflows/greeting/runs", {
    body: { inputs: { name: "Ada" } },
    headers: bearer(tokens.write),
  });
  expect(started.status).toBe(201);
});

test("the page shows a token once, says when it was used, and revokes it", async () => {
  const { world, browser } = await setUpRemote();
  await using _ = world;
  expect((await browser.get("/settings/tokens")).text).toContain("No tokens yet");
  const { token, path, text } = await makeToken(browser, "write", "Backup <b>");
  expect(text).toContain("Copy it now");
  expect(text).toContain("Backup &lt;b&gt;");
  expect((await browser.get(path)).text).not.toContain(token);
  expect((await browser.get("/settings/tokens")).text).toContain("never used");
  expect((await call(world, "GET /tools", { headers: bearer(token) })).status).toBe(200);
  const list = (await browser.get("/settings/tokens")).text;
  expect(list).toContain("last used");
  const revocation = /\/settings\/tokens\/\w+\/revocation/.exec(list)?.[0] ?? "";
  await browser.post(revocation);
  const refused = await call(world, "GET /tools", { headers: bearer(token) });
  expect(refused.status).toBe(401);
  expect(refused.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');
  const faulty = await browser.post("/settings/tokens", { name: " ", scope: "admin", days: "" });
  expect(faulty.status).toBe(422);
  expect(faulty.text).toContain("Write who uses it.");
  expect(faulty.text).toMatch(/<option value="admin" selected/);
  expect(JSON.stringify(world.errors)).toBe("[]");
});

test("a token that has expired counts no more", async () => {
  let passedMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
  await using world = await startWorld({ clock });
  const expires_at = new Date(clock.now() + 60_000).toISOString();
  const made = await call(world, "POST /tokens", { body: { name: "Short", expires_at } });
  const headers = bearer(made.json.token);
  expect((await call(world, "GET /tools", { headers })).status).toBe(200);
  passedMs = 60_000;
  expect((await call(world, "GET /tools", { headers })).status).toBe(401);
  const past = await call(world, "POST /tokens", { body: { name: "Past", expires_at } });
  expect([past.status, past.json.errors[0].field]).toEqual([422, "/expires_at"]);
});

test("on loopback the API is open, but a wrong token or scheme is refused, and slowed down", async () => {
  await using world = await startWorld();
  expect((await call(world, "GET /tokens")).status).toBe(200);
  const guess = (text: string) => call(world, "GET /tools", { headers: { Authorization: text } });
  for (const text of ["Bearer x", "Basic YTpi", "Bearer", `Bearer agents_${"0".repeat(43)}`]) {
    expect((await guess(text)).status, text).toBe(401);
  }
  const made = await call(world, "POST /tokens", { body: { name: "Right" } });
  let last = 401;
  for (let count = 0; count < 60 && last === 401; count += 1)
    last = (await guess("Bearer x")).status;
  expect(last).toBe(429);
  // The right one is let in all the same.
  expect((await guess(`Bearer ${made.json.token}`)).status).toBe(200);
});

test("a live stream ends when its token is revoked", async () => {
  const { world, browser } = await setUpRemote({
    deps: {
      streamLimits: {
        replayCountMax: 10,
        lagCountMax: 10,
        connectionCountMax: 10,
        heartbeatMs: 50,
      },
    },
  });
  await using _ = world;
  const { run } = await setUp(world);
  const { token } = await makeToken(browser, "read");
  const stream = await fetch(`${world.url}/api/workflows/stream/${run.id}`, {
    headers: bearer(token),
  });
  expect(stream.status).toBe(200);
  const list = (await browser.get("/settings/tokens")).text;
  const [mine = ""] = /\/settings\/tokens\/\w+\/revocation/.exec(list) ?? [];
  await browser.post(mine);
  const text = await stream.text();
  expect(text).toContain("event: run.queued");
});

async function post(world: World, headers: Record<string, string>, body = "{}") {
  const response = await fetch(`${world.url}/api/v1/workflows/greeting/runs`, {
    method: "POST",
    headers,
    body,
  });
  return { status: response.status, text: await response.text() };
}

test("what another site makes a browser send does nothing, however it is sent", async () => {
  await using world = await startWorld();
  await setUp(world);
  const before = (await world.store.runs.list({ limit: 100 })).length;
  const json = { "Content-Type": "application/json" };
  const requests: Record<string, string>[] = [
    { ...json, "Sec-Fetch-Site": "cross-site" },
    { ...json, "Sec-Fetch-Site": "same-site" },
    { ...json, Origin: "https://evil.example" },
    { ...json, Origin: "null" },
    { ...json, Origin: `http://localhost:${world.port + 1}` },
    // Cookies, but no word of where it comes from: an old browser, or one that hides it.
    { ...json, Cookie: "agents-theme=dark" },
    { ...json, Host: `rebound.example:${world.port}` },
  ];
  for (const headers of requests) {
    const answer = await post(world, headers);
    expect([answer.status, JSON.parse(answer.text).code], JSON.stringify(headers)).toEqual([
      403,
      "forbidden",
    ]);
  }
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    expect((await post(world, { "Content-Type": type })).status).toBe(415);
  }
  expect((await world.store.runs.list({ limit: 100 })).length).toBe(before);
  expect(world.errors).toEqual([]);
});

test("a page of this server may use the API with its cookies", async () => {
  const { world, browser } = await setUpRemote();
  await using _ = world;
  await setUp(world);
  const Cookie = browser.cookieHeader();
  const json = { "Content-Type": "application/json", Cookie };
  const body = JSON.stringify({ inputs: { name: "Ada" } });
  for (const proof of [
    { Origin: world.url },
    { "Sec-Fetch-Site": "same-origin" },
    { "X-CSRF-Token": browser.token },
  ]) {
    const answer = await post(world, { ...json, ...proof }, body);
    expect(answer.status, JSON.stringify(proof)).toBe(201);
  }
});
