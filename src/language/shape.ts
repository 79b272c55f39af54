/** Holds a file against the zod schema and says what is wrong in terms of the file. */
import { z } from "zod";
import { BYTE_SIZE } from "../lib/byte-size.ts";
import { DURATION } from "../lib/duration.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";
import { MISSING_KEY_FIXES, UNKNOWN_KEY_FIXES, WRONG_TYPE_FIXES } from "./hint.ts";
import { KIND_KEYS, kindOf, REQUIRED_KEYS } from "./kind.ts";
import { listOf, member, patternOf, textOf, valueAt } from "./raw.ts";
import { formatPath, type Path, PROBLEM_CODES, type Reporter } from "./report.ts";
import { IDENTIFIER } from "./schema-part.ts";
import { workflowSchema } from "./schema.ts";
import { describeValue } from "./type.ts";

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;

const LIST_EXAMPLE_CHARS_MAX = 40;
/** A field of the state, whose type alone is often written. */
const FIELD = /^state\.fields\.[^.]+$/;

const KIND_NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
};

/** Reports unknown and missing keys, values of the wrong kind and values out of range. */
export function checkShape(file: Json, reporter: Reporter): void {
  const issues = workflowSchema.safeParse(file).error?.issues ?? [];
  const flat = issues.flatMap((issue) => flatten(issue, file));
  // A misspelt key explains why the right one is missing: one mistake, one problem.
  const misspelt = new Set<string>();
  for (const { issue, path } of flat) {
    if (issue.code !== "unrecognized_keys") continue;
    for (const key of issue.keys) {
      const meant = reportUnknownKey([...path, key], { file, reporter });
      if (meant !== undefined) misspelt.add(formatPath([...path, meant]));
    }
  }
  const missing: Path[] = [];
  for (const { issue, path } of flat) {
    if (issue.code === "unrecognized_keys") continue;
    const value = valueAt(file, path);
    if (value !== undefined && value !== null) reportIssue(issue, { path, file, value, reporter });
    else if (!isOptional(path, file)) missing.push(path);
  }
  missing.push(...missingOfKinds(file, misspelt));
  for (const path of missing)
    if (!misspelt.has(formatPath(path))) reportMissing(path, { file, reporter });
}

interface FlatIssue {
  readonly issue: Issue;
  readonly path: Path;
}

/** The issue with its whole path; of a union, the issues of the option that the value was meant to be. */
function flatten(issue: Issue, file: Json, before: Path = []): FlatIssue[] {
  const path = [
    ...before,
    ...issue.path.map((key) => (typeof key === "number" ? key : String(key))),
  ];
  if (issue.code !== "invalid_union") return [{ issue, path }];
  const union = schemaAt(path, file, { keepUnion: true });
  const options: readonly Schema[] = union instanceof z.ZodUnion ? union.options : [];
  const chosen = options.findIndex((option) => takes(option, valueAt(file, path)));
  const inner = issue.errors[chosen];
  return inner === undefined
    ? [{ issue, path }]
    : inner.flatMap((each) => flatten(each, file, path));
}

function unwrap(schema: Schema | undefined): Schema | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodLazy)
    return unwrap(schema.unwrap());
  return schema;
}

function takes(option: Schema, value: Json | undefined): boolean {
  const schema = unwrap(option);
  if (typeof value === "string")
    return schema instanceof z.ZodString || schema instanceof z.ZodEnum;
  if (typeof value === "boolean")
    return schema instanceof z.ZodBoolean || schema instanceof z.ZodLiteral;
  if (typeof value === "number") return schema instanceof z.ZodNumber;
  if (Array.isArray(value)) return schema instanceof z.ZodArray;
  return isJsonObject(value) && (schema instanceof z.ZodObject || schema instanceof z.ZodRecord);
}

/** The part of the schema that is for a path; of unions, the option that fits the value there. */
function schemaAt(path: Path, file: Json, options = { keepUnion: false }): Schema | undefined {
  let schema: Schema | undefined = workflowSchema;
  for (let length = 0; ; length += 1) {
    schema = unwrap(schema);
    if (schema instanceof z.ZodUnion && !(options.keepUnion && length === path.length)) {
      const choices: readonly Schema[] = schema.options;
      schema = unwrap(
        choices.find((option) => takes(option, valueAt(file, path.slice(0, length)))),
      );
    }
    const key = path[length];
    if (key === undefined) return schema;
    schema = childOf(schema, key);
  }
}

