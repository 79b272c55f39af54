/**
 * What the chat answers when no model is set up: it says so, and offers the example workflow that is
 * nearest to what was asked for. Nothing is invented: the file is one of the product's own.
 */
import type { ModelEvent } from "../../domain/model.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Example } from "../deps.ts";

/** Slow enough to be seen arriving. */
const PIECE_DELAY_MS = 12;
const PIECE_LENGTH = 48;
const WORD_LENGTH_MIN = 4;
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

/** Streams the answer; ends with `aborted` when the signal says so on the way. */
export async function* templateAnswer(
  wish: string,
  options: { examples: readonly Example[]; clock: Clock; signal: AbortSignal },
): AsyncGenerator<ModelEvent> {
  const { clock, signal } = options;
  const text = templateText(wish, options.examples);
  for (const piece of text.match(new RegExp(`[\\s\\S]{1,${PIECE_LENGTH}}`, "gu")) ?? []) {
    // oxlint-disable-next-line no-await-in-loop -- the pieces are meant to come one after the other
    await clock.sleep(PIECE_DELAY_MS, signal);
    if (signal.aborted) {
      yield { type: "end", reason: "aborted" };
      return;
    }
    yield { type: "text", text: piece };
  }
  const answer = { text, toolCalls: [], usage: NO_USAGE, costNanoUsd: 0, model: "demo" } as const;
  yield { type: "end", reason: "finished", answer: { ...answer, finish: "stop" } };
}

/** The answer's text, the same for the same wish. */
export function templateText(wish: string, examples: readonly Example[]): string {
  const notice =
    "This is the demo: no model provider is set up, so no model has read your text. Add a key on the Settings page, or point agents at a local model server, and ask again.";
  const chosen = chooseExample(wish, examples);
  if (chosen === undefined) return notice;
  const list = examples.map(({ name, description }) => `- ${name}: ${description}`);
  return [
    notice,
    `Meanwhile you can start from a template. The nearest one to your words is ${chosen.name}. You can save it, run it and change it.`,
    `\`\`\`yaml\n${chosen.source.trimEnd()}\n\`\`\``,
    `Write the name of another template to see it:\n${list.join("\n")}`,
  ].join("\n\n");
}

/** A name that the wish says wins; else the most words in common; else the first, which is the simplest. */
function chooseExample(wish: string, examples: readonly Example[]): Example | undefined {
  const said = wish.toLowerCase();
  const named = examples
    .filter(({ name }) => said.includes(name) || said.includes(name.replaceAll("-", " ")))
    .toSorted((a, b) => b.name.length - a.name.length);
  if (named[0] !== undefined) return named[0];
  const wanted = wordsOf(said);
  const scored = examples.map((example) => {
    const own = wordsOf(`${example.name} ${example.description} ${example.source}`.toLowerCase());
    return { example, score: [...wanted].filter((word) => own.has(word)).length };
  });
  return scored.toSorted((a, b) => b.score - a.score)[0]?.example;
}

function wordsOf(text: string): Set<string> {
  return new Set((text.match(/\p{L}+/gu) ?? []).filter((word) => word.length >= WORD_LENGTH_MIN));
}
