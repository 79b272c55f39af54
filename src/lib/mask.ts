import { isJsonObject, type Json } from "./json.ts";
import { MASK, secretForms } from "./redact.ts";

export interface Mask {
  /** There are secrets to hide. */
  readonly hides: boolean;
  /** The text without the secrets. */
  text(text: string): string;
  /** The same for every text inside a value. */
  value(value: Json): Json;
  /** The same for a text that comes in pieces, which may split a secret. */
  stream(): MaskStream;
}

export interface MaskStream {
  /** What may be shown now; the beginning of what may become a secret is held back. */
  push(piece: string): string;
  /** What was held back. */
  end(): string;
}

/** Blanks out exactly these secrets: unlike a redactor it leaves alone what only looks like a key. */
export function createMask(secrets: readonly string[]): Mask {
  const forms = secretForms(secrets);
  const mask = (text: string) => forms.reduce((clean, form) => clean.replaceAll(form, MASK), text);
  return {
    hides: forms.length > 0,
    text: mask,
    value: (value) => (forms.length === 0 ? value : mapTexts(value, mask)),
    stream: () => {
      let held = "";
      return {
        push: (piece) => {
          const clean = mask(held + piece);
          const from = clean.length - longestBeginning(clean, forms);
          held = clean.slice(from);
          return clean.slice(0, from);
        },
        end: () => {
          const rest = held;
          held = "";
          return rest;
        },
      };
    },
  };
}

/** Length of the longest end of the text that is the beginning of a secret. */
function longestBeginning(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms)
    for (let length = Math.min(form.length - 1, text.length); length > longest; length -= 1)
      if (text.endsWith(form.slice(0, length))) longest = length;
  return longest;
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (isJsonObject(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [change(key), mapTexts(item, change)]));
  }
  if (!Array.isArray(value)) return value;
  const items: readonly Json[] = value;
  return items.map((item) => mapTexts(item, change));
}
