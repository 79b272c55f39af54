/**
 * Goal: a change in a form changes that place of the file, and not one byte beside it.
 * Method: random edits with hostile texts on every workflow file there is, in several spellings; what was
 * written is read by the YAML package itself. `AGENTS_TEST_SEED` repeats one seed.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isScalar, parse, parseDocument } from "yaml";
import { AppError } from "../../src/domain/error.ts";
import { editablePlaces, type EditablePlace, editSource } from "../../src/language/edit-source.ts";
import { createSeededRandom, type SeededRandom } from "../../src/lib/seeded-random.ts";

const EXAMPLES = join(import.meta.dir, "../../examples");
const SHARED = join(import.meta.dir, "../../../shared/workflows");
/** What `ODD` is after some edits; written by UPDATE=1. */
const GOLDEN = join(import.meta.dir, "../golden/edited-workflow.yaml.txt");
const SEED_COUNT = 150;
const only = process.env["AGENTS_TEST_SEED"];

/** Every way to write a text that people have, and what stands beside it. */
const ODD = `# head
schema_version: "1.0"
flow: {name: odd, description: 'it''s "odd"', version: "1"} # flow
state:
  fields:
    topic: {type: str, default: "a, b", description: plain words # why
      }
    count: { type: int, default: 3 }
    sure:
      default:   yes   # as CA has it
      type: bool
    text:
      type: str
      default: >+
        folded text
        on two lines

          deeper

    empty: { type: str, default: "" }
nodes:
- description: |   # the first key of the item

      far in

      and on

  id: first
  # about the prompt
  prompt: >-
    one
    two

    three
  llm: &fast {model: small} # shared
  outputs: [topic]
  output_schema: {type: str}
-   id:   second
    description:
    prompt: &words "used
      below"
    llm: *fast
    outputs: [topic]
    output_schema:
        type: object
        fields:
        - name: topic
          type: str
          description: &alone only here
- id: third
  kind: llm
  prompt: *words
  when: |2-
      count > 1
  outputs: [topic]
  output_schema: {type: str}
  llm:
    # cold
    temperature: 0.20 # exactly
- {id: call, http: {url: "https://x.test/{topic}", headers: {X-One: a}, body: {deep: {er: 1}, n: 5}}}
- id: shell
  cli:
    command:
    - echo
    - 'two words'
    -   three
- id: ask
  approval: {message: Go on?}
- id: code
  code: |+
    result = 1
    	tab

edges:
  - {from: START, to: first}
  - {from: first, to: END}
`;

const TEXTS: readonly [string, ...string[]] = [
  "plain words",
  "",
  "a: b",
  "a #b",
  "# a",
  "{a}",
  "[a, b]",
  "a, b",
  " before",
  "behind  ",
  "\ttab",
  "yes",
  "No",
  "null",
  "~",
  "1e3",
  "0x1f",
  "1_000",
  "12:30:15",
  "2030-01-31",
  ".inf",
  "true",
  "---",
  "- a",
  "? a",
  "*a",
  "&a b",
  "!tag",
  "| a",
  "> a",
  "%a",
  "@a",
  "`a`",
  "'a'",
  '"a"',
  "it's",
  'say "it"',
  "back\\slash \\n",
  "a:",
  "a\u0000b\u001b[31m",
  "\u0085\u2028\u2029\ufeff",
  "\ud800",
  "😀 é ß 漢字",
  "two\nlines",
  "two\n\nparagraphs\n\n\nthree",
  "  indented\nnot",
  "not\n  indented\n\tby tab",
  "\n\nleading ends",
  "trailing blanks  \nand  ",
  "last line blank\n   ",
  "windows\r\nends",
  "old\rmac",
  "ends\n\n\n",
  "   ",
  "# comment\n---\n...\nkey: value",
  "word ".repeat(60).trim(),
  `${"long ".repeat(30).trim()}\n${"lines ".repeat(30).trim()}`,
  "x".repeat(300),
];

interface File {
  readonly name: string;
  readonly source: string;
}

