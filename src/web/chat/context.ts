/** What of a conversation the model is sent. */
import type { AnswerReading } from "../../../views/part/answer.tsx";
import type { AnswerMessage, ChatCall, Message, MessageRef } from "../../domain/conversation.ts";
import type { ModelFile, ModelMessage } from "../../domain/model.ts";
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
 * The newest turns that fit, oldest first. Of an earlier turn its last answer counts; of the present one all that has
 * been said and done: tool calls with what they gave, and answers that are to be mended with their problems.
 */
export async function buildContext(
  history: readonly Message[],
  options: {
    /** How many messages of the branch are older than `history`. */
    readonly olderCount: number;
    readonly read: (message: AnswerMessage) => Promise<AnswerReading>;
    readonly file: (
      ref: MessageRef & { readonly number: number },
    ) => Promise<Uint8Array | undefined>;
    /** What the answer that is asked for begins with. */
    readonly begun?: string;
    readonly charsMax?: number;
  },
): Promise<Context> {
  const { olderCount, read, file, begun = "", charsMax = CONTEXT_CHARS_MAX } = options;
  const groups = groupByPerson(history);
  const turns = await Promise.all(
    groups.map(async (group, index): Promise<Turn> => {
      const said = await personOf(group, file);
      const answered = index < groups.length - 1 ? earlier(group) : await present(group, read);
      return { messages: [...said, ...answered], count: group.length };
    }),
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
  const messages = kept.flatMap((turn) => turn.messages);
  if (begun !== "") messages.push(assistant(begun), { role: "user", text: GO_ON });
  return { messages, omittedCount };
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
