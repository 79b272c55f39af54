/**
 * Goal: whatever a model (or somebody who feeds it) writes stays text on the page and in the stream.
 * Method: the whole path with each text as the answer. Inside of messages every element and attribute must be one
 * that the product makes (the table here), outside everything must be as with a harmless answer; the page names no
 * address to fetch from, and nothing is saved, run or agreed to.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { say } from "../engine/script.ts";
import { htmlFaults } from "../support/html-faults.ts";
import { inspect } from "../views/inspect.ts";
import { beginTalk, type ChatWorld, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { HOSTILE_ANSWERS } from "./hostile-answers.ts";
import { openSse } from "./sse-client.ts";
import { Browser } from "./world.ts";

const PAGE_MS_MAX = 4_000;
/** The validator takes minutes for some of the longer ones. */
const VALIDATED_CHARS_MAX = 5_000;
const SHAPE = /^[\d\s.,A-Za-z()-]*$/;
const WORDS = /^[\w .-]*$/;
const ID =
  /^(?:message-\d+(?:-[\w.-]+)?|result-(?:source|run-form|edit-form|graph-drawing-tip)|L\d+|node-[\w.-]+|(?:input|edit)-[\w-]+|provider|model(?:-hint)?)$/;
const OWN_TEXT = /^[^]*$/;
/** What people read, or what stands in an attribute that no browser acts on. */
const LABELS = { "aria-label": OWN_TEXT, "aria-labelledby": ID, "aria-hidden": /^true$/ };
const COMMON = { class: WORDS, id: ID };
const REGION = { ...LABELS, role: /^(?:region|group|img)$/, tabindex: /^0$/ };
const DRAWN = Object.fromEntries(
  "d x y x1 x2 y1 y2 cx cy r rx ry width height viewBox viewbox points transform fill stroke stroke-width marker-end refX refY refx refy orient markerWidth markerHeight markerwidth markerheight markerUnits"
    .split(" ")
    .map((name) => [name, SHAPE]),
);

const NOTHING = /^$/;
/** Of the forms that change the workflow and begin a run; what is filled in is the file's. */
const CONTROL = {
  type: /^(?:hidden|checkbox|number|text)$/,
  name: /^(?:message|provider|model|input\.\w+|edit:[\w/~-]+)$/,
  value: OWN_TEXT,
  step: /^(?:1|any)$/,
  rows: /^\d+$/,
  autocomplete: /^off$/,
  spellcheck: /^(?:true|false)$/,
  inputmode: /^decimal$/,
  "aria-describedby": ID,
  checked: NOTHING,
  required: NOTHING,
  selected: NOTHING,
  disabled: NOTHING,
};

/** What the product makes of an answer. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  ...Object.fromEntries(
    "h2 h3 h4 h5 h6 ul p em strong s b code hr blockquote table thead tbody tr td header details summary span wbr fieldset legend"
      .split(" ")
      .map((tag) => [tag, LABELS]),
  ),
  ol: { start: /^\d{1,9}$/ },
  li: {},
  th: { scope: /^col$/ },
  div: REGION,
  section: LABELS,
  pre: { ...REGION, hidden: /^$/ },
  bdi: { "data-code": /^U\+[0-9A-F]{4}/ },
  a: {
    ...LABELS,
    href: /^(?:https?:\/\/[^\s"<>\\]+|mailto:[^\s"<>\\]+|\/(?!\/)[^\s"<>\\]*|#node-[\w.-]+)$/,
    rel: /^noopener noreferrer nofollow$/,
    "hx-boost": /^false$/,
    download: /^$/,
  },
  button: {
    type: /^(?:button|submit)$/,
    "data-copy": ID,
    form: /^(?:save|answer)-form$/,
    name: /^(?:message|schedule|inPlaceOf|goOnWith)$/,
    value: /^\d+(?:-new)?$/,
  },
  form: {
    method: /^post$/,
    action: /^\/chat\/\w+\/(?:runs|edits)$/,
    "hx-boost": /^false$/,
    "data-stays": /^$/,
  },
  label: { for: ID },
  ...Object.fromEntries(["input", "textarea", "select", "option"].map((tag) => [tag, CONTROL])),
  svg: { ...DRAWN, ...REGION, focusable: /^false$/ },
  ...Object.fromEntries(
    "g path circle rect line polyline polygon text title defs marker use tspan"
      .split(" ")
      .map((tag) => [
        tag,
        {
          ...DRAWN,
          ...LABELS,
          "marker-end": /^url\(#result-graph-drawing-tip\)$/,
          href: /^#[\w-]+$|^\/assets\/[\w.-]+#[\w-]+$/,
        },
      ]),
  ),
};

interface Found {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Elements in answers, and in what stands beside them. */
function inAnswers(html: string): Found[] {
  const found: Found[] = [];
  new HTMLRewriter()
    .on("li.message.model *, #result-head *, #result-body *", {
      element(element) {
        found.push({ tag: element.tagName, attributes: Object.fromEntries(element.attributes) });
      },
    })
    .transform(html);
  return found;
}

/** What no answer may bring; each of its links must also be one that was made with care. */
function foreign(elements: readonly Found[]): string[] {
  return elements.flatMap(({ tag, attributes }) => {
    const allowed = ALLOWED[tag];
    if (allowed === undefined) return [tag];
    const bad = Object.entries(attributes).filter(
      ([name, value]) => !({ ...COMMON, ...allowed }[name]?.test(value) ?? false),
    );
    const isStranger = tag === "a" && /^(?:http|mailto)/.test(attributes["href"] ?? "");
    const isBare = isStranger && attributes["rel"] === undefined;
    return bad
      .map(([name, value]) => `${tag}[${name}=${value.slice(0, 80)}]`)
      .concat(isBare ? ["a without rel"] : []);
  });
}

