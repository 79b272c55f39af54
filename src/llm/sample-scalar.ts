/** Numbers and texts that satisfy a JSON Schema. */
import type { Json, JsonObject } from "../lib/json.ts";
import type { SeededRandom } from "../lib/seeded-random.ts";

/** Where the words of a text come from. */
export interface Vocabulary {
  /** One or two words. */
  label(random: SeededRandom): string;
  /** A sentence or more. */
  prose(random: SeededRandom): string;
}

export interface TextPlace {
  readonly random: SeededRandom;
  readonly words: Vocabulary;
  /** The property that the text is for. */
  readonly name: string;
  readonly inList: boolean;
}

const NUMBER_MAX_USUAL = 100;
/** A text that may not be longer than this is a label, not a sentence. */
const LABEL_LENGTH_MAX = 40;
const LABEL_NAMES =
  /(?:^|_)(?:name|title|label|tag|category|type|kind|author|city|country|status)$/;
/** Decimals of numbers that need not be whole. */
const FRACTION = 100;

/** Without bounds a whole number is from 1 to 100 and any other a share between 0 and 1. */
export function sampleNumber(schema: JsonObject, random: SeededRandom, isWhole: boolean): number {
  const step = numberOf(schema["multipleOf"]) ?? (isWhole ? 1 : 1 / FRACTION);
  const { min, max } = bounds(schema, isWhole, step);
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  if (last < first) return min;
  const value = random.integer(first, last) * step;
  // 29 * 0.01 is not 0.29: go back to the nearest number with few decimals.
  return Number.isInteger(step) ? value : Number(value.toFixed(10));
}

function bounds(schema: JsonObject, isWhole: boolean, step: number) {
  const below = numberOf(schema["exclusiveMinimum"]);
  const above = numberOf(schema["exclusiveMaximum"]);
  const lows = [numberOf(schema["minimum"]), below === undefined ? undefined : below + step];
  const highs = [numberOf(schema["maximum"]), above === undefined ? undefined : above - step];
  const low = lows.filter((bound) => bound !== undefined);
  const high = highs.filter((bound) => bound !== undefined);
  const width = isWhole ? NUMBER_MAX_USUAL : 1;
  if (low.length === 0 && high.length === 0) return { min: isWhole ? 1 : 0, max: width };
  if (low.length === 0) return { min: Math.min(...high) - width, max: Math.min(...high) };
  const min = Math.max(...low);
  return { min, max: high.length === 0 ? min + width : Math.min(...high) };
}

/** A text of the wanted format and length. */
export function sampleText(schema: JsonObject, place: TextPlace): string {
  const format = schema["format"];
  const formatted = typeof format === "string" ? sampleFormat(format, place) : undefined;
  if (formatted !== undefined) return formatted;
  const max = numberOf(schema["maxLength"]) ?? Number.POSITIVE_INFINITY;
  const min = numberOf(schema["minLength"]) ?? 0;
  const isLabel = place.inList || max <= LABEL_LENGTH_MAX || LABEL_NAMES.test(place.name);
  const { words, random } = place;
  let text = isLabel ? words.label(random) : words.prose(random);
  while (text.length < min) text = `${text} ${words.label(random)}`;
  return cut(text, min, max);
}

/** Cut at a word where one ends in time. */
function cut(text: string, min: number, max: number): string {
  if (text.length <= max) return text;
  const end = text.lastIndexOf(" ", max);
  return end >= Math.max(min, 1) ? text.slice(0, end) : text.slice(0, max);
}

function sampleFormat(format: string, { random, words }: TextPlace): string | undefined {
  const two = (max: number) => String(random.integer(1, max)).padStart(2, "0");
  const word = words.label(random).replaceAll(/\W+/g, "-");
  switch (format) {
    case "date":
      return `2026-${two(12)}-${two(28)}`;
    case "time":
      return `${two(23)}:${two(59)}:00Z`;
    case "date-time":
      return `2026-${two(12)}-${two(28)}T${two(23)}:${two(59)}:00Z`;
    case "duration":
      return `PT${random.integer(1, 59)}M`;
    case "email":
      return `${word}@example.com`;
    case "uri":
    case "url":
      return `https://example.com/${word}`;
    case "hostname":
      return `${word}.example.com`;
    case "ipv4":
      return `192.0.2.${random.integer(1, 254)}`;
    case "ipv6":
      return `2001:db8::${random.integer(1, 9999)}`;
    case "uuid":
      return sampleUuid(random);
    default:
      return undefined;
  }
}

function sampleUuid(random: SeededRandom): string {
  const hex = (length: number) =>
    Array.from({ length }, () => random.integer(0, 15).toString(16)).join("");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
