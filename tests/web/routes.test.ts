/** Every route answers as its scenario says, and as every route must. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SECURITY_HEADERS } from "../../src/web/middleware/security-headers.ts";
import { SCENARIOS, setUp, type Scenario, type Setting } from "./scenarios.ts";
import { type ChatWorld, startChatWorld } from "./chat-world.ts";
import { type Answer, Browser } from "./world.ts";

let world: ChatWorld;
let setting: Setting;
beforeAll(async () => {
  world = await startChatWorld();
  setting = await setUp(world);
});
afterAll(() => world[Symbol.asyncDispose]());

/** As a program sends it. */
async function call(
  { program, path, ...scenario }: Scenario,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = program?.json === undefined ? undefined : JSON.stringify(program.json);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(`${world.url}${path(setting)}`, {
    method: methodOf({ path, ...scenario }),
    headers: { ...type, ...headers },
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const isChange = (scenario: Scenario) => methodOf(scenario) !== "GET";
const methodOf = (scenario: Scenario) => scenario.route.split(" ")[0] ?? "";

/** The head of the answer; the body of a stream is not waited for. */
async function send(scenario: Scenario, headers: Record<string, string>): Promise<Response> {
  const url = `${world.url}${scenario.path(setting)}`;
  const abort = new AbortController();
  const method = methodOf(scenario);
  const response = await fetch(url, {
    method,
    headers: { ...scenario.headers, ...headers },
    redirect: "manual",
    signal: abort.signal,
  });
  if (scenario.isStream === true && response.status === 200) abort.abort();
  return response;
}

test("every route has a scenario, and every scenario a route", () => {
  const routes = world.app.routes.map((route) => `${route.method} ${route.path}`);
  expect(SCENARIOS.map((scenario) => scenario.route).toSorted()).toEqual(routes.toSorted());
});

describe("scenario", () => {
  for (const scenario of SCENARIOS) {
    test(scenario.route, async () => {
      const path = scenario.path(setting);
      const browser = new Browser(world);
      if (scenario.isStream === true) {
        const response = await send(scenario, {});
        expect(response.status).toBe(scenario.status);
        expect(response.headers.get("Content-Type")).toBe(scenario.type ?? null);
        return;
      }
      const answer =
        scenario.program !== undefined
          ? await call(scenario)
          : methodOf(scenario) === "POST"
            ? await browser.post(path, scenario.fields)
            : await browser.get(path, scenario.headers);
      expect(answer.status, answer.text).toBe(scenario.status);
      expect(answer.headers.get("Content-Type")).toBe(scenario.type ?? null);
      if (scenario.location !== undefined) {
        expect(answer.headers.get("Location")).toMatch(scenario.location);
      }
      for (const text of scenario.contains ?? []) expect(answer.text).toContain(text);
      for (const text of scenario.lacks ?? []) expect(answer.text).not.toContain(text);
      expect(world.errors).toEqual([]);
    });
  }
});

describe("security headers", () => {
  for (const scenario of SCENARIOS) {
    test(scenario.route, async () => {
      const { headers } = await send(scenario, {});
      const found = Object.keys(SECURITY_HEADERS).map((name) => [name, headers.get(name)]);
      expect(Object.fromEntries(found)).toEqual(SECURITY_HEADERS);
      expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
      expect(headers.get("Cache-Control")).not.toBeNull();
    });
  }
});

describe("foreign Host (DNS rebinding)", () => {
  for (const scenario of SCENARIOS) {
    test(scenario.route, async () => {
      const response = await send(scenario, { Host: `rebound.example:${world.port}` });
      expect(response.status).toBe(403);
      const text = await response.text();
      if (scenario.isApi === true) {
        expect(JSON.parse(text)).toMatchObject({
          status: 403,
          detail: "This address is not served here.",
        });
        return;
      }
      expect(text).toBe(
        `This address is not served here.\nFix: Open http://127.0.0.1:${world.port}/ instead.\n`,
      );
    });
  }
});

describe("another site's request", () => {
  for (const scenario of SCENARIOS) {
    test(scenario.route, async () => {
      const embedded = await send(scenario, {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "image",
      });
      expect(embedded.status).toBe(403);
      if (!isChange(scenario)) return;
      const navigate = { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
      for (const headers of [
        { ...navigate, "Sec-Fetch-Site": "cross-site" },
        { ...navigate, "Sec-Fetch-Site": "same-site" },
        { Origin: "https://evil.example" },
        { Origin: `http://localhost:${world.port + 1}` },
        { Origin: "null" },
      ]) {
        const browser = new Browser(world);
        const answer =
          scenario.program === undefined
            ? await browser.post(scenario.path(setting), scenario.fields, headers)
            : await call(scenario, headers);
        expect(answer.status, JSON.stringify(headers)).toBe(403);
        expect(answer.text).toContain("This request came from another site.");
      }
    });
  }
});

describe("change without a CSRF token", () => {
  const forms = SCENARIOS.filter(
    (one) => isChange(one) && one.program === undefined && one.isApi !== true,
  );
  for (const scenario of forms) {
    test(scenario.route, async () => {
      const path = scenario.path(setting);
      expect((await send(scenario, {})).status).toBe(403);
      const stranger = new Browser(world);
      await stranger.get("/settings");
      const browser = new Browser(world);
      await browser.get("/settings");
      for (const token of ["", "x", stranger.token, `${browser.token}x`]) {
        const answer = await browser.post(path, { ...scenario.fields, _csrf: token });
        expect(answer.status, token).toBe(403);
        expect(answer.text).toContain("This form is not valid any more.");
      }
    });
  }
});

describe("a program's change that a browser may have been made to send", () => {
  for (const scenario of SCENARIOS.filter((one) => isChange(one) && one.program !== undefined)) {
    test(scenario.route, async () => {
      for (const headers of [
        { Cookie: `agents-csrf-${world.port}=x` },
        { Origin: world.url },
        { "Sec-Fetch-Site": "same-origin" },
        { "Content-Type": "text/plain" },
        { "Content-Type": "application/x-www-form-urlencoded" },
        { "HX-Request": "true" },
        { Accept: "text/html" },
      ]) {
        const answer = await call(scenario, headers);
        expect(answer.status, JSON.stringify(headers)).toBe(403);
      }
    });
  }
});

test("nothing was changed or reported by what was refused", async () => {
  const { workflow, run } = setting;
  expect(world.errors).toEqual([]);
  expect(await world.store.workflows.get(workflow.id)).toEqual(workflow);
  expect((await world.store.runs.get(run.id))?.state).toBe("cancelled");
});
