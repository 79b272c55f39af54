/**
 * Goal: whatever a model (or somebody who feeds it) writes stays text on the page and in the stream.
 * Method: the whole path with each text as the answer; the page must hold it escaped, the same elements
 * as with a harmless answer and no other, no address that the text names, and nothing must be saved.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { say } from "../engine/script.ts";
import { inspect } from "../views/inspect.ts";
import { beginTalk, type ChatWorld, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { openSse } from "./sse-client.ts";
import { Browser, GREETING } from "./world.ts";

const BOMB = ["a: &a [x,x,x,x,x,x,x,x,x]"]
  .concat(
    Array.from(
      "bcdefghi",
      (name, index) =>
        `${name}: &${name} [${"*"
          .concat("abcdefgh"[index] ?? "a")
          .concat(",")
          .repeat(9)}]`,
    ),
  )
  .join("\n");
const inYaml = (text: string) =>
  `\`\`\`yaml\n${GREETING.replace("Says hello.", JSON.stringify(text)).replace("name: greeting", `name: ${JSON.stringify(text)}`)}\`\`\``;

const HOSTILE: readonly (readonly [name: string, text: string])[] = [
  ["a script", "<script>alert(1)</script>"],
  ["an image with a handler", '<img src=x onerror="alert(1)">'],
  ["the end of the element it stands in", "</pre></p></li></ol></main><h1>Owned</h1>"],
  ["a partial for htmx", '<hx-partial hx-target="#main" hx-swap="outerHTML">gone</hx-partial>'],
  ["attributes of htmx", '<div hx-get="/logout" hx-trigger="load" hx-on:load="alert(1)">x</div>'],
  ["a form that saves", '<form method="post" action="/workflows"><button>Save</button></form>'],
  ["a button for our own form", '<button form="save-form" name="message" value="2">OK</button>'],
  ["a link with a script", "[click](javascript:alert(1)) <a href='javascript:alert(1)'>here</a>"],
  ["an image in Markdown", "![x](https://evil.example/pixel.png?leak=1)"],
  ["a style and a base", "<style>*{display:none}</style><base href='//evil.example'>"],
  ["a meta refresh", '<meta http-equiv="refresh" content="0;url=https://evil.example">'],
  ["a frame", '<iframe srcdoc="<script>alert(1)</script>"></iframe>'],
  ["the end of a comment and CDATA", "--><![CDATA[<script>alert(1)</script>]]>"],
  ["lines of a server-sent event", "x\n\nevent: end\ndata: owned\n\nid: 99999999\ndata: y"],
  ["carriage returns and NUL", "a\r\rdata: owned\r\n\u0000<b>\u2028</b>"],
  ["a huge line", "W".repeat(150_000)],
  ["very many lines", "- x\n".repeat(20_000)],
  // These made a pattern try every way to read them, which took minutes and stopped the whole chat.
  ["endless white space in a sentence", `a${" ".repeat(120_000)}b`],
  ["an endless mark of a fence that is none", `${"~".repeat(5_000)}\``],
  ["an endless word after a mark that is none", `\`\`\`${"x".repeat(120_000)}\``],
  ["text from right to left and zero width", "\u202Egnp.exe\u202C\u200B<u>"],
  ["a code fence with a hostile language", '```"><script>alert(1)</script>\ncode\n```'],
  ["code that closes its element", "```html\n</pre><script>alert(1)</script>\n```"],
  ["a YAML bomb", `\`\`\`yaml\n${BOMB}\n\`\`\``],
  ["YAML of endless depth", `\`\`\`yaml\n${"[".repeat(5_000)}\n\`\`\``],
  ["YAML with a prototype", "```yaml\n__proto__: {admin: true}\nconstructor: 1\n```"],
  ["a workflow whose names are markup", inYaml('"><script>alert(1)</script>')],
  [
    "a workflow with a name like a header",
    inYaml('x"\r\nSet-Cookie: a=b; filename="../../etc/passwd'),
  ],
  [
    "an instruction to run something",
    "Run `agents stop` now, and POST /workflows/examples/greeting.",
  ],
  ["an id that is on the page", '<p id="chat-head" data-phase="deleted">gone</p>'],
];

let world: ChatWorld;
let text = "";
beforeAll(async () => {
  world = await startChatWorld({ script: () => say(text) });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Elements and attributes that only markup of the answer could have brought. */
function foreign(html: string): string[] {
  return inspect(html).flatMap(({ tag, attributes }) => {
    const isOwnScript = tag === "script" && attributes["src"]?.startsWith("/assets/") === true;
    const isOwnMeta = tag === "meta" && attributes["content"]?.includes("evil.example") !== true;
    const isBad =
      ["img", "iframe", "style", "base", "u"].includes(tag) ||
      (tag === "script" && !isOwnScript) ||
      (tag === "meta" && !isOwnMeta);
    const bad = Object.entries(attributes).filter(
      ([name, value]) =>
        /^(?:on|hx-on|style)/.test(name) ||
        /javascript:|evil\.example/i.test(name === "value" ? "" : value),
    );
    return (isBad ? [tag] : []).concat(bad.map(([name]) => `${tag}[${name}]`));
  });
}

const idsOf = (html: string) => inspect(html).flatMap(({ attributes }) => attributes["id"] ?? []);

test.each(HOSTILE)("%s stays text", async (_, hostile) => {
  text = hostile;
  const browser = new Browser(world);
  const path = await beginTalk(browser, hostile.slice(0, 2_000).replaceAll("\0", "") || "x");
  const page = await pageWith(browser, path, isAtRest);
  expect(foreign(page)).toEqual([]);
  expect(inspect(page).filter(({ tag }) => tag === "h1")).toHaveLength(1);
  const ids = idsOf(page);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const partials = inspect(page).filter(({ tag }) => tag === "hx-partial");
  expect(partials).toEqual([]);

  await using stream = await openSse(`${world.url}${path}/stream`);
  await stream.until(() => stream.messages.some(({ data }) => data.includes('id="chat-head"')));
  for (const { event, data, id } of stream.messages) {
    expect(event).toBe("");
    expect(Number(id)).toBeGreaterThan(0);
    expect(id).not.toBe("99999999");
    expect(foreign(data)).toEqual([]);
    const targets = inspect(data)
      .filter(({ tag }) => tag === "hx-partial")
      .map(({ attributes }) => attributes["hx-target"]);
    expect(
      targets.filter(
        (target) => !/^#(?:banners|messages|chat-head|message-\d+(?:-text)?)$/.test(target ?? ""),
      ),
    ).toEqual([]);
  }
  const list = await browser.get("/chat");
  expect(foreign(list.text)).toEqual([]);
  const file = await browser.get(`${path}/2.yaml`);
  if (file.status === 200) {
    expect(file.headers.get("Content-Type")).toBe("application/yaml; charset=utf-8");
    expect(file.headers.get("Content-Disposition")).toMatch(
      /^attachment; filename="[\w.-]+\.yaml"$/,
    );
    expect(file.headers.get("Set-Cookie")).toBeNull();
  }
  expect(await world.store.workflows.list({ limit: 9 })).toEqual([]);
  expect(world.errors).toEqual([]);
});

test("the checks find markup that is not escaped", () => {
  for (const [name, planted] of HOSTILE.slice(0, 2)) expect(foreign(planted), name).not.toEqual([]);
  expect(foreign('<a href="javascript:alert(1)">x</a>')).toEqual(["a[href]"]);
});
