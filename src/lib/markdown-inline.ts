/** What stands in a line of Markdown. */
import { decodeHTML } from "entities";
import {
  type Inline,
  type MarkdownNode,
  type MarkdownReading,
  DEPTH_MAX,
} from "./markdown-node.ts";
import { safeAddress } from "./safe-address.ts";

/** All addresses of a text together: one that is named often could make a page of any size. */
export const ADDRESSES_CHARS_MAX = 100_000;
const SHOWN_CHARS_MAX = 200;

const WRAPPINGS: ReadonlyMap<string, "emphasis" | "strong" | "strike"> = new Map([
  ["Emphasis", "emphasis"],
  ["StrongEmphasis", "strong"],
  ["Strikethrough", "strike"],
]);
const LEFT_OUT = new Set([
  "EmphasisMark",
  "StrikethroughMark",
  "HeaderMark",
  "QuoteMark",
  "ListMark",
  "TaskMarker",
]);

interface Place {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  /** A link cannot hold another. */
  readonly isInLink: boolean;
}

/** The children of a node within `place`, what lies between them as text. */
export function readInlines(
  reading: MarkdownReading,
  node: MarkdownNode,
  place: Place = { from: node.from, to: node.to, depth: 0, isInLink: false },
): Inline[] {
  const found: Inline[] = [];
  let position = place.from;
  for (let child = node.childAfter(place.from); child !== null; child = child.nextSibling) {
    if (child.from >= place.to) break;
    if (child.from > position) found.push(text(reading.text.slice(position, child.from)));
    found.push(...readInline(reading, child, place));
    position = child.to;
  }
  if (place.to > position) found.push(text(reading.text.slice(position, place.to)));
  return joinTexts(found);
}

function readInline(reading: MarkdownReading, node: MarkdownNode, place: Place): Inline[] {
  const { name, from, to } = node;
  const source = reading.text.slice(from, to);
  if (LEFT_OUT.has(name)) return [];
  if (place.depth >= DEPTH_MAX) return [text(source)];
  const inside = { from, to, depth: place.depth + 1, isInLink: place.isInLink };
  const wrapping = WRAPPINGS.get(name);
  if (wrapping !== undefined)
    return [{ kind: wrapping, children: readInlines(reading, node, inside) }];
  if (name === "InlineCode") return [{ kind: "code", text: codeOf(reading, node) }];
  if (name === "Escape") return [text(source.slice(1))];
  if (name === "Entity") return [text(decodeHTML(source))];
  if (name === "HardBreak") return [text("\n")];
  if (name === "URL") return bareLink(reading, source, place);
  if (name === "Autolink") return bareLink(reading, source.slice(1, -1), place);
  if (name === "Link" || name === "Image") return readLink(reading, node, inside);
  // Tags, comments and marks without a partner are what they look like: text.
  return [text(source)];
}

function text(value: string): Inline {
  return { kind: "text", text: value };
}

/** Pieces of text in a row as one, without the indentation of the lines. */
function joinTexts(parts: readonly Inline[]): Inline[] {
  const joined: Inline[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.kind === "text" && last?.kind === "text")
      joined[joined.length - 1] = text(last.text + part.text);
    else joined.push(part);
  }
  return joined.flatMap((part) => {
    if (part.kind !== "text") return [part];
    const value = part.text.replaceAll(/[ \t]*\n[ \t]*/g, "\n");
    return value === "" ? [] : [text(value)];
  });
}

function codeOf(reading: MarkdownReading, node: MarkdownNode): string {
  let code = "";
  let position = node.from;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    code += reading.text.slice(position, child.from);
    position = child.to;
  }
  const line = code.replaceAll(/\n[ \t]*/g, " ");
  return /^ .*[^ ].* $/.test(line) ? line.slice(1, -1) : line;
}

/** An address that is its own text. */
function bareLink(reading: MarkdownReading, source: string, place: Place): Inline[] {
  if (place.isInLink) return [text(source)];
  const href = spend(reading, safeAddress(withScheme(source)));
  if (href === undefined) return [text(source)];
  return [asLink(href, [text(source)])];
}

function withScheme(address: string): string {
  if (/^www\./i.test(address)) return `http://${address}`;
  return /^[^:/]+@/.test(address) ? `mailto:${address}` : address;
}

/** A link or an image with its own address or that of a definition; as it is written when it has none. */
function readLink(reading: MarkdownReading, node: MarkdownNode, place: Place): Inline[] {
  const [opening, closing] = node.getChildren("LinkMark");
  const isImage = node.name === "Image";
  const address = addressOf(reading, node, closing?.from ?? node.to);
  if (opening === undefined || closing === undefined || address === undefined)
    return readInlines(reading, node, place);
  const inside = { ...place, from: opening.to, to: closing.from, isInLink: true };
  if (place.isInLink)
    return isImage ? readInlines(reading, node, inside) : [text(sourceOf(reading, node))];
  const href = spend(reading, safeAddress(address));
  if (href === undefined) return [text(sourceOf(reading, node))];
  const children = readInlines(reading, node, inside);
  const isEmpty = plainText(children).trim() === "";
  return [asLink(href, isEmpty ? [text(isImage ? "image" : href)] : children)];
}

function sourceOf(reading: MarkdownReading, node: MarkdownNode): string {
  return reading.text.slice(node.from, node.to);
}

function addressOf(
  reading: MarkdownReading,
  node: MarkdownNode,
  textEnd: number,
): string | undefined {
  const url = node.getChildren("URL").find(({ from }) => from > textEnd);
  if (url !== undefined) return decodeHTML(withoutAngles(sourceOf(reading, url)));
  const label = node.getChild("LinkLabel");
  const start = node.from + (node.name === "Image" ? 1 : 0);
  const named = label === null ? "[]" : sourceOf(reading, label);
  return reading.addresses.get(
    labelKey(named === "[]" ? reading.text.slice(start, textEnd + 1) : named),
  );
}

/** What the definitions of a text are found by. */
export function labelKey(label: string): string {
  return label.slice(1, -1).trim().replaceAll(/\s+/g, " ").toLowerCase();
}

export function withoutAngles(address: string): string {
  return address.startsWith("<") && address.endsWith(">") ? address.slice(1, -1) : address;
}

/** Undefined when the text has named more addresses than a page should hold. */
function spend(reading: MarkdownReading, href: string | undefined): string | undefined {
  reading.addressChars += href?.length ?? 0;
  return reading.addressChars > ADDRESSES_CHARS_MAX ? undefined : href;
}

/** Says where a link leads unless its own text says just that. */
function asLink(href: string, children: readonly Inline[]): Inline {
  const isOwn = href.startsWith("/");
  const isSaid = bare(plainText(children)) === bare(href);
  const shown = href.length > SHOWN_CHARS_MAX ? `${href.slice(0, SHOWN_CHARS_MAX)}…` : href;
  return { kind: "link", href, shown: isOwn || isSaid ? undefined : shown, children };
}

function bare(address: string): string {
  return address
    .trim()
    .toLowerCase()
    .replace(/^(?:https?:\/\/|mailto:)/, "")
    .replace(/\/$/, "");
}

export function plainText(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => ("children" in inline ? plainText(inline.children) : inline.text))
    .join("");
}
