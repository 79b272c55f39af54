/**
 * What of a conversation the model is sent. Its length is estimated; where the provider has counted a former request of
 * this conversation, by that.
 */
import type { AnswerReading } from "../../../views/part/answer.tsx";
import type { AnswerMessage, ChatCall, Message, MessageRef } from "../../domain/conversation.ts";
import type { ModelFile, ModelMessage, ModelRequest } from "../../domain/model.ts";
import { estimateMessageTokens } from "../../domain/token-estimate.ts";
import type { Problem } from "../../domain/workflow.ts";

/* oxlint-disable no-await-in-loop -- what is older is read only when what is newer has fitted */

/** What a request has at most, whatever the model could take: longer ones are dear and slow, and rarely better. */
export const REQUEST_TOKENS_MAX = 50_000;
/** Where the model's window is not known. */
export const REQUEST_TOKENS_DEFAULT = 32_000;
/** Of the window, for the answer; at most half of it. */
const ANSWER_TOKENS = 8_000;
/** A count of the provider that is further off than this is another: of what was not cached, for example. */
const PLAUSIBLE = { min: 0.5, max: 2.5 };
/** Some servers leave out a part of what they had cached. */
const SCALE_MIN = 0.8;
/** Messages that are looked at, the newest. */
export const CONTEXT_MESSAGE_COUNT_MAX = 400;
/** Problems that a request for repair names: the first ones are often the cause of the others. */
const PROBLEM_COUNT_MAX = 20;

/** A person's message with the answers to it. */
interface Turn {
  readonly messages: readonly ModelMessage[];
  readonly count: number;
  readonly tokens: number;
}

interface Sources {
  readonly read: (message: AnswerMessage) => Promise<AnswerReading>;
  readonly file: (ref: MessageRef & { readonly number: number }) => Promise<Uint8Array | undefined>;
}

export interface ContextOptions extends Sources {
  /** How many messages of the branch are older than `history`. */
  readonly olderCount: number;
  /** What the answer that is asked for begins with. */
  readonly begun?: string;
  readonly model: Pick<ModelRequest, "provider" | "model">;
  /** Tokens that the model takes, with its answer; undefined when that is not known. */
  readonly window: number | undefined;
  /** Tokens of what goes with every request: the system prompt and the tools. */
  readonly fixedTokens: number;
}

export interface Context {
  readonly messages: readonly ModelMessage[];
  /** Older messages that did not fit. */
  readonly omittedCount: number;
}

/**
 * The newest turns that fit, oldest first. Of an earlier turn its last answer counts; of the present one all that has
 * been said and done: tool calls with what they gave, and answers that are to be mended with their problems.
 */
export async function buildContext(
  history: readonly Message[],
  options: ContextOptions,
): Promise<Context> {
  const { olderCount, begun = "", window, fixedTokens } = options;
  const rest: ModelMessage[] =
    begun === "" ? [] : [assistant(begun), { role: "user", text: GO_ON }];
  const scale = await scaleOf(history, options);
  let left = requestTokensMax(window) / scale - fixedTokens - estimateMessageTokens(rest);
  const kept: Turn[] = [];
  for await (const turn of turnsFromNewest(history, options)) {
    left -= turn.tokens;
    // The present turn goes in whatever its length: without it there is nothing to answer.
    if (kept.length > 0 && left < 0) break;
    kept.unshift(turn);
  }
  const keptCount = kept.reduce((sum, { count }) => sum + count, 0);
  return {
    messages: [...kept.flatMap(({ messages }) => messages), ...rest],
    omittedCount: olderCount + history.length - keptCount,
  };
}

/** Tokens of one request in all. */
export function requestTokensMax(window: number | undefined): number {
  if (window === undefined) return REQUEST_TOKENS_DEFAULT;
  return Math.min(REQUEST_TOKENS_MAX, Math.max(window / 2, window - ANSWER_TOKENS));
}

/**
 * How many tokens the provider counts for one that is estimated: what it said of the newest request of this
 * conversation to the same model, by what that request is estimated at now.
 */
