import { describe, expect, test } from "bun:test";
import { highlight } from "../../src/lib/highlight.ts";
import { MARKDOWN_CHARS_MAX, parseMarkdown } from "../../src/lib/markdown.ts";
import type { Block, Inline } from "../../src/lib/markdown-node.ts";
import { safeAddress } from "../../src/lib/safe-address.ts";

const parse = (text: string) => parseMarkdown(text, () => undefined) ?? [];
const text = (value: string): Inline => ({ kind: "text", text: value });
const inlines = (source: string): readonly Inline[] => {
  const [first] = parse(source);
  return first?.kind === "paragraph" ? first.children : [];
};
const said = (value: string): Block => ({ kind: "paragraph", children: [text(value)] });

describe("parseMarkdown()", () => {
  test("reads marks within a line; line breaks stay", () => {
    expect(inlines("a *b **c*** `d` ~~e~~ \\*f &amp;\n  g  \nh")).toEqual([
      text("a "),
      {
        kind: "emphasis",
        children: [text("b "), { kind: "strong", children: [text("c")] }],
      },
      text(" "),
      { kind: "code", text: "d" },
      text(" "),
      { kind: "strike", children: [text("e")] },
      text(" *f &\ng\nh"),
    ]);
  });

  test("reads lists, quotes, tasks and code in them, each at its place", () => {
    expect(
      parse("3. a\n   - [x] b\n\n     ```sh\n     ls\n       -l\n     ```\n\n> c\n> d\n\n---"),
    ).toEqual([
      {
        kind: "list",
        start: 3,
        items: [
          {
            isDone: undefined,
            children: [
              said("a"),
              {
                kind: "list",
                start: undefined,
                items: [
                  {
                    isDone: true,
                    children: [
                      said("b"),
                      {
                        kind: "code",
                        number: 1,
                        language: "sh",
                        text: "ls\n  -l",
                        tokens: undefined,
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
      { kind: "quote", children: [said("c\nd")] },
      { kind: "rule" },
    ]);
  });

  test("keeps empty cells of a table where they are, and no more than the head has", () => {
    expect(parse("| a | | c |\n|-|-|-|\n| 1 || 3 | 4 |\n| 5 |")).toEqual([
      {
        kind: "table",
        number: 1,
        head: [[text("a")], [], [text("c")]],
        rows: [[[text("1")], [], [text("3")]], [[text("5")]]],
      },
    ]);
  });

  test("headings begin at the first depth and go down one at a time; one without a text is none", () => {
    const depths = parse("### a\n\n###### b\n\n#\n\n# c\n\n#### d\n\n##### e\n\n#### f");
    expect(depths.map((block) => (block.kind === "heading" ? block.depth : undefined))).toEqual([
      1, 2, 1, 2, 3, 2,
    ]);
  });

  test("links say where they lead unless their text does; images are links", () => {
    const link = (href: string, shown: string | undefined, value: string): Inline => ({
      kind: "link",
      href,
      shown,
      children: [text(value)],
    });
    expect(inlines("[a](https://x.example)")).toEqual([
      link("https://x.example/", "https://x.example/", "a"),
    ]);
    expect(inlines("https://x.example/b")).toEqual([
      link("https://x.example/b", undefined, "https://x.example/b"),
    ]);
    expect(inlines("[a][B]\n\n[b]: /runs")).toEqual([link("/runs", undefined, "a")]);
    expect(inlines("![](https://x.example/i.png)")).toEqual([
      link("https://x.example/i.png", "https://x.example/i.png", "image"),
    ]);
    expect(inlines("[x](javascript:alert(1)) <b>")).toEqual([text("[x](javascript:alert(1)) <b>")]);
  });

  test("leaves a longer text as it is written", () => {
    expect(parseMarkdown("x".repeat(MARKDOWN_CHARS_MAX + 1), () => undefined)).toBeUndefined();
  });
});

test.each([
  ["https://x.example/a?b#c", "https://x.example/a?b#c"],
  ["HTTP://X.example", "http://x.example/"],
  ["https://аpple.example", "https://xn--pple-43d.example/"],
  ["mailto:a@x.example", "mailto:a@x.example"],
  ["/runs?state=failed#top", "/runs?state=failed#top"],
  ["/a/../b", "/b"],
  ["//x.example", undefined],
  ["/\\x.example", undefined],
  ["/.//x.example", undefined],
  ["/\t/x.example", undefined],
  ["https://bank.example@x.example", undefined],
  ["javascript:alert(1)", undefined],
  ["\u0001javascript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["runs", undefined],
  ["#main", undefined],
  ["", undefined],
])("safeAddress(%j) is %j", (address, safe) => {
  expect(safeAddress(address)).toBe(safe);
});

function kinds(code: string, language: string): string[] | undefined {
  return highlight(code, language)
    ?.filter(({ kind }) => kind !== undefined)
    .map((token) => `${token.kind} ${token.text.trim()}`);
}

describe("highlight()", () => {
  test.each([
    ["yaml", 'a: "b" # c', ["key a", 'string "b"', "comment # c"]],
    ["json", '{"a": [1, "b"]}', ['key "a"', "number 1", 'string "b"']],
    ["ts", 'const a = "b"; // c', ["keyword const", "key a", 'string "b"', "comment // c"]],
    ["python", "def a(): # c", ["keyword def", "key a", "comment # c"]],
    ["sh", "export A='b' # c", ["keyword export", "key A", "string 'b'", "comment # c"]],
  ])("knows %s", (language, code, expected) => {
    expect(kinds(code, language)).toEqual(expected);
    expect(
      highlight(`${code}\n\n${code}`, language)
        ?.map((token) => token.text)
        .join(""),
    ).toBe(`${code}\n\n${code}`);
  });

  test("leaves other languages, long code and long lines without colours", () => {
    expect(highlight("a: b", "brainfuck")).toBeUndefined();
    expect(highlight("a: b\n".repeat(10_000), "yaml")).toBeUndefined();
    expect(highlight(`a: ${"b".repeat(2_000)}`, "yaml")).toBeUndefined();
  });
});