function filesBelow(folder: string): File[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .toSorted()
    .map((name) => ({ name, source: readFileSync(join(folder, name), "utf8") }));
}

/** The same workflow as other people would have saved it. */
function spellings({ name, source }: File): File[] {
  const asJson = (space: number) => {
    const value: unknown = parse(source, { uniqueKeys: false, merge: true, logLevel: "silent" });
    return JSON.stringify(value, null, space);
  };
  const all: [string, () => string][] = [
    ["", () => source],
    [" with CRLF", () => source.replaceAll("\n", "\r\n")],
    [" with a mark", () => `\uFEFF${source}`],
    [" without the last line end", () => source.trimEnd()],
    [" as JSON", () => `${asJson(2)}\n`],
    [" as JSON in one line", () => asJson(0)],
  ];
  return all.map(([how, make]) => ({ name: `${name}${how}`, source: make() }));
}

const ours = filesBelow(EXAMPLES);
const theirs = existsSync(SHARED) ? filesBelow(SHARED) : [];
if (theirs.length === 0)
  console.warn(`SKIPPED: no workflow files in ${SHARED}, so they were not edited.`);
const odd = spellings({ name: "odd", source: ODD });
const files = [...ours, ...theirs]
  .flatMap(spellings)
  .filter(({ source }) => editablePlaces(source).length > 0);

function newValue(place: EditablePlace, random: SeededRandom): string {
  const canGo = place.path.endsWith("/default");
  if (canGo && random.next() < 0.1) return "";
  if (place.kind === "number") return random.pick(["0", "17", "-2.5", "1e3"]);
  if (place.kind === "boolean") return random.pick(["true", "false"]);
  const text = random.pick(TEXTS);
  return random.next() < 0.3 ? `${text}${random.pick(TEXTS)}` : text;
}

/** What a place says after it was given a text. */
const kept = (text: string) => text.replaceAll("\r\n", "\n").replace(/\n+$/, "");

/** The value of a place, as the package reads it; ours is not asked. */
function valueAt(source: string, path: string): unknown {
  const text = source.replace(/^\uFEFF/, "");
  const isJson = text.startsWith("{");
  let inside: unknown = isJson ? JSON.parse(text) : parse(text, { logLevel: "silent" });
  for (const part of path.split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(inside)) {
      const items: unknown[] = inside;
      inside = items.find((item) => nameIn(item) === name) ?? items[Number(name)];
    } else {
      inside =
        typeof inside === "object" && inside !== null ? Reflect.get(inside, name) : undefined;
    }
  }
  return inside;
}

function nameIn(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return undefined;
  return Reflect.get(item, "id") ?? Reflect.get(item, "name");
}

/** How much of the two texts is the same at both ends. */
function sameChars(left: string, right: string): { before: number; behind: number } {
  const most = Math.min(left.length, right.length);
  let before = 0;
  while (before < most && left[before] === right[before]) before += 1;
  let behind = 0;
  while (behind < most - before && left.at(-1 - behind) === right.at(-1 - behind)) behind += 1;
  return { before, behind };
}

/** Where the value of a place stands, as the package has it. */
function rangeAt(source: string, path: string): { from: number; to: number } | undefined {
  let node: unknown = parseDocument(source, { uniqueKeys: false }).contents;
  for (const part of path.split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isMap(node)) {
      node = node.items.find(({ key }) => isScalar(key) && String(key.value) === name)?.value;
    } else if (typeof node === "object" && node !== null && "items" in node) {
      const items: unknown[] = Array.isArray(node.items) ? node.items : [];
      node =
        items.find((item) => isMap(item) && (item.get("id") ?? item.get("name")) === name) ??
        items[Number(name)];
    }
  }
  if (!isScalar(node) || !node.range) return undefined;
  const [from, to] = node.range;
  return { from, to };
}

