/**
 * The demo provider: answers offline, at no cost, the same for the same request, so that a workflow
 * can be tried before there is a key. Every text says that no model was asked. It never calls tools.
 */
import type { ModelEvent, ModelRequest } from "../domain/model.ts";
import type { Clock } from "../lib/clock.ts";
import { createSeededRandom, type SeededRandom } from "../lib/seeded-random.ts";
import { DEMO_MODEL } from "./registry.ts";
import { sampleJson } from "./sample.ts";
import type { Vocabulary } from "./sample-scalar.ts";

export const DEMO_NOTICE = "[demo model: no real AI was called]";
/** The label inside JSON, where the whole notice would drown the value. */
const DEMO_MARK = "[demo]";
/** Slow enough to be seen arriving. */
export const DEMO_PIECE_DELAY_MS = 15;
const PIECE_LENGTH = 16;
/** A rule of thumb for the token counts, which are as made up as the text. */
const CHARS_PER_TOKEN = 4;
const KEYWORD_COUNT_MAX = 8;
const KEYWORD_LENGTH_MIN = 5;
/** Only the beginning of a long prompt is searched for words to use. */
const KEYWORD_CHARS_MAX = 4_000;

const SENTENCES = [
  (a: string, b: string) => `A closer look at ${a} shows how much it depends on ${b}.`,
  (a: string, b: string) => `Most people meet ${a} long before they think about ${b}.`,
  (a: string, b: string) =>
    `Three points stand out: ${a}, ${b}, and the way they influence each other.`,
  (a: string, b: string) => `Recent work connects ${a} with ${b} in a practical way.`,
  (a: string) => `The first step is to describe ${a} in plain words.`,
  (a: string, b: string) => `Where ${a} is weak, ${b} can often make up for it.`,
  (a: string) => `In the end ${a} is easier to change than it looks.`,
  (a: string, b: string) => `A small example makes the difference between ${a} and ${b} clear.`,
] as const;
const LABELS = [
  "overview",
  "background",
  "practice",
  "research",
  "quality",
  "planning",
  "outlook",
  "balance",
] as const;
/** Common words of prompts that say nothing about the subject. */
const STOP_WORDS = new Set(
  "about above after again answer based below could every field fields first following generate give given include least other output please provide return should their there these thing things those three using where which while words would write your".split(
    " ",
  ),
);

export interface DemoOptions {
  readonly clock: Clock;
  /** Between two pieces; 0 gives the whole answer at once. */
  readonly delayMs: number;
}

/** Streams the demo's answer; the end is `aborted` when the signal says so on the way. */
export async function* demoCall(
  request: ModelRequest,
  { clock, delayMs }: DemoOptions,
): AsyncGenerator<ModelEvent> {
  const prompt = promptOf(request);
  const text = answerText(request, prompt);
  for (const piece of pieces(text, delayMs)) {
    // oxlint-disable-next-line no-await-in-loop -- the pieces are meant to come one after the other
    if (delayMs > 0) await clock.sleep(delayMs, request.signal);
    if (request.signal.aborted) {
      yield { type: "end", reason: "aborted" };
      return;
    }
    yield { type: "text", text: piece };
  }
  yield {
    type: "end",
    reason: "finished",
    answer: {
      text,
      toolCalls: [],
      finish: "stop",
      usage: {
        input: tokens(prompt),
        output: tokens(text),
        cacheRead: 0,
        cacheWrite: 0,
        reasoning: 0,
      },
      costNanoUsd: 0,
      model: DEMO_MODEL,
    },
  };
}

function promptOf({ messages }: ModelRequest): string {
  return messages.map((message) => message.text).join("\n");
}

function answerText(request: ModelRequest, prompt: string): string {
  const schema = request.output?.schema;
  const random = createSeededRandom(
    `${prompt}\n${schema === undefined ? "" : JSON.stringify(schema)}`,
  );
  const keywords = keywordsOf(request);
  if (schema === undefined) {
    return `${DEMO_NOTICE} ${prose(keywords, random, random.integer(3, 5))}`;
  }
  const words: Vocabulary = {
    label: (source) => source.pick([...LABELS, ...keywords]),
    prose: (source) => `${DEMO_MARK} ${prose(keywords, source, source.integer(1, 2))}`,
  };
  return JSON.stringify(sampleJson(schema, { random, words }));
}

function prose(keywords: readonly string[], random: SeededRandom, sentenceCount: number): string {
  const first = random.integer(0, SENTENCES.length - 1);
  const noun = () =>
    random.pick(keywords.length > 0 ? [keywords[0] ?? "", ...keywords] : [...LABELS]);
  return Array.from({ length: sentenceCount }, (_, index) => {
    const sentence = SENTENCES[(first + index) % SENTENCES.length] ?? SENTENCES[0];
    const subject = noun();
    let other = noun();
    if (other === subject) other = random.pick([...LABELS]);
    return sentence(subject, other);
  }).join(" ");
}

/** Words of the last user message, so that the answer is about what was asked. */
function keywordsOf({ messages }: ModelRequest): string[] {
  const asked = messages.findLast((message) => message.role === "user")?.text ?? "";
  const words = asked.slice(0, KEYWORD_CHARS_MAX).match(/\p{L}+/gu) ?? [];
  const fitting = words.filter(
    (word) => word.length >= KEYWORD_LENGTH_MIN && !STOP_WORDS.has(word.toLowerCase()),
  );
  return [...new Set(fitting)].slice(0, KEYWORD_COUNT_MAX);
}

function pieces(text: string, delayMs: number): string[] {
  return delayMs > 0 ? (text.match(new RegExp(`[\\s\\S]{1,${PIECE_LENGTH}}`, "gu")) ?? []) : [text];
}

function tokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}
