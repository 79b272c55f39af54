/** Rules that every page keeps, checked on every page in every state of the fixtures. */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { HOSTILE } from "./fixtures.ts";
import { inspect, type Element } from "./inspect.ts";
import { PAGES } from "./pages.tsx";
import { PLANTED } from "./fixture-server.ts";
import { htmlFaults } from "../support/html-faults.ts";

const NAMED_INPUTS = new Set(["input", "select", "textarea"]);

function unlabelled(elements: readonly Element[]): Element[] {
  const labels = new Set(
    elements.filter(({ tag }) => tag === "label").map(({ attributes }) => attributes["for"]),
  );
  return elements.filter(
    ({ tag, attributes }) =>
      NAMED_INPUTS.has(tag) &&
      attributes["type"] !== "hidden" &&
      attributes["hidden"] === undefined &&
      !labels.has(attributes["id"]),
  );
}

const idOf = (form: string) => /^<form[^>]* id="([^"]+)"/.exec(form)?.[1] ?? "";

/** Headings that are more than one level below the one before. */
function jumps(elements: readonly Element[]): string[] {
  const levels = elements
    .filter(({ tag }) => /^h[1-6]$/.test(tag))
    .map(({ tag }) => Number(tag[1]));
  return levels.flatMap((level, index) =>
    level - (levels[index - 1] ?? level) > 1 ? [`h${levels[index - 1]} then h${level}`] : [],
  );
}

/** What the CSP would block, and addresses that run code. */
function banned({ tag, attributes }: Element): string[] {
  const names = Object.keys(attributes).filter((name) => /^(?:style|on[a-z]+|hx-on.*)$/.test(name));
  const values = Object.entries(attributes).filter(
    ([name, value]) =>
      (/^(?:href|action|src|formaction)$/.test(name) && /^\s*(?:javascript|data):/i.test(value)) ||
      (/^hx-(?:vals|headers|confirm)$/.test(name) && /^\s*(?:js|javascript):/i.test(value)),
  );
  const inline = tag === "style" || (tag === "script" && attributes["src"] === undefined);
  return [...names, ...values.map(([name]) => name), ...(inline ? [tag] : [])];
}

function pointersOf({ attributes }: Element): string[] {
  const names = ["aria-labelledby", "aria-describedby", "popovertarget", "data-copy", "for"];
  const lists = names.flatMap((name) => (attributes[name] ?? "").split(" "));
  const href = attributes["href"] ?? "";
  return href.startsWith("#") ? lists.concat(href.slice(1)) : lists;
}

describe.each(PAGES.map((page) => [page.name, page] as const))("page %s", (_, page) => {
  test("is one whole document with unique ids, labels, a heading and no inline code", async () => {
    const html = await page.render("auto");
    const elements = inspect(html);
    const ids = elements.flatMap(({ attributes }) => attributes["id"] ?? []);
    expect(html.startsWith("<!doctype html><html")).toBe(true);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-zA-Z][\w-]*$/.test(id))).toEqual([]);
    expect(unlabelled(elements)).toEqual([]);
    expect(elements.filter(({ tag }) => tag === "h1")).toHaveLength(1);
    expect(elements.filter(({ tag }) => tag === "main")).toHaveLength(1);
    expect(jumps(elements)).toEqual([]);
    expect(elements.flatMap(banned)).toEqual([]);
  });

  test("is valid HTML", async () => {
    expect(await htmlFaults(await page.render("auto"))).toEqual([]);
  });

  test("points only at ids that are there", async () => {
    const elements = inspect(await page.render("auto"));
    const ids = new Set(elements.flatMap(({ attributes }) => attributes["id"] ?? []));
    const pointers = elements.flatMap(pointersOf);
    expect(pointers.filter((id) => id !== "" && !ids.has(id))).toEqual([]);
  });

  test("sends every change by POST, with the token, and not through htmx", async () => {
    const html = await page.render("auto");
    const forms = html.match(/<form[^>]*method="post".*?<\/form>/gs) ?? [];
    // A form in a live part has its token outside of it.
    const outside = inspect(html).filter(
      ({ attributes }) => attributes["name"] === "_csrf" && attributes["value"] === "token-1",
    );
    const tokens = new Set(outside.map(({ attributes }) => attributes["form"]));
    const wrong = forms.filter(
      (form) =>
        !(form.includes('name="_csrf" value="token-1"') || tokens.has(idOf(form))) ||
        !form.startsWith('<form method="post"'),
    );
    expect(wrong).toEqual([]);
    expect(forms.filter((form) => !/^<form[^>]*hx-boost="false"/.test(form))).toEqual([]);
    // Without a name, a password manager does not know whose password it is, and Chromium complains.
    const nameless = forms.filter(
      (form) => form.includes('type="password"') && !form.includes('autocomplete="username"'),
    );
    expect(nameless).toEqual([]);
    expect(inspect(html).filter(({ attributes }) => attributes["hx-post"] !== undefined)).toEqual(
      [],
    );
  });

  test("keeps what people and models wrote as text", async () => {
    const html = await page.render("auto");
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("<img src=x");
    const images = inspect(html).filter(({ tag }) => tag === "img");
    // What somebody has attached to a message, from its own address.
    const strange = images.filter(
      ({ attributes: { src = "" } }) => !/^\/chat\/\w+\/files\/\d+\/\d+\?view$/.test(src),
    );
    expect(strange).toEqual([]);
  });

  test("takes the theme", async () => {
    const html = await page.render("dark");
    expect(html).toContain('data-theme="dark"');
  });
});

