/** What of a conversation the model is sent. */
import type { AnswerReading } from "../../../views/part/answer.tsx";
import type { AnswerMessage, Message } from "../../domain/conversation.ts";
import type { ModelMessage } from "../../domain/model.ts";
import type { Problem } from "../../domain/workflow.ts";

/** Characters of the talk that a request carries, about 25,000 tokens; the system prompt is not counted. */
export const CONTEXT_CHARS_MAX = 100_000;
/** Messages that are looked at, the newest. */
export const CONTEXT_MESSAGE_COUNT_MAX = 400;
/** Problems that a request for repair names: the first ones are often the cause of the others. */
const PROBLEM_COUNT_MAX = 20;

/** A person's message with the answers to it. */
interface Turn {
  readonly messages: readonly ModelMessage[];
  readonly count: number;
}

export interface Context {
  readonly messages: readonly ModelMessage[];
  /** Older messages that did not fit. */
  readonly omittedCount: number;
}

/**
 * The newest turns that fit, oldest first. Of an earlier turn its last answer counts; of the present one
 * the answers that the repair of this round builds on, each with its problems.
 *
 * @param round The round of the answer that is asked for.
 */
export async function buildContext(
  history: readonly Message[],
  options: {
    readonly round: number;
    /** How many messages the conversation has that are older than `history`. */
    readonly olderCount: number;
    readonly read: (message: AnswerMessage) => Promise<AnswerReading>;
    readonly charsMax?: number;
  },
): Promise<Context> {
  const { round, olderCount, read, charsMax = CONTEXT_CHARS_MAX } = options;
  const groups = groupByPerson(history);
  const turns = await Promise.all(
    groups.map((group, index) =>
      index === groups.length - 1
        ? presentTurn(group, round, read)
        : Promise.resolve(earlierTurn(group)),
    ),
  );
  const kept: Turn[] = [];
  let chars = 0;
  for (const turn of turns.toReversed()) {
    chars += lengthOf(turn);
    // The present turn goes in whatever its length: without it there is nothing to answer.
    if (kept.length > 0 && chars > charsMax) break;
    kept.unshift(turn);
  }
  const left = turns.slice(0, turns.length - kept.length);
  const omittedCount = olderCount + left.reduce((sum, turn) => sum + turn.count, 0);
  return { messages: kept.flatMap((turn) => turn.messages), omittedCount };
}

function groupByPerson(history: readonly Message[]): Message[][] {
  const groups: Message[][] = [];
  for (const message of history) {
    if (message.role === "person" || groups.length === 0) groups.push([message]);
    else groups.at(-1)?.push(message);
  }
  return groups;
}

function earlierTurn(group: readonly Message[]): Turn {
  const answer = group.findLast((message) => message.role === "model" && message.text !== "");
  const messages = [...personOf(group), ...(answer === undefined ? [] : [assistant(answer.text)])];
  return { messages, count: group.length };
}

async function presentTurn(
  group: readonly Message[],
  round: number,
  read: (message: AnswerMessage) => Promise<AnswerReading>,
): Promise<Turn> {
  const chain = Array.from({ length: round }, (_, number) =>
    group.findLast(
      (message): message is AnswerMessage =>
        message.role === "model" && message.state === "done" && message.round === number,
    ),
  ).filter((message) => message !== undefined);
  const repairs = await Promise.all(
    chain.map(async (message) => {
      const { result } = await read(message);
      return [assistant(message.text), repairRequest(result?.problems ?? [], result?.source ?? "")];
    }),
  );
  return { messages: [...personOf(group), ...repairs.flat()], count: group.length };
}

function personOf(group: readonly Message[]): ModelMessage[] {
  const [first] = group;
  return first?.role === "person" ? [{ role: "user", text: first.text }] : [];
}

function assistant(text: string): ModelMessage {
  return { role: "assistant", text, toolCalls: [] };
}

function lengthOf(turn: Turn): number {
  return turn.messages.reduce((sum, message) => sum + message.text.length, 0);
}

/** What the model is told when its workflow has errors; warnings are not worth a round. */
export function repairRequest(problems: readonly Problem[], source: string): ModelMessage {
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = source.split("\n");
  const told = errors.slice(0, PROBLEM_COUNT_MAX).map((problem) => {
    const { line, column, message, fix, suggestion } = problem;
    const meant = suggestion === undefined ? "" : ` Did you mean \`${suggestion}\`?`;
    const mend = fix === undefined ? "" : ` Fix: ${fix}`;
    return `- line ${line}, column ${column}: ${message}${meant}${mend}\n    ${lines[line - 1]?.trim() ?? ""}`;
  });
  const more = errors.length - told.length;
  const text = [
    `The workflow was checked and cannot run yet: ${errors.length} ${errors.length === 1 ? "error" : "errors"}.`,
    told.join("\n"),
    ...(more > 0 ? [`… and ${more} more.`] : []),
    "Correct them and give the whole file again in one ```yaml block. Change nothing else.",
  ].join("\n\n");
  return { role: "user", text };
}
