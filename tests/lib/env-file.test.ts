import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatEnvEntry, parseEnvFile, updateEnvText } from "../../src/lib/env-file.ts";

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/);
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.stringMatching(/^[ "'\\#$`=\n\r\ta-z]*$/),
);

describe("parseEnvFile()", () => {
  test("reads quotes, export, comments and lines, and evaluates nothing", () => {
    const text = [
      "\uFEFF# comment",
      "PLAIN=a b # comment",
      "export EXPORTED = spaced  ",
      'DOUBLE="a\\n\\"b\\" $HOME # no comment" # comment',
      "SINGLE='a\\n $(date)'",
      "EMPTY=",
      "HASH=a#b",
      'MANY="first',
      'second"',
      "LAST=1\r",
    ].join("\n");
    expect(parseEnvFile(text)).toEqual({
      entries: [
        { name: "PLAIN", value: "a b", line: 2, lineEnd: 2 },
        { name: "EXPORTED", value: "spaced", line: 3, lineEnd: 3 },
        { name: "DOUBLE", value: 'a\n"b" $HOME # no comment', line: 4, lineEnd: 4 },
        { name: "SINGLE", value: "a\\n $(date)", line: 5, lineEnd: 5 },
        { name: "EMPTY", value: "", line: 6, lineEnd: 6 },
        { name: "HASH", value: "a#b", line: 7, lineEnd: 7 },
        { name: "MANY", value: "first\nsecond", line: 8, lineEnd: 9 },
        { name: "LAST", value: "1", line: 10, lineEnd: 10 },
      ],
      malformed: [],
    });
  });

  test("a line that is no entry is told with its number and spoils no other", () => {
    expect(parseEnvFile('A=1\nnonsense\nB=\'open\nC=3\nD="x"y\n')).toEqual({
      entries: [
        { name: "A", value: "1", line: 1, lineEnd: 1 },
        { name: "C", value: "3", line: 4, lineEnd: 4 },
      ],
      malformed: [
        { line: 2, text: "nonsense" },
        { line: 3, text: "B='open" },
        { line: 5, text: 'D="x"y' },
      ],
    });
  });

  test("never throws, whatever the text", () => {
    fc.assert(fc.property(value, (text) => void parseEnvFile(text)));
  });

  test("reads back a separator that is not a line break of the file", () => {
    for (const text of ["\u2028", "a\u2029b", "\u0085"])
      expect(read(formatEnvEntry("A", text))).toEqual({ A: text });
  });

  test("reads back every value that formatEnvEntry() writes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const text = pairs.map(([key, content]) => formatEnvEntry(key, content)).join("\n");
        const file = parseEnvFile(text);
        expect(file.malformed).toEqual([]);
        expect(file.entries.map((entry): [string, string] => [entry.name, entry.value])).toEqual(
          pairs,
        );
      }),
    );
  });
});

function read(text: string): Record<string, string> {
  return Object.fromEntries(parseEnvFile(text).entries.map((entry) => [entry.name, entry.value]));
}

describe("updateEnvText()", () => {
  test("replaces where it stands, uncomments, adds, comments out, keeps the rest", () => {
    const text = "# mine\nA=1\nUNKNOWN=kept\n# B=example\n\nC='x\ny'\nA=2\n";
    expect(updateEnvText(text, { A: "3", B: "two words", C: undefined, D: "new" })).toBe(
      "# mine\nUNKNOWN=kept\nB='two words'\n\n# C=\nA=3\nD=new\n",
    );
  });

  test("changes what it is told to, and nothing else", () => {
    const changes = fc.dictionary(name, fc.option(value, { nil: undefined }));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), changes, (pairs, wanted) => {
        const before = pairs.map(([key, content]) => formatEnvEntry(key, content)).join("\n");
        const expected = read(before);
        for (const [key, content] of Object.entries(wanted)) {
          if (content === undefined) delete expected[key];
          else expected[key] = content;
        }
        expect(read(updateEnvText(before, wanted))).toEqual(expected);
      }),
    );
  });
});
