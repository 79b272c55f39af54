/** The chat's own address: the same guards as through the dashboard, and who gets in behind a login. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { forwardedMark, FORWARDED_HEADER } from "../../src/web/forwarded.ts";
import { SECURITY_HEADERS } from "../../src/web/middleware/security-headers.ts";
import { CHAT_ROUTES } from "../../src/web/routes.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import { beginTalk, type ChatWorld, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { SCENARIOS, setUp, type Scenario, type Setting } from "./scenarios.ts";
import { openSse } from "./sse-client.ts";
import { Browser, PASSWORD, SECRET_KEY } from "./world.ts";

const closed = closeAfterEach();

let world: ChatWorld;
let setting: Setting;
beforeAll(async () => {
  world = await startChatWorld();
  setting = await setUp(world);
});
afterAll(() => world[Symbol.asyncDispose]());

const CHAT_SCENARIOS = SCENARIOS.filter(({ route }) => / \/chat/.test(route));
const methodOf = (scenario: Scenario) => scenario.route.split(" ")[0] ?? "";
const direct = () => new Browser({ url: world.chatUrl });

async function send(scenario: Scenario, headers: Record<string, string>): Promise<Response> {
  const abort = new AbortController();
  const response = await fetch(`${world.chatUrl}${scenario.path(setting)}`, {
    method: methodOf(scenario),
    headers,
    redirect: "manual",
    signal: abort.signal,
  });
  if (scenario.isStream === true && response.status === 200) abort.abort();
  return response;
}

test("the chat answers what the dashboard passes on, and what a page needs; nothing else", () => {
  const passed = CHAT_ROUTES.map(([method, pattern]) => `${method} ${pattern}`);
  const own = ["GET /", "GET /assets/:name", "GET /favicon.ico", "POST /theme"];
  const routes = world.chat.routes.map((route) => `${route.method} ${route.path}`);
  expect(routes.toSorted()).toEqual([...passed, ...own].toSorted());
  expect(CHAT_SCENARIOS.map(({ route }) => route).toSorted()).toEqual(passed.toSorted());
});

describe("security headers", () => {
  test.each(CHAT_SCENARIOS.map((one) => [one.route, one] as const))("%s", async (_, scenario) => {
    const { headers } = await send(scenario, {});
    const found = Object.keys(SECURITY_HEADERS).map((name) => [name, headers.get(name)]);
    const policy = SECURITY_HEADERS["Content-Security-Policy"];
    expect(Object.fromEntries(found)).toEqual({
      ...SECURITY_HEADERS,
      // A form may lead to the dashboard, where a saved workflow is.
      "Content-Security-Policy": policy?.replace("form-action 'self'", `$& ${world.url}`),
    });
  });
});

describe("foreign Host (DNS rebinding)", () => {
  test.each(CHAT_SCENARIOS.map((one) => [one.route, one] as const))("%s", async (_, scenario) => {
    const { port } = new URL(world.chatUrl);
    for (const host of ["rebound.example", `rebound.example:${port}`, "localhost:1"]) {
      const response = await send(scenario, { Host: host });
      expect(response.status, host).toBe(403);
      expect(await response.text()).toContain("This address is not served here.");
    }
  });
});

describe("another site's request", () => {
  test.each(CHAT_SCENARIOS.map((one) => [one.route, one] as const))("%s", async (_, scenario) => {
    const embedded = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" };
    expect((await send(scenario, embedded)).status).toBe(403);
    if (methodOf(scenario) !== "POST") return;
    const browser = direct();
    await browser.get("/chat");
    for (const origin of ["https://evil.example", world.url, "null"]) {
      const headers = { Origin: origin };
      const answer = await browser.post(scenario.path(setting), scenario.fields, headers);
      expect(answer.status, origin).toBe(403);
      expect(answer.text).toContain("This request came from another site.");
    }
  });
});

describe("change without a CSRF token", () => {
  const posts = CHAT_SCENARIOS.filter((one) => methodOf(one) === "POST");
  test.each(posts.map((one) => [one.route, one] as const))("%s", async (_, scenario) => {
    expect((await send(scenario, {})).status).toBe(403);
    const [stranger, browser] = [direct(), direct()];
    await stranger.get("/chat");
    await browser.get("/chat");
    for (const token of ["", "x", stranger.token]) {
      const fields = { ...scenario.fields, _csrf: token };
      const answer = await browser.post(scenario.path(setting), fields);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("This form is not valid any more.");
    }
  });
});

test("both addresses are one: the same cookies and tokens, the same talk, the same stream", async () => {
  const browser = new Browser(world);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  const own = direct();
  for (const [name, value] of browser.cookies) own.cookies.set(name, value);
  expect((await own.get(path)).text).toContain("valid, 1 step");
  expect(own.token).toBe(browser.token);
  expect((await own.get("/chat")).headers.getSetCookie()).toEqual([]);
  await using stream = await openSse(`${world.chatUrl}${path}/stream`);
  await stream.until(() => stream.messages.some(({ data }) => data.includes("message-2")));
});

test("the root leads to the chat, and every other page to the dashboard, also by script", async () => {
  const browser = direct();
  const root = await browser.get("/");
  expect([root.status, root.headers.get("Location")]).toEqual([302, "/chat"]);
  const page = await browser.get("/workflows?search=x");
  const there = `${world.url}/workflows?search=x`;
  expect([page.status, page.headers.get("Location")]).toEqual([302, there]);
  const boosted = await browser.get("/workflows?search=x", { "HX-Request": "true" });
  expect([boosted.status, boosted.headers.get("HX-Redirect")]).toEqual([200, there]);
  expect((await browser.post("/settings/keys")).status).toBe(403);
  await browser.get("/chat");
  expect((await browser.post("/settings/keys")).status).toBe(404);
  const name = await fetch(`${world.chatUrl}/runs`, {
    redirect: "manual",
    headers: { Host: `localhost:${new URL(world.chatUrl).port}` },
  });
  expect(name.headers.get("Location")).toBe(`http://localhost:${world.port}/runs`);
});

test("behind a login only the dashboard lets people in, and a logout counts at once", async () => {
  const guarded = await startChatWorld({ host: "0.0.0.0" });
  closed(guarded);
  const { conversations } = guarded.store;
  await conversations.create({ id: "c1", title: "Secret plans", text: "x" });
  const stranger = new Browser(guarded);
  for (const [method, pattern] of CHAT_ROUTES) {
    const path = pattern.replace(":id", "c1").replace(/:file\{.*\}/, "2.yaml");
    for (const base of [guarded.url, guarded.chatUrl]) {
      const response = await fetch(base + path, { method, redirect: "manual" });
      expect(response.status, `${method} ${base}${path}`).toBe(303);
      expect(response.headers.get("Location")).toStartWith("/login");
    }
  }
  expect((await stranger.get("/chat", { Accept: "application/json" })).status).toBe(401);

  const browser = new Browser(guarded);
  await browser.post("/login", { password: PASSWORD });
  const page = await browser.get("/chat");
  expect(page.text).toContain("Secret plans");
  expect(page.text).toContain("Log out");
  const path = await beginTalk(browser);
  expect(await pageWith(browser, path, isAtRest)).toContain("valid, 1 step");
  const named = await browser.get("/chat", { Host: "agents.example" });
  expect(named.status).toBe(200);

  // With the session's cookie, but not through the dashboard.
  const own = new Browser({ url: guarded.chatUrl });
  for (const [name, value] of browser.cookies) own.cookies.set(name, value);
  const refused = await own.get("/chat");
  expect([refused.status, refused.headers.get("Location")]).toEqual([303, "/login?next=%2Fchat"]);
  const login = await own.get("/login?next=%2Fchat");
  expect(login.headers.get("Location")).toBe(`${guarded.url}/login?next=%2Fchat`);
  const foreign = forwardedMark("another key", new Request(`${guarded.chatUrl}/chat`));
  for (const mark of ["", "x", foreign]) {
    expect((await own.get("/chat", { [FORWARDED_HEADER]: mark })).status).toBe(303);
  }
  const marked = forwardedMark(SECRET_KEY, new Request(`${guarded.chatUrl}/chat/c1`));
  expect((await own.get("/chat/c1", { [FORWARDED_HEADER]: marked })).status).toBe(200);
  expect((await own.get("/chat", { [FORWARDED_HEADER]: marked })).status).toBe(303);

  await browser.post("/logout");
  expect((await browser.get("/chat")).status).toBe(303);
});

test("a mark that a browser sends to the dashboard is not passed on", async () => {
  const guarded = await startChatWorld({ host: "0.0.0.0" });
  closed(guarded);
  const marked = forwardedMark(SECRET_KEY, new Request(`${guarded.url}/chat`));
  const answer = await new Browser(guarded).get("/chat", { [FORWARDED_HEADER]: marked });
  expect(answer.status).toBe(303);
});

test("while the database cannot be written the talk stays readable and nothing is sent", async () => {
  const degraded = {
    state: "degraded",
    code: "disk_full",
    message: "Full.",
    fix: "Free.",
  } as const;
  let isFull = false;
  const full = await startChatWorld({
    chatDeps: { health: () => (isFull ? degraded : { state: "ok" }) },
  });
  closed(full);
  const browser = new Browser(full);
  const path = await beginTalk(browser);
  await pageWith(browser, path, isAtRest);
  isFull = true;
  const page = await browser.get(path);
  expect(page.text).toContain("Degraded: nothing can be saved.");
  expect(page.text).toContain("valid, 1 step");
  for (const action of ["messages", "answers", "workflows", "deletion"]) {
    expect(page.text).not.toContain(`${path}/${action}`);
    expect((await browser.post(`${path}/${action}`, { text: "x" })).status).toBe(503);
  }
  expect((await browser.get("/chat")).text).not.toContain("<textarea");
});

test("away: a page with the reason and the fix; a script and a form get them too", async () => {
  const away = await startChatWorld();
  closed(away);
  const browser = new Browser(away);
  await browser.get("/settings");
  await away.stopChat("kill");
  const page = await browser.get("/chat");
  expect(page.status).toBe(503);
  expect(page.text).toContain("The chat is not running");
  expect(page.text).toContain("chat was killed by SIGKILL.");
  expect(page.text).toContain("<code>agents logs chat</code>");
  expect(page.text).toContain('<noscript><meta http-equiv="refresh" content="5"/>');
  const json = await browser.get("/chat", { Accept: "application/json" });
  expect(JSON.parse(json.text)).toMatchObject({
    code: "unavailable",
    detail: "chat was killed by SIGKILL.",
  });
  expect((await browser.get("/chat/stream", { "HX-Request": "true" })).status).toBe(503);
  expect((await browser.post("/chat", { text: "x" })).status).toBe(503);
  expect((await browser.get("/")).status).toBe(200);
  await away.startChat();
  expect((await browser.get("/chat")).status).toBe(200);
});
