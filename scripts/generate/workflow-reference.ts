/** docs/workflow-reference.md: every key of a workflow file, from the schema that checks the files. */
import { EXAMPLES } from "../../examples/index.ts";
import { type Feature, IGNORED, UNSUPPORTED, WITHOUT_EFFECT } from "../../src/language/feature.ts";
import { workflowJsonSchema } from "../../src/language/schema-json.ts";
import { assert } from "../../src/lib/assert.ts";
import { markdownTable } from "../../src/lib/markdown-table.ts";
import { DEMO_MODEL, REAL_PROVIDERS } from "../../src/llm/registry.ts";
import { anchorOf, code, NOTICE, page } from "./markdown.ts";
import { problemTable } from "./problem-texts.ts";
import { describeType, type Key, type Section, sectionsOf, SHARED_SECTION } from "./schema-walk.ts";
import { describedTools } from "./tool-reference.ts";
import * as texts from "./workflow-texts.ts";

export function workflowReference(): string {
  const sections = sectionsOf(workflowJsonSchema());
  const [root, ...others] = sections;
  assert(root !== undefined && root.paths[0] === "", "the walk begins at the file");
  return page([
    "# Workflow files",
    NOTICE,
    texts.INTRODUCTION,
    yaml(
      sourceOf("greeting.yaml")
        .replace(/^#.*\n/gm, "")
        .trim(),
    ),
    texts.EDITOR,
    "## The file",
    keyTable(root),
    ...others.filter(isActive).flatMap(sectionBlocks),
    ...texts.TYPES,
    ...texts.TEMPLATES,
    ...texts.CONDITIONS,
    ...texts.RESULTS,
    ...texts.MERGES,
    "## Providers",
    texts.PROVIDER_CHOICE,
    providerTable(),
    "## Tools",
    texts.TOOLS,
    toolTable(),
    "## Files of configurable-agents",
    texts.COMPATIBILITY,
    "### Refused",
    "Each of these would change what a run does, so a file that uses one is refused with the code `unsupported`.",
    featureTable(UNSUPPORTED),
    "### Accepted without effect",
    "Each of these is a warning; the file runs.",
    featureTable([...IGNORED, ...WITHOUT_EFFECT]),
    "### Their keys",
    "The shape of these keys is checked all the same, so that a file is right when a later version acts on it.",
    ...others.filter((section) => !isActive(section)).flatMap(sectionBlocks),
    "## Problems",
    texts.PROBLEMS,
    problemTable(),
  ]);
}

/** False for maps that nothing reads: their keys are listed apart from those that do something. */
function isActive({ paths: [first = ""], keys }: Section): boolean {
  return (
    featureAbove(first) === undefined && keys.some(({ path }) => featureAbove(path) === undefined)
  );
}

function sectionBlocks(section: Section): string[] {
  const [first = "", ...others] = section.paths;
  const also =
    others.length === 0 ? [] : [`Also at ${others.map((path) => code(path)).join(" and ")}.`];
  const level = isActive(section) ? "##" : "####";
  const example = texts.EXCERPTS[first];
  return [
    `${level} ${code(first)}`,
    ...also,
    ...(texts.NOTES[first] ?? []),
    keyTable(section),
    ...(example === undefined ? [] : [yaml(excerpt(example))]),
  ];
}

function keyTable(section: Section): string {
  const rows = section.keys.map((key) => {
    const { meaning, fallback } = meaningOf(key);
    return [code(key.name), typeCell(key), key.required ? "required" : fallback, meaning];
  });
  return markdownTable(["Key", "Value", "Default", "Meaning"], rows);
}

function typeCell(key: Key): string {
  const text = describeType(key.schema);
  const target = sectionOf(key);
  return target === undefined ? text : text.replace(/maps?(?=,|$)/, `[$&](#${anchorOf(target)})`);
}

/** The section that describes the maps below a key. */
function sectionOf(key: Key): string | undefined {
  if (key.schema["$ref"] !== undefined) return SHARED_SECTION;
  const below = new Set([key.path, `${key.path}[]`, `${key.path}.NAME`]);
  return sectionsOf(workflowJsonSchema()).find((section) =>
    section.paths.some((path) => below.has(path)),
  )?.paths[0];
}

/** The description, with the default that it ends with taken out, and what becomes of the key here. */
function meaningOf({ path, schema }: Key): { meaning: string; fallback: string } {
  const text = typeof schema["description"] === "string" ? schema["description"] : "";
  assert(text !== "" || texts.MEANINGS[path] !== undefined, `${path} has no description`);
  const [meaning = "", fallback = ""] = (texts.MEANINGS[path] ?? text).split(/ Default: (.+)\.$/);
  const fates = [
    ...fatesOf(path, UNSUPPORTED, "Refused"),
    ...fatesOf(path, [...IGNORED, ...WITHOUT_EFFECT], "No effect"),
  ];
  const isSaid = /^Accepted (?:and ignored|without effect)\.$/.test(meaning);
  return { meaning: isSaid ? fates.join(" ") : [meaning, ...fates].join(" "), fallback };
}

function fatesOf(path: string, features: readonly Feature[], word: string): string[] {
  return features
    .filter((feature) => feature.pattern === path)
    .map((feature) => `**${word}${conditionOf(feature)}.**`);
}

function conditionOf(feature: Feature): string {
  const condition = texts.FEATURE_CONDITIONS[feature.message];
  return condition === undefined ? "" : ` ${condition}`;
}

/** The feature that a path is a part of, when it has no effect or is refused. */
function featureAbove(path: string): Feature | undefined {
  return [...UNSUPPORTED, ...IGNORED, ...WITHOUT_EFFECT].find(({ pattern }) =>
    [".", "[]", ""].some((end) => (end === "" ? path === pattern : path.startsWith(pattern + end))),
  );
}

function featureTable(features: readonly Feature[]): string {
  const rows = features.map((feature) => [
    `${code(feature.pattern)}${conditionOf(feature)}`,
    feature.message,
    feature.fix,
  ]);
  return markdownTable(["Key", "Message", "Fix"], rows);
}

function providerTable(): string {
  const rows = Object.values(REAL_PROVIDERS).map((provider) => [
    code(provider.name),
    provider.keyVariable === undefined ? "none" : code(provider.keyVariable),
    code(provider.baseUrlVariable),
    provider.modelDefault === undefined
      ? "the first that the server lists"
      : code(provider.modelDefault),
  ]);
  return markdownTable(
    ["`provider`", "Key", "Address", "Model when none is named"],
    [...rows, ["`demo`", "none", "none", code(DEMO_MODEL)]],
  );
}

function toolTable(): string {
  const rows = describedTools().map(({ name, description }) => [
    `[${code(name)}](tools.md#${anchorOf(name)})`,
    description,
  ]);
  return markdownTable(["Tool", "What it does"], rows);
}

/** Lines of an example file, which the tests check and run. */
function excerpt({ file, from, lines }: texts.Excerpt): string {
  const all = sourceOf(file).split("\n");
  const start = all.findIndex((line) => line.startsWith(from));
  assert(start >= 0, `${file} has no line that begins with ${from}`);
  const indent = all[start]?.search(/\S/) ?? 0;
  return all
    .slice(start, start + lines)
    .map((line) => line.slice(indent))
    .join("\n")
    .trimEnd();
}

function sourceOf(file: string): string {
  const example = EXAMPLES.find((one) => one.file === file);
  assert(example !== undefined, `there is no example ${file}`);
  return example.source;
}

function yaml(text: string): string {
  return `\`\`\`yaml\n${text}\n\`\`\``;
}
