import type { AnswerPart, AnswerReading, WorkflowResult } from "../../../views/part/answer.tsx";
import type { AnswerMessage } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { drawingOf } from "../drawing.ts";
import { joinLists, outdentItem, splitFences, type TextPart } from "../../lib/fenced-text.ts";

/** Answers whose reading is kept. */
const READING_COUNT_MAX = 64;
const YAML = new Set(["yaml", "yml"]);
const BEGINNING = /^schema_version[ \t]*:/m;

export interface AnswerReader {
  /** An answer that has ended never changes, so its reading is kept. */
  read(message: AnswerMessage): Promise<AnswerReading>;
  readText(text: string): Promise<AnswerReading>;
  /** A workflow file. @param hash Of its content: a reading is kept under it. */
  readFile(hash: string, load: () => Promise<string>): Promise<WorkflowResult>;
}

/** False for a text in which no workflow can be found, without reading it. */
export function mayHaveWorkflow(text: string): boolean {
  return /schema_version[ \t]*:|(?:```|~~~)[ \t]*ya?ml/i.test(text);
}

/** Of one answer: what is beyond is shown without colours. */
const HIGHLIGHTED_CHARS_MAX = 100_000;

/** The parsers of YAML and Markdown are loaded with the first answer that has any. */
export function createAnswerReader(knownTools: () => Promise<readonly string[]>): AnswerReader {
  const readings = new Map<string, AnswerReading>();

  async function readSource(source: string): Promise<WorkflowResult> {
    const [{ parseWorkflow }, tools] = await Promise.all([
      import("../../language/parse.ts"),
      knownTools(),
    ]);
    const reading = parseWorkflow(source, { format: "yaml", knownTools: tools });
    return { source, ...reading, drawing: await drawingOf(reading.workflow) };
  }

  async function readText(text: string): Promise<AnswerReading> {
    const parts = findWorkflow(splitFences(text));
    const found = parts.find((part) => part.kind === "workflow");
    if (found === undefined) return { parts, result: undefined };
    return { parts, result: await readSource(`${found.text}\n`) };
  }

  async function keep(key: string, read: () => Promise<AnswerReading>): Promise<AnswerReading> {
    const known = readings.get(key);
    if (known !== undefined) return known;
    const reading = await withLook(await read());
    readings.set(key, reading);
    const [oldest] = readings.keys();
    if (readings.size > READING_COUNT_MAX && oldest !== undefined) readings.delete(oldest);
    return reading;
  }

  return {
    readText,
    read: (message) =>
      keep(`${message.conversationId}/${message.ordinal}`, () => readText(message.text)),
    async readFile(hash, load) {
      const { result } = await keep(`file ${hash}`, async () => ({
        parts: [],
        result: await readSource(await load()),
      }));
      if (result === undefined) throw new AppError("internal", "Internal error.");
      return result;
    },
  };
}

/** Adds how the text is shown: as Markdown, and code with colours. Limits hold for the answer as a whole. */
async function withLook(reading: AnswerReading): Promise<AnswerReading> {
  const [{ MARKDOWN_CHARS_MAX, parseMarkdown }, { highlight }] = await Promise.all([
    import("../../lib/markdown.ts"),
    import("../../lib/highlight.ts"),
  ]);
  let proseChars = 0;
  let codeChars = 0;
  const colour = (text: string, language: string) => {
    codeChars += text.length;
    return codeChars > HIGHLIGHTED_CHARS_MAX ? undefined : highlight(text, language);
  };
  const parts = reading.parts.map((part): AnswerPart => {
    if (part.kind === "workflow") return part;
    if (part.kind === "code") return { ...part, tokens: colour(part.text, part.language) };
    proseChars += part.text.length;
    return proseChars > MARKDOWN_CHARS_MAX
      ? part
      : { ...part, blocks: parseMarkdown(part.text, colour) };
  });
  const { result } = reading;
  if (result === undefined) return { parts, result };
  return { parts, result: { ...result, tokens: colour(result.source, "yaml") } };
}

/** True when the workflow of an answer cannot run. */
export function hasErrors(reading: AnswerReading): boolean {
  return reading.result !== undefined && reading.result.workflow === undefined;
}

/**
 * Says which part is the workflow, at most one: the last YAML fence with a `schema_version`, else the
 * last YAML fence, else a fence of another kind with one, else what follows it in the prose.
 */
function findWorkflow(parts: readonly TextPart[]): AnswerPart[] {
  const best = Math.max(0, ...parts.map(rank));
  const index = parts.findLastIndex((part) => rank(part) === best);
  const chosen = best === 0 ? undefined : parts[index];
  if (chosen === undefined) return joinLists(parts);
  const after = joinLists(parts.slice(index + 1));
  return [...joinLists(parts.slice(0, index)), ...asWorkflow(chosen), ...after.map(outdentFirst)];

  /** What follows a workflow that was taken out of a list item belonged to that item. */
  function outdentFirst(part: TextPart, number: number): TextPart {
    if (number > 0 || part.kind === "code" || chosen?.kind !== "code") return part;
    if (chosen.listed === undefined) return part;
    return { ...part, text: outdentItem(part.text, chosen.listed.indent) };
  }
}

function rank(part: TextPart): number {
  const begins = BEGINNING.test(part.text) ? 1 : 0;
  if (part.kind === "prose") return begins;
  if (YAML.has(part.language)) return 4 + begins;
  return part.language === "" ? 2 * begins : 0;
}

function asWorkflow(part: TextPart): AnswerPart[] {
  if (part.kind === "code") return [{ kind: "workflow", text: part.text }];
  const start = part.text.search(BEGINNING);
  const before = part.text.slice(0, start);
  return [
    ...(before.trim() === "" ? [] : [{ kind: "prose" as const, text: before }]),
    { kind: "workflow", text: part.text.slice(start).trimEnd() },
  ];
}