test("the hostile page really carries the hostile text", async () => {
  const page = PAGES.find(({ name }) => name === "run-hostile");
  const html = (await page?.render("auto")) ?? "";
  const escaped = HOSTILE.replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
  expect(html.split(escaped).length).toBeGreaterThan(15);
});

test("the validator finds planted faults", async () => {
  const faults = await htmlFaults(`${PLANTED}<p><ul></ul><b id="a" id="a">`);
  const rules = new Set(faults.map((fault) => fault.replace(/:.*/, "")));
  expect([...rules].toSorted()).toEqual(["close-order", "no-deprecated-attr", "no-dup-attr"]);
});

/** These write cookies; an editor checks a text and gives it back as a file, its buttons to save are gone. */
const ALWAYS_OFFERED = /^\/(?:theme|logout|help\/shortcuts|workflows\/(?:new|\w+\/edit))$/;

test("a degraded page offers nothing that writes", async () => {
  const offered: string[] = [];
  for (const page of PAGES.filter(({ name }) => name.endsWith("-degraded"))) {
    const html = await page.render("auto");
    for (const [form, action = ""] of html.matchAll(POST_FORM)) {
      const buttons = form.match(/<button type="submit"[^>]*>/g) ?? [];
      const isDead = buttons.length > 0 && buttons.every((button) => / disabled\b/.test(button));
      if (!isDead && !ALWAYS_OFFERED.test(action)) offered.push(`${page.name}: ${action}`);
    }
  }
  expect(offered).toEqual([]);
});

const POST_FORM = /<form method="post" action="([^"]*)".*?<\/form>/gs;

test("no view uses what the CSP blocks", async () => {
  const hits: string[] = [];
  for (const file of new Glob("views/**/*.{ts,tsx,js}").scanSync(".")) {
    const text = await Bun.file(file).text();
    for (const word of [
      /\bstyle=/,
      /\bhx-on\b/,
      /js:/,
      /\beval\(/,
      /dangerouslySetInnerHTML/,
      /innerHTML\b/,
    ])
      if (word.test(text)) hits.push(`${file}: ${word.source}`);
  }
  expect(hits).toEqual([]);
});

test("raw() is used for the doctype only", async () => {
  const uses: string[] = [];
  for (const file of new Glob("views/**/*.{ts,tsx}").scanSync(".")) {
    const text = await Bun.file(file).text();
    for (const [use] of text.matchAll(/\braw\([^)]*\)/g)) uses.push(use);
  }
  expect(uses).toEqual(['raw("<!doctype html>")']);
});
