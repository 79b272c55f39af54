/**
 * Goal: the documents say what is so. Method: what can be checked is checked against the code: links,
 * paths, commands and flags, variables, workflow files, and the tests that invariants name.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { EXAMPLES } from "../../examples/index.ts";
import { anchorOf } from "../../scripts/generate/markdown.ts";
import { type FlagDefinitions, GLOBAL_FLAGS } from "../../src/cli/flag.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { VARIABLES } from "../../src/config/schema.ts";
import { IDEMPOTENCY_VARIABLE } from "../../src/engine/node/cli.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import packageJson from "../../package.json";

const FILES = ["*.md", "docs/**/*.md", "examples/*.md"]
  .flatMap((pattern) => Array.from(new Glob(pattern).scanSync(".")))
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted();

interface Page {
  readonly file: string;
  readonly text: string;
}

const pages: readonly Page[] = await Promise.all(
  FILES.map(async (file) => ({ file, text: await Bun.file(file).text() })),
);
const anchors = new Map(pages.map(({ file, text }) => [file, anchorsOf(text)]));

function anchorsOf(text: string): ReadonlySet<string> {
  const headings = withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set([...headings].map(([, heading = ""]) => anchorOf(heading)));
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

/** Relative links that lead to no file, or to no heading of it. */
function brokenLinks({ file, text }: Page): string[] {
  const prose = withoutBlocks(text).replaceAll(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, markdown, html]) => markdown ?? html ?? "",
  );
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path).replaceAll("\\", "/");
    if (!existsSync(target)) return true;
    return anchor !== undefined && anchors.get(target)?.has(anchor) !== true;
  });
}

/** Code in a text: blocks of shell lines, and spans. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh|text)\n([^]*?)^ *```$/gm)].flatMap(
    ([, block = ""]) => block.split("\n"),
  );
  const indented = [...text.matchAll(/^ {4}(agents .*)$/gm)].map(([, line = ""]) => line);
  const spans = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return [...blocks, ...indented, ...spans].map((line) => line.replace(/ #.*$/, "").trim());
}

/** Commands that the command line does not have, and flags that they do not take. */
function unknownCommands({ file, text }: Page): string[] {
  return codeOf(text).flatMap((line) => {
    const [, rest] = /^(?:\.\/)?agents(?:\.exe)?( .*)?$/.exec(line) ?? [];
    if (line === "agents --version") return [];
    if (rest === undefined) return loneFlagFaults(line).map((fault) => `${file}: ${fault}`);
    const words = rest.trim().split(/\s+/);
    const [name = ""] = words;
    const isCommand = /^[a-z]/.test(name);
    const command = COMMANDS.find(
      ({ definition }) => definition.name === (isCommand ? name : "start"),
    );
    if (command === undefined) return [`${file}: agents ${name}`];
    const known = flagNames(command.definition.flags);
    return words
      .filter((word) => isFlag(word) && !known.has(flagName(word)))
      .map((word) => `${file}: ${line}: ${word}`);
  });
}

/** A span that is a flag alone must be a flag of some command. */
function loneFlagFaults(line: string): string[] {
  if (!/^--[a-z]/.test(line)) return [];
  const known = new Set(
    COMMANDS.flatMap(({ definition }) => Array.from(flagNames(definition.flags))),
  );
  return known.has(flagName(line)) || OTHER_FLAGS.has(flagName(line)) ? [] : [line];
}

/** Of our own scripts, of Bun and of the executable itself. */
const OTHER_FLAGS = new Set([
  "--pages",
  "--all",
  "--bytecode",
  "--check",
  "--splitting",
  "--version",
]);

function flagNames(flags: FlagDefinitions): ReadonlySet<string> {
  const names = new Set<string>();
  const all: FlagDefinitions = { ...flags, ...GLOBAL_FLAGS };
  for (const [name, flag] of Object.entries(all)) {
    names.add(`--${name}`);
    if ("negative" in flag) names.add(`--no-${name}`).add(`--[no-]${name}`);
    if (flag.short !== undefined) names.add(`-${flag.short}`);
  }
  return names;
}

