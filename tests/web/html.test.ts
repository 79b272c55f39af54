/**
 * Goal: what the app answers is valid HTML: pages, the parts that htmx fetches, and what streams send.
 * Method: each page of the scenarios, and each stream as far as its first messages, through a validator.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { htmlFaults } from "../support/html-faults.ts";
import { type ChatWorld, startChatWorld } from "./chat-world.ts";
import { type Scenario, SCENARIOS, setUp, type Setting } from "./scenarios.ts";
import { openSse } from "./sse-client.ts";
import { Browser } from "./world.ts";

let world: ChatWorld;
let setting: Setting;
beforeAll(async () => {
  world = await startChatWorld();
  setting = await setUp(world);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Some addresses answer programs with JSON. */
const BROWSER = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const isHtml = ({ type }: Scenario) => type?.startsWith("text/html") === true;
const PAGES = SCENARIOS.filter((scenario) => scenario.route.startsWith("GET ") && isHtml(scenario));
const FORMS = SCENARIOS.filter(
  (scenario) => scenario.route.startsWith("POST ") && isHtml(scenario),
);
/** Programs are sent JSON. */
const STREAMS = SCENARIOS.filter(({ isStream, isApi }) => isStream === true && isApi !== true);

test.each(PAGES.map((scenario) => [scenario.route, scenario] as const))(
  "%s answers with valid HTML, whole and in part",
  async (_, scenario) => {
    const url = world.url + scenario.path(setting);
    const page = await (await fetch(url, { headers: BROWSER })).text();
    expect(page.startsWith("<!doctype html>")).toBe(scenario.isPart !== true);
    expect(await htmlFaults(page)).toEqual([]);
    const headers = { ...BROWSER, "HX-Request": "true", "HX-Request-Type": "partial" };
    expect(await htmlFaults(await (await fetch(url, { headers })).text())).toEqual([]);
  },
);

test.each(FORMS.map((scenario) => [scenario.route, scenario] as const))(
  "%s answers a form with valid HTML",
  async (_, scenario) => {
    const browser = new Browser(world);
    const { text } = await browser.post(scenario.path(setting), scenario.fields);
    expect(text.startsWith("<!doctype html>")).toBe(scenario.isPart !== true);
    expect(await htmlFaults(text)).toEqual([]);
  },
);

test.each(STREAMS.map((scenario) => [scenario.route, scenario] as const))(
  "%s sends valid HTML",
  async (_, scenario) => {
    await using client = await openSse(world.url + scenario.path(setting));
    const sent = () => client.messages.filter(({ event, data }) => event === "" && data !== "");
    await stir();
    await client.until(() => sent().length > 0);
    for (const { data } of sent()) expect(await htmlFaults(data)).toEqual([]);
  },
);

/** Something happens on every live page. */
async function stir(): Promise<void> {
  await world.addRun(setting.workflow);
  await world.store.runs.signal(setting.run.id, { name: "go", payload: null, by: null });
  await new Browser(world).post(`/chat/${setting.talk.id}/messages`, { text: "And cats." });
}