async function scaleOf(history: readonly Message[], options: ContextOptions): Promise<number> {
  const { provider, model } = options.model;
  const isCounted = (message: Message): message is AnswerMessage =>
    message.role === "model" &&
    message.usage.input > 0 &&
    message.provider === provider &&
    // Some are answered by a dated version of what was asked for.
    message.model?.startsWith(model) === true;
  const counted = history.findLast(isCounted);
  if (counted === undefined) return 1;
  const first = counted.omittedCount - options.olderCount;
  // It was sent messages that are not looked at any more.
  if (first < 0) return 1;
  let tokens = options.fixedTokens;
  const sent = history.slice(first, history.indexOf(counted));
  for await (const turn of turnsFromNewest(sent, options)) tokens += turn.tokens;
  const scale = counted.usage.input / tokens;
  if (scale < PLAUSIBLE.min || scale > PLAUSIBLE.max) return 1;
  return Math.max(SCALE_MIN, scale);
}

/** One at a time: what does not fit is not read. */
async function* turnsFromNewest(
  history: readonly Message[],
  { read, file }: Sources,
): AsyncGenerator<Turn> {
  let isPresent = true;
  for (const group of groupByPerson(history).toReversed()) {
    const [said, answered] = await Promise.all([
      personOf(group, file),
      isPresent ? present(group, read) : earlier(group),
    ]);
    const messages = [...said, ...answered];
    yield { messages, count: group.length, tokens: estimateMessageTokens(messages) };
    isPresent = false;
  }
}

const GO_ON =
  "Your answer broke off there. Go on at exactly the character where it stopped: repeat nothing, add no remark.";

function groupByPerson(history: readonly Message[]): Message[][] {
  const groups: Message[][] = [];
  for (const message of history) {
    if (message.role === "person" || groups.length === 0) groups.push([message]);
    else groups.at(-1)?.push(message);
  }
  return groups;
}

function earlier(group: readonly Message[]): ModelMessage[] {
  const answer = group.findLast((message) => message.role === "model" && message.text !== "");
  return answer === undefined ? [] : [assistant(answer.text)];
}

async function present(
  group: readonly Message[],
  read: (message: AnswerMessage) => Promise<AnswerReading>,
): Promise<ModelMessage[]> {
  const done = group.filter(
    (message): message is AnswerMessage => message.role === "model" && message.state === "done",
  );
  const said = await Promise.all(
    done.map(async (message): Promise<ModelMessage[]> => {
      if (message.calls.length > 0) return withCalls(message);
      const { result } = await read(message);
      const mend = result?.workflow === undefined && result !== undefined;
      const answered = assistant(message.text);
      return mend ? [answered, repairRequest(result.problems, result.source)] : [answered];
    }),
  );
  return said.flat();
}

function withCalls({ text, calls, thoughts }: AnswerMessage): ModelMessage[] {
  const toolCalls = calls.map((call) => ({
    id: call.callId,
    name: call.tool,
    arguments: call.arguments,
  }));
  const asked = { role: "assistant", text, toolCalls } as const;
  return [thoughts === null ? asked : { ...asked, thoughts }, ...calls.map(resultOf)];
}

function resultOf({ callId, tool, result }: ChatCall): ModelMessage {
  const text = result ?? "The person went on without deciding on this. Nothing was done.";
  return { role: "tool", callId, name: tool, text };
}

async function personOf(
  group: readonly Message[],
  file: (ref: MessageRef & { readonly number: number }) => Promise<Uint8Array | undefined>,
): Promise<ModelMessage[]> {
  const [first] = group;
  if (first?.role !== "person") return [];
  const contents = await Promise.all(
    first.files.map(async (about) => {
      const { conversationId, ordinal } = first;
      return { about, data: await file({ conversationId, ordinal, number: about.number }) };
    }),
  );
  const texts: string[] = [];
  const images: ModelFile[] = [];
  for (const { about, data } of contents) {
    if (data === undefined) continue;
    const { name, mediaType, hash } = about;
    if (mediaType.startsWith("image/")) images.push({ name, mediaType, hash, data });
    else texts.push(`The attached file ${name}:\n\n${new TextDecoder().decode(data)}`);
  }
  const text = [first.text, ...texts].join("\n\n");
  return [{ role: "user", text, ...(images.length === 0 ? {} : { files: images }) }];
}

function assistant(text: string): ModelMessage {
  return { role: "assistant", text, toolCalls: [] };
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