/** The page without answers, which are more where the model repairs, as tags with the names of their attributes. */
function frame(html: string): string[] {
  const count = new Map<string, number>();
  const add = ({ tag, attributes }: Found, step: number) => {
    if (attributes["class"] === "message model" || attributes["id"] === "result-head") return;
    const key = `${tag} ${Object.keys(attributes).toSorted().join(" ")}`;
    count.set(key, (count.get(key) ?? 0) + step);
  };
  for (const element of inspect(html)) add(element, 1);
  for (const element of inAnswers(html)) add(element, -1);
  return [...count]
    .filter(([, number]) => number !== 0)
    .map(([key, number]) => `${number} ${key}`)
    .toSorted();
}

/** Kinds of elements, with the names of their attributes; a list has them more or less often. */
function kinds(html: string): string[] {
  const all = inspect(html).map(
    ({ tag, attributes }) => `${tag} ${Object.keys(attributes).join(" ")}`,
  );
  return [...new Set(all)].toSorted();
}

const idsOf = (html: string) => inspect(html).flatMap(({ attributes }) => attributes["id"] ?? []);

let world: ChatWorld;
let text = "";
let harmless: string[];
let harmlessList: string[];
beforeAll(async () => {
  world = await startChatWorld({ script: () => say(text) });
  text = "Hello.";
  const browser = new Browser(world);
  const path = await beginTalk(browser, "Hello.");
  harmless = frame(await pageWith(browser, path, isAtRest));
  harmlessList = kinds((await browser.get("/chat")).text);
});
afterAll(() => world[Symbol.asyncDispose]());

test("there are enough of them, each with a name of its own", () => {
  expect(HOSTILE_ANSWERS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(HOSTILE_ANSWERS.map(([name]) => name)).size).toBe(HOSTILE_ANSWERS.length);
});

test.each(HOSTILE_ANSWERS)("%s stays text", async (_, hostile) => {
  text = hostile;
  const browser = new Browser(world);
  const started = performance.now();
  const said = hostile.toWellFormed().slice(0, 2_000).replaceAll("\0", "").trim() || "x";
  const path = await beginTalk(browser, said);
  const page = await pageWith(browser, path, isAtRest);
  expect(performance.now() - started).toBeLessThan(PAGE_MS_MAX);
  await expectOnlyText(page, hostile.length < VALIDATED_CHARS_MAX);
  await expectStream(path);
  const list = await browser.get("/chat");
  expect(kinds(list.text)).toEqual(harmlessList);
  await expectFile(await browser.get(`${path}/2.yaml`));
  expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);
  expect(world.errors).toEqual([]);
});

async function expectOnlyText(page: string, isShort: boolean): Promise<void> {
  expect(foreign(inAnswers(page))).toEqual([]);
  expect(frame(page)).toEqual(harmless);
  const ids = idsOf(page);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  if (isShort) expect(await htmlFaults(page)).toEqual([]);
}

async function expectStream(path: string): Promise<void> {
  await using stream = await openSse(`${world.url}${path}/stream`);
  await stream.until(() => stream.messages.some(({ data }) => data.includes('id="chat-head"')));
  for (const { event, data, id } of stream.messages) {
    expect(event).toBe("");
    expect(Number(id)).toBeGreaterThan(0);
    expect(id).not.toBe("99999999");
    expect(foreign(inAnswers(data))).toEqual([]);
    const targets = inspect(data)
      .filter(({ tag }) => tag === "hx-partial")
      .map(({ attributes }) => attributes["hx-target"]);
    expect(
      targets.filter(
        (target) =>
          !/^#(?:banners|messages|chat-head|message-\d+(?:-text)?|result-(?:head|body|run))$/.test(
            target ?? "",
          ),
      ),
    ).toEqual([]);
  }
}

async function expectFile(file: Awaited<ReturnType<Browser["get"]>>): Promise<void> {
  if (file.status !== 200) return;
  expect(file.headers.get("Content-Type")).toBe("application/yaml; charset=utf-8");
  expect(file.headers.get("Content-Disposition")).toMatch(/^attachment; filename="[\w.-]+\.yaml"$/);
  expect(file.headers.get("Set-Cookie")).toBeNull();
}

function planted(html: string): string[] {
  return foreign(inAnswers(`<li class="message model">${html}</li>`));
}

test("the checks find markup that is not escaped", () => {
  expect(planted("<p class='said'>x</p>")).toEqual([]);
  expect(planted("<script>alert(1)</script>")).toEqual(["script"]);
  expect(planted('<p onclick="x">x</p>')).toEqual(["p[onclick=x]"]);
  expect(planted('<a href="javascript:alert(1)">x</a>')).toEqual(["a[href=javascript:alert(1)]"]);
  expect(planted('<a href="//evil.example">x</a>')).toEqual(["a[href=//evil.example]"]);
  expect(planted('<a href="https://evil.example">x</a>')).toEqual(["a without rel"]);
  expect(planted('<p id="chat-head">x</p>')).toEqual(["p[id=chat-head]"]);
  expect(frame("<main><li class='message model'><b>x</b></li></main>")).toEqual(["1 main "]);
});
