/**
 * Changing single texts and values of a workflow file, and no other byte of it: comments, order, quotes
 * and indentation stay. What was written is read again, and has to say what it should and nothing else.
 */
import { Scalar } from "yaml";
import { AppError } from "../domain/error.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import {
  type EditablePlace,
  type FoundPlace,
  isSameJson,
  openSource,
  type OpenSource,
} from "./editable-place.ts";
import type { Path } from "./report.ts";
import { type ScalarStyle, stylesFor, writeInline } from "./scalar-text.ts";
import { readSource } from "./source.ts";
import {
  asBlock,
  inPlace,
  insertion,
  isBlock,
  removal,
  spliced,
  type Site,
  type Splice,
} from "./source-splice.ts";

export type { EditablePlace } from "./editable-place.ts";

/** As JSON has them, which YAML reads the same. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** In the order of the file, those of one owner together; none for a text that is not well-formed. */
export function editablePlaces(source: string): readonly EditablePlace[] {
  return openSource(source)?.places.map(({ place }) => place) ?? [];
}

/**
 * Line ends are \n in values, whatever the file has, and those at the end of a value stay as they are. An
 * optional text that is emptied is removed.
 *
 * @throws AppError `invalid`, naming the place, when it is not there or cannot hold the value.
 */
export function editSource(
  source: string,
  edits: readonly { readonly path: string; readonly value: string }[],
): { source: string; changed: readonly EditablePlace[] } {
  let open = openSource(source);
  if (open === undefined) {
    if (edits.length === 0) return { source, changed: [] };
    throw new AppError("invalid", "The workflow's text is not well-formed.", {
      fix: "Mend its text first.",
    });
  }
  const changed = new Map<string, EditablePlace>();
  for (const { path, value } of edits) {
    const found: FoundPlace | undefined = open.places.find(({ place }) => place.path === path);
    if (found === undefined) throw noPlace(path);
    const wanted = valueFor(found, value);
    if (wanted === found.place.value) continue;
    open = change(open, found, wanted);
    const now = open.places.find(({ place }) => place.path === path)?.place;
    changed.set(path, now ?? { ...found.place, value: wanted });
  }
  return { source: open.source, changed: [...changed.values()] };
}

function noPlace(path: string): AppError {
  return new AppError(
    "invalid",
    `The workflow has no place \`${path}\` that can be changed here.`,
    {
      fix: "Change it in the workflow's text.",
    },
  );
}

function valueFor({ place, isOptional }: FoundPlace, typed: string): string {
  const value = typed.replaceAll("\r\n", "\n").replace(/\n+$/, "");
  if (place.kind !== "number" && place.kind !== "boolean") return value;
  const word = value.trim();
  if (place.kind === "number" ? NUMBER.test(word) : word === "true" || word === "false")
    return word;
  if ((word === "" && isOptional) || word === place.value) return word;
  const fault = word === "" ? "may not be empty" : `\`${word}\` is no ${place.kind}`;
  throw new AppError("invalid", `${nameOfPlace(place)}: ${fault}.`, {
    fix: place.kind === "number" ? "Write a number such as 3 or 0.5." : "Write true or false.",
  });
}

