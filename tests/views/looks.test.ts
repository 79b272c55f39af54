import { expect, test } from "bun:test";
import { SCENARIOS } from "../web/scenarios.ts";
import { DEGRADED_FULL, degradedName, type Look, LOOKS, SHARED_CASES } from "./looks.ts";
import { PAGES } from "./pages.tsx";

/** Addresses of pages: what answers a GET with HTML. Nobody has to log in where the scenarios are played. */
const PAGE_ROUTES = SCENARIOS.filter(
  ({ route, type, isPart }) =>
    route.startsWith("GET ") && type?.startsWith("text/html") === true && isPart !== true,
)
  .map(({ route }) => route.slice("GET ".length))
  .concat("/login");

function casesOf({ full, empty, degraded, error }: Look): string[] {
  const made = degraded === DEGRADED_FULL ? full.slice(0, 1).map(degradedName) : degraded;
  return [full, empty, made, error].flatMap((cases) => (typeof cases === "string" ? [] : cases));
}

test("every page of the app is looked at full, empty, degraded and after an error", () => {
  expect(Object.keys(LOOKS).toSorted()).toEqual(PAGE_ROUTES.toSorted());
});

test("every case is there, at an address of its page, and none is left out", () => {
  const paths = new Map(PAGES.map(({ name, path }) => [name, path]));
  const named = Object.entries(LOOKS).flatMap(([route, look]) =>
    casesOf(look).map((name) => ({ route, name })),
  );
  const missing = named.filter(({ name }) => !paths.has(name));
  expect(missing).toEqual([]);
  const elsewhere = named.filter(
    ({ route, name }) =>
      !SHARED_CASES.includes(name) && !isAt(new RegExp(pattern(route)), paths.get(name) ?? ""),
  );
  expect(elsewhere).toEqual([]);
  const names = new Set(named.map(({ name }) => name));
  expect([...paths.keys()].filter((name) => !names.has(name))).toEqual([]);
});

/** Also what answers a form of the page, at an address below it. */
const pattern = (route: string) => `^${route.replaceAll(/:\w+/g, "[^/]+")}(/[^/]+)?$`;
const isAt = (route: RegExp, path: string) => route.test(path.replace(/\?.*/, ""));