function childOf(schema: Schema | undefined, key: string | number): Schema | undefined {
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (!(schema instanceof z.ZodObject) || typeof key !== "string") return undefined;
  const shape: Readonly<Record<string, Schema>> = schema.shape;
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

function keysAt(path: Path, file: Json): string[] {
  const schema = schemaAt(path, file);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function isOptional(path: Path, file: Json): boolean {
  const key = path.at(-1);
  const parent = schemaAt(path.slice(0, -1), file);
  return key !== undefined && childOf(parent, key) instanceof z.ZodOptional;
}

interface Context {
  readonly file: Json;
  readonly reporter: Reporter;
}

/** Returns the key that was meant, when there is a near one that the map does not have yet. */
function reportUnknownKey(path: Path, { file, reporter }: Context): string | undefined {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  const valid = keysAt(parent, file);
  const hint = UNKNOWN_KEY_FIXES.get(patternOf(path));
  const free = valid.filter((name) => member(valueAt(file, parent), name) === undefined);
  const where = parent.length === 0 ? "at the top level" : `in \`${formatPath(parent)}\``;
  reporter.error(path, {
    code: "unknown-key",
    message: `The key \`${key}\` is not known ${where}.`,
    fix: hint ?? `Remove it; known here: ${valid.join(", ")}.`,
    ...(hint === undefined ? { word: key, among: free } : {}),
    at: "key",
  });
  return hint === undefined ? nearest(key, free) : undefined;
}

/** Keys that a node needs because of its kind; not asked of a node whose kind is misspelt. */
function missingOfKinds(file: Json, misspelt: ReadonlySet<string>): Path[] {
  return listOf(member(file, "nodes")).flatMap((node, index) => {
    const path: Path = ["nodes", index];
    const isUnclear = KIND_KEYS.some((key) => misspelt.has(formatPath([...path, key])));
    if (!isJsonObject(node) || isUnclear) return [];
    return REQUIRED_KEYS[kindOf(node)]
      .filter((key) => member(node, key) === undefined)
      .map((key) => path.concat(key));
  });
}

function reportMissing(path: Path, { file, reporter }: Context): void {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const empty = valueAt(file, path) === null;
  const label = typeof path.at(-1) === "number" ? formatPath(path) : key;
  const where = parent.length === 0 ? "The file" : `\`${formatPath(parent)}\``;
  const pattern = patternOf(path);
  const renamed = pattern === "nodes[].id" && member(valueAt(file, parent), "name") !== undefined;
  reporter.error(path, {
    code: "missing-key",
    message: empty ? `\`${label}\` has no value.` : `${where} has no \`${key}\`.`,
    fix: renamed
      ? "Rename `name` to `id`; an id is one word, without spaces."
      : empty
        ? "Write its value."
        : (MISSING_KEY_FIXES.get(pattern) ?? `Add \`${key}:\` here.`),
    at: "key",
  });
}

interface Wrong {
  readonly path: Path;
  readonly file: Json;
  readonly value: Json;
  readonly reporter: Reporter;
}

function reportIssue(issue: Issue, wrong: Wrong): void {
  const { path, reporter } = wrong;
  if (issue.code === "invalid_type")
    return reportWrongType(KIND_NAMES[issue.expected] ?? issue.expected, wrong);
  if (issue.code === "invalid_union") return reportWrongType(unionKinds(wrong), wrong);
  if (issue.code === "invalid_value") return reportInvalidValue(issue.values.map(String), wrong);
  if (issue.code === "too_small" || issue.code === "too_big") return reportRange(issue, wrong);
  if (issue.code === "invalid_key")
    return reportIdentifier(String(path.at(-1)), { ...wrong, at: "key" });
  if (issue.code === "invalid_format") return reportFormat(issue, wrong);
  const { code, fix } = paramsOf(issue);
  return reporter.error(path, {
    code: PROBLEM_CODES.find((known) => known === code) ?? "empty-value",
    message: `\`${formatPath(path)}\` ${issue.message}.`,
    fix: fix ?? "Add one, or remove the key.",
    at: code === undefined ? "key" : "value",
  });
}

/** What a refinement of the schema says about itself. */
function paramsOf(issue: Issue): { code?: string; fix?: string } {
  const params: Readonly<Record<string, unknown>> =
    issue.code === "custom" ? (issue.params ?? {}) : {};
  const { code, fix } = params;
  return {
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof fix === "string" ? { fix } : {}),
  };
}

/** Texts that must look a certain way, by pattern. */
const FORMATS = [
  {
    pattern: DURATION,
    what: "a time",
    fix: "Write seconds, or a text with a unit: 90s, 15m, 2h, 14d.",
  },
  { pattern: BYTE_SIZE, what: "an amount of memory", fix: "Write it as 512m or 2g." },
];

function reportFormat(issue: z.core.$ZodIssueInvalidStringFormat, wrong: Wrong): void {
  const { path, value, reporter } = wrong;
  if (issue.pattern === String(IDENTIFIER) && typeof value === "string")
    return reportIdentifier(value, { ...wrong, at: "value" });
  const format = FORMATS.find(({ pattern }) => issue.pattern === String(pattern));
  return reporter.error(path, {
    code: "bad-value",
    message: `\`${formatPath(path)}\` is not ${format?.what ?? "an address"}.`,
    fix: format?.fix ?? "Write it as http://host:port/path.",
  });
}

/** What the options of a union take, for a value that fits none of them. */
function unionKinds({ path, file }: Wrong): string {
  const union = schemaAt(path, file, { keepUnion: true });
  const options: readonly Schema[] = union instanceof z.ZodUnion ? union.options : [];
  return [...new Set(options.map((option) => kindName(unwrap(option))))].join(" or ");
}

function kindName(schema: Schema | undefined): string {
  if (schema instanceof z.ZodNumber) return "a number";
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodArray) return "a list";
  return schema instanceof z.ZodObject || schema instanceof z.ZodRecord ? "a map" : "text";
}