const isFlag = (word: string) => /^--?[a-z[]/.test(word);
const flagName = (word: string) => /^(--?[a-z[\]-]+)/.exec(word)?.[1] ?? word;

/** Names in capitals that look like settings and are none. */
function unknownVariables({ file, text }: Page): string[] {
  const settings = VARIABLES.flatMap(({ name, info }) => [name, info.alias ?? name]);
  const known = new Set([...settings, IDEMPOTENCY_VARIABLE]);
  const named = text.match(/\b(?:AGENTS_[A-Z_]+|[A-Z]+(?:_[A-Z]+)*_(?:API_KEY|BASE_URL))\b/g) ?? [];
  return named
    .filter((name) => !known.has(name) && !/^AGENTS_(?:TEST_|EXE)/.test(name))
    .map((name) => `${file}: ${name}`);
}

/** Spans that look like a path of this repository and lead nowhere; words in capitals stand for names. */
function unknownPaths({ file, text }: Page): string[] {
  const spans = [
    ...withoutBlocks(text).matchAll(
      /`((?:src|views|tests|scripts|examples|drizzle|docs)\/[^`\s]*)`/g,
    ),
  ];
  return spans
    .map(([, path = ""]) => path)
    .filter((path) => !/[A-Z]{2,}/.test(path.replace("ARCHITECTURE", "")) && !existsSync(path))
    .map((path) => `${file}: ${path}`);
}

function unknownScripts({ file, text }: Page): string[] {
  const named = text.matchAll(/\b(?:npm run|bun run|npm) ([a-z][a-z:]*)/g);
  return [...named]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "run" && !Object.hasOwn(packageJson.scripts, name))
    .map((name) => `${file}: ${name}`);
}

/** Whole workflow files in a text, with what is wrong with them. */
function workflowFaults({ file, text }: Page): string[] {
  const blocks = [...text.matchAll(/^```yaml\n(schema_version:[^]*?)^```$/gm)];
  return blocks
    .filter(([, source = ""]) => source.includes("\nnodes:"))
    .flatMap(([, source = ""]) => {
      const { problems } = parseWorkflow(source, { format: "yaml", knownTools: TOOL_NAMES });
      return problems.map(({ message }) => `${file}: ${message}`);
    });
}

const EXCERPT_INDENT_MAX = 8;

/** Pieces of a workflow file that stand in no example, which the tests check and run. */
function foreignExcerpts({ file, text }: Page): string[] {
  const blocks = [...text.matchAll(/^( *)```yaml\n([^]*?)^ *```$/gm)].map(
    ([, indent = "", block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
  const parts = blocks.filter((block) => !block.startsWith("schema_version:"));
  return parts.filter((part) => !isExcerpt(part)).map((part) => `${file}: ${part}`);
}

function isExcerpt(part: string): boolean {
  const indents = Array.from({ length: EXCERPT_INDENT_MAX + 1 }, (_, count) => " ".repeat(count));
  return indents.some((indent) => {
    const lines = part.replaceAll(/^(?=.)/gm, indent);
    return EXAMPLES.some(({ source }) => source.includes(lines));
  });
}

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** Lines of the form: - `tests/…`: title */
function namedTests(text: string): NamedTest[] {
  return [...text.matchAll(/^ +- `(tests\/[^`]+)`: (.+)$/gm)].map(([, file = "", title = ""]) => ({
    file,
    title,
  }));
}

/** Titles as they stand in the source of a test; those with a variable part can be completed. */
function hasTest(source: string, title: string): boolean {
  const titles = [...source.matchAll(/(["`])((?:(?!\1)[^\\\n]|\\.){8,}|\$\{[^`]*)\1/g)].map(
    ([, , text = ""]) => text.replaceAll(String.raw`\"`, '"'),
  );
  return titles.some((candidate) => {
    if (candidate === title) return true;
    if (!candidate.includes("${")) return false;
    // A part that varies must itself be written in the file.
    const parts = candidate.split(/\$\{[^}]*\}/).map((part) => RegExp.escape(part));
    const match = new RegExp(`^${parts.join("(.+?)")}$`).exec(title);
    return match !== null && match.slice(1).every((part) => source.includes(part));
  });
}

async function missingTests(text: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { file, title } of namedTests(text)) {
    const source = existsSync(file) ? await Bun.file(file).text() : "";
    if (!hasTest(source, title)) missing.push(`${file}: ${title}`);
  }
  return missing;
}

describe("the documents", () => {
  test("are found", () => {
    expect(FILES).toContain("README.md");
    expect(FILES).toContain("docs/guide.md");
    expect(FILES).toContain("examples/README.md");
  });

  const checks = {
    "link only to files and headings that are there": brokenLinks,
    "name only variables that are settings": unknownVariables,
    "name only paths that are there": unknownPaths,
    "name only scripts of package.json": unknownScripts,
    "show only workflow files without problems": workflowFaults,
  };
  for (const [title, check] of Object.entries(checks)) {
    test(title, () => expect(pages.flatMap((each) => check(each))).toEqual([]));
  }

  test("take the pieces of files that the guide shows from the examples", () => {
    const guide = pages.filter(({ file }) => /^(?:README|docs\/guide)\.md$/.test(file));
    expect(guide.flatMap(foreignExcerpts)).toEqual([]);
  });

  test("name only commands and flags of the command line", () => {
    expect(pages.flatMap(unknownCommands)).toEqual([]);
  });

  test("name for every architecture invariant tests that are there", async () => {
    const text = await Bun.file("docs/ARCHITECTURE.md").text();
    const invariants = text.split(/^\d+\. /gm).slice(1);
    expect(invariants.length).toBeGreaterThan(20);
    expect(invariants.filter((invariant) => namedTests(invariant).length === 0)).toEqual([]);
    expect(await missingTests(text)).toEqual([]);
  });

  test("tell in every decision why, what else was weighed and when to revisit", () => {
    const decisions = pages.filter(({ file }) => file.startsWith("docs/decisions/"));
    expect(decisions.length).toBeGreaterThan(10);
    const headings = ["## Why", "## Weighed against", "## When to revisit"];
    const lacking = decisions.filter(({ text }) => headings.some((each) => !text.includes(each)));
    expect(lacking.map(({ file }) => file)).toEqual([]);
    const numbers = decisions.map(({ file }) => /\/(\d{3})-[a-z0-9-]+\.md$/.exec(file)?.[1]);
    expect(numbers).toEqual(decisions.map((_, index) => String(index + 1).padStart(3, "0")));
  });
});

function page(text: string): Page {
  return { file: "docs/planted.md", text };
}

describe("a planted fault is found", () => {
  test("in links, paths, variables and scripts", () => {
    expect(brokenLinks(page("[a](cli.md) [b](none.md) [c](cli.md#none) `[d](none.md)`"))).toEqual([
      "none.md",
      "cli.md#none",
    ]);
    expect(unknownPaths(page("`src/none.ts` `src/app.ts` `src/tool/NAME.ts`"))).toHaveLength(1);
    expect(unknownVariables(page("AGENTS_PORT AGENTS_PROT MY_API_KEY"))).toHaveLength(2);
    expect(unknownScripts(page("npm test, npm run tset"))).toHaveLength(1);
  });

  test("in commands and flags", () => {
    const text =
      "```sh\nagents start --prot 1\n./agents rn\n```\n`agents run FILE -i a=b` `--no-mlfow`";
    expect(unknownCommands(page(text))).toEqual([
      "docs/planted.md: agents start --prot 1: --prot",
      "docs/planted.md: agents rn",
      "docs/planted.md: --no-mlfow",
    ]);
  });

  test("in workflow files", () => {
    const text = '```yaml\nschema_version: "1.0"\nnodes:\n  - id: x\n```';
    expect(workflowFaults(page(text)).length).toBeGreaterThan(0);
  });

  test("in pieces of workflow files", () => {
    const known = "```yaml\n- from: improve\n  loop: { condition_field: good_enough, max";
    const piece = `${known}_iterations: 3, exit_to: END }\n\`\`\``;
    expect(foreignExcerpts(page(piece))).toEqual([]);
    expect(foreignExcerpts(page(piece.replace("improve", "imporve")))).toHaveLength(1);
  });

  test("in the names of tests", async () => {
    const lines = [
      "   - `tests/tidy/docs.test.ts`: in workflow files",
      "   - `tests/tidy/docs.test.ts`: in workflow flies",
      "   - `tests/none.test.ts`: in workflow files",
    ];
    expect(await missingTests(lines.join("\n"))).toEqual([
      "tests/tidy/docs.test.ts: in workflow flies",
      "tests/none.test.ts: in workflow files",
    ]);
  });
});
