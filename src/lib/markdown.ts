/**
 * Markdown of strangers as values that a page is made of. HTML in it is text. The parser goes over a text in about
 * linear time and by steps rather than by recursion; what still could take long is cut by the limits here.
 */
import { GFM, parser } from "@lezer/markdown";
import { decodeHTML } from "entities";
import { labelKey, plainText, readInlines, withoutAngles } from "./markdown-inline.ts";
import {
  type Block,
  DEPTH_MAX,
  type CodeColouring,
  type Inline,
  type ListItem,
  type MarkdownNode,
  type MarkdownReading,
} from "./markdown-node.ts";

/** A longer text is shown as it is written. */
export const MARKDOWN_CHARS_MAX = 40_000;
const START_MAX = 999_999_999;
/** The parser looks for the end of white space from each of its characters. */
const SPACES = /\s{200,}/g;
const SPACES_KEPT = 199;

const markdown = parser.configure([GFM, { remove: ["HTMLBlock"] }]);

/** @returns Undefined for a text that is too long. */
export function parseMarkdown(source: string, colour: CodeColouring): Block[] | undefined {
  if (source.length > MARKDOWN_CHARS_MAX) return undefined;
  const text = source.replaceAll(SPACES, (spaces) => spaces.slice(0, SPACES_KEPT));
  const { topNode } = markdown.parse(text);
  const addresses = definitionsOf(text, topNode);
  const reading = { text, colour, addresses, addressChars: 0, headings: [], numbered: 0 };
  return readBlocks(reading, topNode, 0);
}

/** The first definition of a label counts. */
function definitionsOf(text: string, top: MarkdownNode): Map<string, string> {
  const found = new Map<string, string>();
  top.cursor().iterate((node) => {
    if (node.name !== "LinkReference") return;
    const label = node.node.getChild("LinkLabel");
    const url = node.node.getChild("URL");
    if (label === null || url === null) return;
    const key = labelKey(text.slice(label.from, label.to));
    if (!found.has(key)) found.set(key, decodeHTML(withoutAngles(text.slice(url.from, url.to))));
  });
  return found;
}

function readBlocks(reading: MarkdownReading, parent: MarkdownNode, depth: number): Block[] {
  const blocks: Block[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling)
    blocks.push(...readBlock(reading, node, depth));
  return blocks;
}

function readBlock(reading: MarkdownReading, node: MarkdownNode, depth: number): Block[] {
  const { name } = node;
  if (name.endsWith("Mark") || name === "LinkReference") return [];
  if (depth >= DEPTH_MAX) return paragraph([{ kind: "text", text: sourceOf(reading, node) }]);
  const level = /^(?:ATX|Setext)Heading(\d)$/.exec(name)?.[1];
  if (level !== undefined) return readHeading(reading, node, Number(level));
  switch (name) {
    case "Blockquote":
      return [{ kind: "quote", children: readBlocks(reading, node, depth + 1) }];
    case "BulletList":
    case "OrderedList":
      return [readList(reading, node, depth)];
    case "FencedCode":
    case "CodeBlock":
      return [readCode(reading, node)];
    case "Table":
      return [readTable(reading, node)];
    case "HorizontalRule":
      return [{ kind: "rule" }];
    default:
      return paragraph(readInlines(reading, node));
  }
}

function sourceOf(reading: MarkdownReading, node: MarkdownNode): string {
  return reading.text.slice(node.from, node.to);
}

function paragraph(inlines: readonly Inline[]): Block[] {
  const children = trimEnds(inlines);
  return plainText(children).trim() === "" ? [] : [{ kind: "paragraph", children }];
}

function trimEnds(inlines: readonly Inline[]): Inline[] {
  return inlines.map((inline, index) => {
    if (inline.kind !== "text") return inline;
    const start = index === 0 ? inline.text.trimStart() : inline.text;
    return { kind: "text", text: index === inlines.length - 1 ? start.trimEnd() : start };
  });
}

/** One without a text is none: nobody could read it out. */
function readHeading(reading: MarkdownReading, node: MarkdownNode, level: number): Block[] {
  const children = trimEnds(readInlines(reading, node));
  if (plainText(children).replaceAll(/[\s\p{Cc}\p{Cf}]/gu, "") === "") return [];
  const { headings } = reading;
  while ((headings.at(-1) ?? 0) >= level) headings.pop();
  headings.push(level);
  return [{ kind: "heading", depth: headings.length, children }];
}

function readList(reading: MarkdownReading, node: MarkdownNode, depth: number): Block {
  const items = node
    .getChildren("ListItem")
    .map((item) => readItem(reading, item, depth))
    .filter(({ children }) => children.length > 0);
  const first = node.name === "OrderedList" ? /^\d+/.exec(sourceOf(reading, node))?.[0] : undefined;
  const start = first === undefined ? undefined : Math.min(Number(first), START_MAX);
  return { kind: "list", start, items };
}

function readItem(reading: MarkdownReading, item: MarkdownNode, depth: number): ListItem {
  const marker = item.getChild("Task")?.getChild("TaskMarker");
  const isDone = marker == null ? undefined : /x/i.test(sourceOf(reading, marker));
  return { isDone, children: readBlocks(reading, item, depth + 1) };
}

function readCode(reading: MarkdownReading, node: MarkdownNode): Block {
  const text = node
    .getChildren("CodeText")
    .map((part) => sourceOf(reading, part))
    .join("");
  const info = node.getChild("CodeInfo");
  const language = info === null ? "" : (/^\S*/.exec(sourceOf(reading, info))?.[0] ?? "");
  reading.numbered += 1;
  const { numbered: number } = reading;
  return { kind: "code", number, language, text, tokens: reading.colour(text, language) };
}

/** Rows have at most the cells of the head; missing ones are not made up. */
function readTable(reading: MarkdownReading, node: MarkdownNode): Block {
  reading.numbered += 1;
  const { numbered: number } = reading;
  const header = node.getChild("TableHeader");
  const head = header === null ? [] : readCells(reading, header);
  const rows = node
    .getChildren("TableRow")
    .map((row) => readCells(reading, row).slice(0, head.length))
    .filter((cells) => cells.length > 0);
  return { kind: "table", number, head, rows };
}

/** An empty cell has no node: it is where two delimiters follow each other. */
function readCells(reading: MarkdownReading, row: MarkdownNode): Inline[][] {
  const cells: Inline[][] = [];
  let cell: Inline[] | undefined;
  for (let node = row.firstChild; node !== null; node = node.nextSibling) {
    if (node.name === "TableCell") {
      cell = trimEnds(readInlines(reading, node));
    } else if (node.name === "TableDelimiter" && node.from > row.from) {
      cells.push(cell ?? []);
      cell = undefined;
    }
  }
  return cell === undefined ? cells : [...cells, cell];
}