function reportWrongType(expected: string, { path, value, reporter }: Wrong): void {
  const name = path.length === 0 ? "The file" : `\`${formatPath(path)}\``;
  const quotable = typeof value === "number" || typeof value === "boolean";
  const fixes: Readonly<Record<string, string>> = {
    text: quotable ? "Put it in quotes." : textFix(value),
    "a list":
      typeof value === "string" && textOf(value) !== undefined
        ? `Write it as a list: [${value.slice(0, LIST_EXAMPLE_CHARS_MAX)}].`
        : "Write a list: [one, two].",
    "a map":
      FIELD.test(formatPath(path)) && typeof value === "string"
        ? `Write {type: ${value.slice(0, LIST_EXAMPLE_CHARS_MAX)}}.`
        : "Write it as a map of `key: value`.",
    "true or false": "Write true or false, without quotes.",
    "a number": "Write a number, without quotes.",
    "a whole number": "Write a whole number, without quotes.",
  };
  reporter.error(path, {
    code: "wrong-type",
    message: `${name} must be ${expected}, not ${describeValue(value)}.`,
    fix: WRONG_TYPE_FIXES.get(patternOf(path)) ?? fixes[expected] ?? `Write ${expected}.`,
  });
}

/** An unquoted `{name}` is a map to YAML, of a key without a value. */
function textFix(value: Json | undefined): string {
  const [entry, second] = isJsonObject(value) ? Object.entries(value) : [];
  return entry?.[1] === null && second === undefined
    ? `Put it in quotes: "{${entry[0].slice(0, LIST_EXAMPLE_CHARS_MAX)}}".`
    : "Write one text.";
}

function reportInvalidValue(values: readonly string[], { path, value, reporter }: Wrong): void {
  const only = values.length === 1 ? values[0] : undefined;
  const fix = WRONG_TYPE_FIXES.get(patternOf(path));
  reporter.error(path, {
    code: "bad-value",
    message: `\`${formatPath(path)}\` cannot be ${describeValue(value)}.`,
    fix: fix ?? (only === undefined ? `Write one of: ${values.join(", ")}.` : `Write ${only}.`),
    ...(fix === undefined && typeof value === "string" ? { word: value, among: values } : {}),
  });
}

function reportRange(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  { path, value, reporter }: Wrong,
): void {
  const name = `\`${formatPath(path)}\``;
  const limit = issue.code === "too_small" ? issue.minimum : issue.maximum;
  if (issue.origin === "number" || issue.origin === "int") {
    const least = issue.inclusive === false ? "above" : "at least";
    const bound = `${issue.code === "too_small" ? least : "at most"} ${String(limit)}`;
    reporter.error(path, {
      code: "out-of-range",
      message: `${name} must be ${bound}, not ${JSON.stringify(value)}.`,
      fix: `Write a number that is ${bound}.`,
    });
  } else if (issue.code === "too_big") {
    reporter.error(path, {
      code: "too-many",
      message: `${name} has more than ${String(limit)} entries.`,
      fix: "Split the workflow.",
      at: "key",
    });
  } else {
    reporter.error(path, {
      code: "empty-value",
      message: `${name} is empty.`,
      fix: issue.origin === "array" ? "Add at least one entry." : "Write a text.",
      at: "key",
    });
  }
}

function reportIdentifier(word: string, wrong: Wrong & { at: "key" | "value" }): void {
  const tidy = word
    .replaceAll(/[^\p{ID_Continue}]+/gu, "_")
    .replace(/^(?=\d)/, "_")
    .replace(/^_+|_+$/g, (run) => (run.length > 1 ? "_" : run));
  const usable = /\p{L}/u.test(tidy);
  wrong.reporter.error(wrong.path, {
    code: "bad-identifier",
    message: `\`${word}\` cannot be a name: use letters, digits and _, and no digit first.`,
    fix: usable ? `Write \`${tidy}\`.` : "Choose a name such as `step_1`.",
    ...(usable ? { suggestion: tidy } : {}),
    at: wrong.at,
  });
}