function nameOfPlace({ label, owner }: EditablePlace): string {
  return `${label} of ${owner === "workflow" ? "the workflow" : `\`${owner}\``}`;
}

/** One way to write the change, and what the file says then. */
interface Attempt {
  readonly splices: readonly Splice[];
  readonly value: Json;
}

function change(open: OpenSource, found: FoundPlace, text: string): OpenSource {
  for (const { splices, value } of attempts(open, found, text)) {
    const source = spliced(open.source, splices);
    const reading = readSource(source, open.format);
    if (reading.reporter.errorCount() > 0 || !isSameJson(reading.value, value)) continue;
    const next = openSource(source);
    if (next?.format === open.format) return next;
  }
  throw new AppError("invalid", `${nameOfPlace(found.place)} cannot be changed to this here.`, {
    fix: "Change it in the workflow's text.",
  });
}

function attempts(open: OpenSource, found: FoundPlace, text: string): Iterable<Attempt> {
  const { slot, place, keys } = found;
  const isJson = open.format === "json";
  const site: Site = { source: open.source, found, isJson };
  if (text === "" && found.isOptional) return [takenOut(open, found)];
  if (slot.kind === "missing") {
    const value = withValue(open.value, keys, text);
    const styles = stylesFor(text, {
      style: undefined,
      hadLines: false,
      isJson,
      isFlow: found.isFlow,
    });
    return styles.map((style) => ({ splices: insertion(site, slot, { text, style }), value }));
  }
  if (place.kind === "number" || place.kind === "boolean") {
    const value = withValue(
      open.value,
      keys,
      place.kind === "number" ? Number(text) : text === "true",
    );
    return [{ splices: inPlace(site, slot.node, text), value }];
  }
  return rewritings(open, { site, node: slot.node }, text);
}

/** The text in every style that fits, the best first. */
function* rewritings(
  { value: file, format }: OpenSource,
  { site, node }: { site: Site; node: Scalar },
  text: string,
): Generator<Attempt> {
  const { raw, keys, isFlow } = site.found;
  const old = typeof raw === "string" ? raw : "";
  const tail = /\n*$/.exec(old)?.[0] ?? "";
  const style = raw === undefined ? undefined : STYLES[node.type ?? Scalar.PLAIN];
  const place = {
    style,
    hadLines: old.trimEnd().includes("\n"),
    isJson: format === "json",
    isFlow,
  };
  for (const fitting of stylesFor(text, place)) {
    if (isBlock(fitting)) {
      const splices = asBlock(site, node, { text, style: fitting, tail });
      // What ends a block is for its header to say, which stays.
      for (const end of new Set([tail, "\n", ""]))
        yield { splices, value: withValue(file, keys, text + end) };
      continue;
    }
    const written = text === "" ? "" : text + tail;
    const splices = inPlace(site, node, writeInline(written, fitting));
    yield { splices, value: withValue(file, keys, written) };
  }
}

const STYLES: Readonly<Record<string, ScalarStyle>> = {
  [Scalar.PLAIN]: "plain",
  [Scalar.QUOTE_SINGLE]: "single",
  [Scalar.QUOTE_DOUBLE]: "double",
  [Scalar.BLOCK_LITERAL]: "literal",
  [Scalar.BLOCK_FOLDED]: "folded",
};

/** Without the place, and without the maps that hold nothing else. */
function takenOut(open: OpenSource, { steps, keys }: FoundPlace): Attempt {
  let index = steps.length - 1;
  while (index > 0 && steps[index]?.map.items.length === 1) {
    if (steps[index - 1]?.pair.value !== steps[index]?.map) break;
    index -= 1;
  }
  const step = steps[index];
  const gone = keys.slice(0, keys.length - (steps.length - 1 - index));
  return {
    splices: step === undefined ? [] : removal(step, open.source),
    value: withoutValue(open.value, gone),
  };
}

function withValue(value: Json, [key, ...rest]: Path, inner: Json): Json {
  if (key === undefined) return inner;
  if (Array.isArray(value))
    return value.map((item: Json, at) => (at === key ? withValue(item, rest, inner) : item));
  const map = isJsonObject(value) ? value : {};
  return { ...map, [key]: withValue(map[key] ?? null, rest, inner) };
}

function withoutValue(value: Json, [key, ...rest]: Path): Json {
  if (Array.isArray(value))
    return value.map((item: Json, at) => (at === key ? withoutValue(item, rest) : item));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.flatMap(([name, item]): [string, Json][] => {
      if (name !== key) return [[name, item]];
      return rest.length === 0 ? [] : [[name, withoutValue(item, rest)]];
    }),
  );
}