function commentsOf(source: string): string[] {
  return source.match(/(?<=^|\s)# [^\r\n]*/gm) ?? [];
}

function checkOne({ source }: File, place: EditablePlace, text: string): void {
  const edited = editSource(source, [{ path: place.path, value: text }]);
  const wanted = kept(text);
  const isSame = wanted === place.value;
  expect(edited.changed.map(({ path, value }) => ({ path, value }))).toEqual(
    isSame ? [] : [{ path: place.path, value: wanted }],
  );
  if (isSame) {
    expect(edited.source).toBe(source);
    return;
  }
  const value = valueAt(edited.source, place.path);
  if (wanted === "" && value === undefined) expect(edited.source).not.toBe(source);
  else if (place.kind === "number") expect(value).toBe(Number(wanted));
  else if (place.kind === "boolean") expect(value).toBe(wanted === "true");
  else expect(kept(String(value))).toBe(wanted);
  checkRest(source, edited.source, place.path);
  const again = editablePlaces(edited.source).map(({ path, value: now }) => ({ path, value: now }));
  expect(editSource(edited.source, again)).toEqual({ source: edited.source, changed: [] });
}

/** All but the value, or the line that came or went, is as it was. */
function checkRest(old: string, now: string, path: string): void {
  const { before, behind } = sameChars(old, now);
  const was = rangeAt(old, path);
  const is = rangeAt(now, path);
  if (was === undefined || is === undefined) {
    expect(before + behind).toBeGreaterThanOrEqual(Math.min(old.length, now.length));
    return;
  }
  const isEmpty = was.from === was.to;
  expect(before).toBeGreaterThanOrEqual(isEmpty ? old.lastIndexOf(":", was.from) : was.from);
  // A block begins in the line of its key and ends below what else stands there.
  const isBlock = /^[|>]/.test(old.slice(was.from)) || /^[|>]/.test(now.slice(is.from));
  if (!isBlock) expect(behind).toBeGreaterThanOrEqual(old.length - was.to - (isEmpty ? 1 : 0));
  else expect(old.slice(old.length - behind)).toEndWith(old.slice(lineEnd(old, was.to)));
  if (!isBlock) return;
  const missing = commentsOf(outside(old, was)).filter((comment) => !now.includes(comment));
  expect(missing).toEqual([]);
}

function outside(text: string, span: { from: number; to: number }): string {
  return text.slice(0, span.from) + text.slice(span.to);
}

function lineEnd(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const at = text.indexOf("\n", offset);
  return at === -1 ? text.length : at;
}

describe("editSource()", () => {
  const seeds =
    only === undefined ? Array.from({ length: SEED_COUNT }, (_, at) => at + 1) : [Number(only)];

  function checkAll(kind: string, check: (random: SeededRandom, file: File) => void): void {
    for (const seed of seeds) {
      const random = createSeededRandom(`${kind} ${seed}`);
      const choice = random.next() < 0.3 ? odd : files;
      const file = choice[random.integer(0, choice.length - 1)];
      if (file === undefined) throw new Error("There are no files.");
      try {
        check(random, file);
      } catch (cause) {
        const how = `repeat it with AGENTS_TEST_SEED=${seed}`;
        throw new Error(`${kind}, seed ${seed}, ${file.name} (${how})`, { cause });
      }
    }
  }

  const what = `${files.length} files, ${seeds.length} seeds`;

  test(`changes one place and nothing else: ${what}`, () => {
    checkAll("one edit", (random, file) => {
      const places = editablePlaces(file.source);
      for (let count = 0; count < 5; count += 1) {
        const place = places[random.integer(0, places.length - 1)];
        if (place !== undefined) checkOne(file, place, newValue(place, random));
      }
    });
  }, 60_000);

  test(`makes many changes as it makes each: ${what}`, () => {
    checkAll("many edits", (random, { source }) => {
      const edits = editablePlaces(source)
        .filter(() => random.next() < 0.3)
        .map((place) => ({ path: place.path, value: newValue(place, random) }));
      const edited = editSource(source, edits);
      const now = new Map(editablePlaces(edited.source).map(({ path, value }) => [path, value]));
      for (const { path, value } of edits) expect(now.get(path) ?? "").toBe(kept(value));
      const oneByOne = edits.reduce((text, edit) => editSource(text, [edit]).source, source);
      expect(oneByOne).toBe(edited.source);
    });
  }, 60_000);

  test(`writes nothing when nothing changes: ${files.length + odd.length} files`, () => {
    for (const { source } of [...files, ...odd]) {
      const edits = editablePlaces(source).map(({ path, value }) => ({ path, value }));
      // As a form sends them.
      const sent = edits.map(({ path, value }) => ({
        path,
        value: value.replaceAll("\n", "\r\n"),
      }));
      expect(editSource(source, edits)).toEqual({ source, changed: [] });
      expect(editSource(source, sent)).toEqual({ source, changed: [] });
    }
  });

  test("keeps styles, comments and what stands around", async () => {
    const edits: Readonly<Record<string, string>> = {
      "flow/description": "new: text, with\nlines",
      "state/fields/topic/description": "",
      "state/fields/count/default": "",
      "state/fields/text/default": "short\nlines",
      "nodes/first/description": "",
      "nodes/first/prompt": `${"a long text ".repeat(9).trim()}\n\nend`,
      "nodes/second/description": "  two\nlines",
      "nodes/second/output_schema/fields/topic/description": "It's",
      "nodes/third/llm/temperature": "",
      "nodes/third/llm/model": "gpt-5",
      "nodes/third/when": "x > 1",
      "nodes/call/description": "calls {it}",
      "nodes/shell/cli/command/2": "a\nb",
      "nodes/shell/description": "Says it",
      "nodes/ask/approval/message": "",
      "nodes/code/code": "\tx\ny",
    };
    const list = Object.entries(edits).map(([path, value]) => ({ path, value }));
    const edited = editSource(ODD, list).source;
    if (process.env["UPDATE"] === "1") await Bun.write(GOLDEN, edited);
    expect(edited).toBe(await Bun.file(GOLDEN).text());
  });
});

function faultOf(source: string, path: string, value: string): string {
  try {
    editSource(source, [{ path, value }]);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message} ${error.fix}`;
    throw error;
  }
  return "none";
}

const paths = (source: string) => editablePlaces(source).map(({ path }) => path);

describe("what cannot be changed", () => {
  test("is named, with what to do", () => {
    expect(faultOf(ODD, "nodes/gone/prompt", "a")).toBe(
      "invalid: The workflow has no place `nodes/gone/prompt` that can be changed here. Change it in the workflow's text.",
    );
    expect(faultOf(ODD, "nodes/third/llm/temperature", "warm")).toBe(
      "invalid: Temperature of `third`: `warm` is no number. Write a number such as 3 or 0.5.",
    );
    expect(faultOf(ODD, "nodes/call/http/body/n", "")).toBe(
      "invalid: Body n of `call`: may not be empty. Write a number such as 3 or 0.5.",
    );
    expect(faultOf("a: [", "flow/description", "a")).toBe(
      "invalid: The workflow's text is not well-formed. Mend its text first.",
    );
  });

  test("is not offered: aliases, what others use, tagged values, nodes without a name of their own", () => {
    const node = "{id: a, outputs: [x], prompt: one, description: d";
    expect(paths(`nodes: [${node}, llm: {model: !!str m, provider: openai}}]`)).toEqual([
      "nodes/a/prompt",
      "nodes/a/description",
      "nodes/a/llm/provider",
    ]);
    expect(paths(`nodes: [${node}}, ${node}}, {prompt: two}]`)).toEqual([]);
    expect(paths(`nodes: [&a ${node}, llm: {}}]\nedges: *a`)).toEqual([]);
    const merged = `base: &base {description: d}\nnodes:\n- <<: *base\n  id: a\n  prompt: b`;
    expect(paths(merged)).toEqual(["nodes/a/prompt"]);
    expect(paths("")).toEqual([]);
    expect(paths(`${"[".repeat(100)}${"]".repeat(100)}`)).toEqual([]);
  });
});
