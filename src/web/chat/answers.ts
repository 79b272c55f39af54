/**
 * Makes the answers: asks the model, keeps what comes, makes the tool calls in it, checks the workflow in it, and
 * sends mistakes back for repair. One answer at a time in a conversation.
 *
 * - What has come is stored at least every SAVE_INTERVAL_MS; readers of this process see it at once, those of others
 *   by the store.
 * - An answer ends exactly once: done, stopped by a person, failed, or interrupted by the end of this
 *   process. While the database cannot be written the end is tried again. Other processes may end it too.
 * - A conversation stays active from the first answer to the end of the last repair.
 * - A tool call that writes or spends waits for a person; the conversation is at rest then.
 */
import {
  ANSWER_CHARS_MAX,
  type AnswerEnd,
  type AnswerMessage,
  type AnswerProgress,
  type CallRef,
  type Conversation,
  type ConversationStore,
  type Message,
  REPAIR_ROUND_COUNT_MAX,
} from "../../domain/conversation.ts";
import { AppError, type ErrorRecord } from "../../domain/error.ts";
import type { ModelEvent, ModelPort } from "../../domain/model.ts";
import type { ChangeSignal } from "../../domain/run.ts";
import { estimateInputTokens } from "../../domain/token-estimate.ts";
import { TOOL_ROUNDS_MAX } from "../../domain/tool.ts";
import { type ModelChoice, PROVIDERS } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Example } from "../deps.ts";
import type { Answerer } from "./abandoned.ts";
import { createEndWatch, type Reason, saveWhile, type Work } from "./answer-work.ts";
import { buildContext, CONTEXT_MESSAGE_COUNT_MAX } from "./context.ts";
import { endElsewhere } from "./end-elsewhere.ts";
import type { PromptFacts } from "./prompt.ts";
import { type AnswerReader, hasErrors } from "./reading.ts";
import { templateAnswer } from "./template-answer.ts";
import { type ChatTool, performCall, planCalls } from "./tool.ts";

/* oxlint-disable no-await-in-loop -- answers follow one another, and a stream is read in order */

/** Answers that are made at the same time. */
export const ANSWER_COUNT_MAX = 16;
const END_RETRY_MS = 1_000;
/** Of one turn: repairs, and rounds of tool calls. */
const TURN_COUNT_MAX = 100;
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

export interface AnswersDeps {
  readonly conversations: ConversationStore;
  readonly models: Pick<ModelPort, "resolve" | "call" | "contextWindow">;
  readonly reader: AnswerReader;
  readonly facts: () => Promise<PromptFacts>;
  readonly examples: () => Promise<readonly Example[]>;
  readonly tools: () => Promise<readonly ChatTool[]>;
  readonly clock: Clock;
  readonly changes: ChangeSignal;
  readonly self: Pick<Answerer, "name">;
  readonly reportError: (error: unknown) => void;
  /** Called whenever a reader would see something new. */
  readonly onChange: () => void;
}

export interface Answers {
  /**
   * Begins to answer the newest message, or tries again beside an answer that did not end well; resolves when the
   * answer is stored as begun.
   * @throws AppError `conflict` when one is under way, or a tool call waits for a person; `unavailable` when too many
   * are under way; `not_found` when there is no answer in whose place it could be.
   */
  begin(conversationId: string, how?: Beginning): Promise<void>;
  /**
   * Decides on a tool call that waits for a person. When it was the last one, the model goes on.
   * @throws AppError `not_found`; `conflict` when it does not wait (any more).
   */
  decide(ref: CallRef, decision: Decision): Promise<void>;
  /** Resolves when the answer has ended and is stored; at once when none is under way. */
  stop(conversationId: string): Promise<void>;
  /** From the first answer to the end of the last repair. */
  isActive(conversationId: string): boolean;
  /** What the store does not have yet: the message with the newest text. */
  current(message: Message): Message;
  /** Ends all answers as interrupted, and takes no more. */
  close(): Promise<void>;
}

export interface Decision {
  readonly approved: boolean;
  /** What the person saw: see `ChatCall`. */
  readonly seen: string | null;
}

export interface Beginning {
  /** Another answer, beside this one, which begins a branch. */
  readonly inPlaceOf?: number;
  /** It begins with what that one had, and goes on there. */
  readonly goesOn?: boolean;
}

export function createAnswers(deps: AnswersDeps): Answers {
  const works = new Map<string, Work>();
  const closing = new AbortController();
  const ends = createEndWatch({ ...deps, works });

  async function run(
    work: Work,
    { conversationId, first }: { conversationId: string; first: AnswerMessage },
  ): Promise<void> {
    try {
      await answerAll(deps, work, first);
    } catch (error) {
      // The conversation was deleted meanwhile, or the database is away: the page shows which.
      if (AppError.from(error).code !== "not_found") deps.reportError(error);
    } finally {
      works.delete(conversationId);
      ends.update();
      deps.onChange();
    }
  }

  /** @param begin Gives the answer that is begun, or one whose calls are to be made. */
  async function start(conversationId: string, begin: () => Promise<AnswerMessage>): Promise<void> {
    if (closing.signal.aborted) throw unavailable("The chat is being stopped.");
    if (works.size >= ANSWER_COUNT_MAX) throw unavailable("Too many answers are under way.");
    if (works.has(conversationId)) {
      throw new AppError("conflict", "An answer is under way in this conversation.", {
        fix: "Wait until it has ended, or stop it.",
      });
    }
    const begun: Work = {
      abort: new AbortController(),
      closing: closing.signal,
      ended: Promise.resolve(),
      live: undefined,
      underWay: undefined,
    };
    works.set(conversationId, begun);
    ends.update();
    try {
      const first = await begin();
      begun.ended = run(begun, { conversationId, first });
    } catch (error) {
      works.delete(conversationId);
      ends.update();
      throw error;
    }
  }

  return {
    begin: (conversationId, how = {}) =>
      start(conversationId, () => beginAnswer(deps, conversationId, how)),
    decide: (ref, decision) => start(ref.conversationId, () => decide(deps, ref, decision)),
    async stop(conversationId) {
      const work = works.get(conversationId);
      if (work === undefined) await endElsewhere(deps.conversations, conversationId, "stopped");
      work?.abort.abort("stopped" satisfies Reason);
      await work?.ended;
    },
    isActive: (conversationId) => works.has(conversationId),
    current(message) {
      if (message.role === "person" || message.state !== "streaming") return message;
      const live = works.get(message.conversationId)?.live;
      if (live?.ordinal !== message.ordinal) return message;
      return { ...message, ...live };
    },
    async close() {
      closing.abort();
      const all = [...works.values()];
      for (const work of all) work.abort.abort("interrupted" satisfies Reason);
      await Promise.all(all.map((work) => work.ended));
    },
  };
}

async function beginAnswer(
  deps: AnswersDeps,
  conversationId: string,
  { inPlaceOf, goesOn = false }: Beginning,
): Promise<AnswerMessage> {
  const { conversations } = deps;
  if (inPlaceOf !== undefined) {
    const other = await conversations.message({ conversationId, ordinal: inPlaceOf });
    if (other?.role !== "model") throw noAnswer(inPlaceOf);
    const { round, text } = other;
    return startAnswer(deps, conversationId, round, {
      inPlaceOf,
      ...(goesOn ? { text } : {}),
    });
  }
  const turn = lastTurn(await conversations.messages(conversationId, { limit: TURN_COUNT_MAX }));
  const last = turn.at(-1);
  if (last === undefined || last.role === "person") return startAnswer(deps, conversationId, 0);
  if (last.calls.some(({ state }) => state === "asked")) throw waitsForPerson();
  if (last.state === "done" && last.calls.length > 0) return last;
  if (last.state !== "done") {
    return startAnswer(deps, conversationId, last.round, { inPlaceOf: last.ordinal });
  }
  if (await needsRepair(deps, last)) return startAnswer(deps, conversationId, last.round + 1);
  // All of the turn anew, beside what it has come to.
  const first = turn.find(({ role }) => role === "model") ?? last;
  return startAnswer(deps, conversationId, 0, { inPlaceOf: first.ordinal });
}

function startAnswer(
  { conversations, self }: AnswersDeps,
  id: string,
  ...[round, more]: [number, { readonly inPlaceOf?: number; readonly text?: string }?]
): Promise<AnswerMessage> {
  return conversations.startAnswer(id, round, { ...more, answeredBy: self.name });
}

/** What was said last by a person, and the answers to it. */
function lastTurn(history: readonly Message[]): Message[] {
  return history.slice(
    Math.max(
      0,
      history.findLastIndex(({ role }) => role === "person"),
    ),
  );
}

async function decide(
  deps: AnswersDeps,
  ref: CallRef,
  { approved, seen }: Decision,
): Promise<AnswerMessage> {
  const { conversations } = deps;
  const decided = approved
    ? ({ state: "begun", result: null, approvedAt: deps.clock.now(), seen } as const)
    : ({ state: "declined", result: "The person declined. Nothing was done." } as const);
  if (!(await conversations.saveCall(ref, { from: "asked", link: null, ...decided }))) {
    throw new AppError("conflict", "This was decided already, or is not there.", {
      fix: "Reload the page to see what has become of it.",
    });
  }
  deps.onChange();
  const message = await conversations.message(ref);
  if (message?.role !== "model") throw noAnswer(ref.ordinal);
  return message;
}

function noAnswer(ordinal: number): AppError {
  return new AppError("not_found", `There is no answer ${ordinal} in this conversation.`, {
    fix: "Go back to the conversation and choose one that is there.",
  });
}

function waitsForPerson(): AppError {
  return new AppError("conflict", "The answer waits for your decision.", {
    fix: "Approve or decline what it asks for, or write something else.",
  });
}

/** The answer, then what follows from it: its tool calls, and repairs for as long as they are needed. */
async function answerAll(deps: AnswersDeps, work: Work, first: AnswerMessage): Promise<void> {
  let message: AnswerMessage | undefined = first;
  while (message !== undefined) {
    const ended: AnswerMessage | undefined =
      message.state === "streaming" ? await answer(deps, work, message) : message;
    if (ended?.state !== "done" || work.abort.signal.aborted) return;
    const round = await roundAfter(deps, work, ended);
    if (round === undefined || work.abort.signal.aborted) return;
    message = await startAnswer(deps, ended.conversationId, round);
    deps.onChange();
  }
}

/** The round of the answer that follows by itself; undefined when it is a person's turn. */
async function roundAfter(
  deps: AnswersDeps,
  work: Work,
  ended: AnswerMessage,
): Promise<number | undefined> {
  if (ended.calls.length > 0) {
    await performCalls(deps, work, ended);
    return ended.calls.some(({ state }) => state === "asked") ? undefined : ended.round;
  }
  return (await needsRepair(deps, ended)) ? ended.round + 1 : undefined;
}

async function performCalls(deps: AnswersDeps, work: Work, ended: AnswerMessage): Promise<void> {
  const tools = await deps.tools();
  const { conversationId, ordinal } = ended;
  for (const call of ended.calls) {
    if (call.state !== "begun") continue;
    if (work.abort.signal.aborted) return;
    const { number } = call;
    const { runId, ...made } = await performCall(tools, call, {
      seed: `${conversationId}-${ordinal}-${number}`,
      atMs: call.approvedAt ?? ended.finishedAt ?? ended.createdAt,
      seen: call.seen,
    });
    // Before the call counts as made: one that is made again after a crash shows its run again.
    if (runId !== undefined) await deps.conversations.showRun(conversationId, runId);
    await deps.conversations.saveCall(
      { conversationId, ordinal, number },
      { from: "begun", ...made },
    );
    deps.onChange();
  }
}

async function answer(
  deps: AnswersDeps,
  work: Work,
  message: AnswerMessage,
): Promise<AnswerMessage | undefined> {
  const { conversationId, ordinal, text } = message;
  const progress = (change: Partial<AnswerProgress>) => {
    const before = work.live ?? { ordinal, ...EMPTY, text };
    work.live = { ...before, ...change };
    deps.onChange();
  };
  progress({});
  work.underWay = message;
  const over = new AbortController();
  const saving = saveWhile(deps, { work, message, until: over.signal });
  const history = await deps.conversations.messages(conversationId, {
    limit: CONTEXT_MESSAGE_COUNT_MAX,
    before: ordinal,
  });
  const end = await outcome(deps, { work, message, history, progress });
  over.abort();
  await saving;
  work.underWay = undefined;
  const ended = await storeEnd(deps, { work, message, end });
  work.live = undefined;
  deps.onChange();
  return ended;
}

const EMPTY: AnswerProgress = { text: "", provider: null, model: null, omittedCount: 0 };

function unavailable(message: string): AppError {
  return new AppError("unavailable", message, { fix: "Try again in a moment." });
}

async function needsRepair(deps: AnswersDeps, ended: AnswerMessage): Promise<boolean> {
  if (ended.state !== "done" || ended.calls.length > 0 || ended.round >= REPAIR_ROUND_COUNT_MAX)
    return false;
  // The product's own templates are not for the model to mend.
  if (ended.provider === "demo") return false;
  return hasErrors(await deps.reader.read(ended));
}

interface Job {
  readonly work: Work;
  readonly message: AnswerMessage;
  readonly history: readonly Message[];
  readonly progress: (change: Partial<AnswerProgress>) => void;
}

type Outcome = Omit<AnswerEnd, keyof AnswerProgress>;

/** Asks the model and reads its stream to the end. Never rejects. */
async function outcome(deps: AnswersDeps, job: Job): Promise<Outcome> {
  const tooLong = new AbortController();
  const signal = AbortSignal.any([job.work.abort.signal, tooLong.signal]);
  let { text } = job.message;
  try {
    for await (const event of ask(deps, { ...job, signal })) {
      if (event.type === "end") return await outcomeOf(deps, event, { job, text });
      text += event.text;
      if (text.length > ANSWER_CHARS_MAX) {
        text = text.slice(0, ANSWER_CHARS_MAX);
        tooLong.abort();
      }
      job.progress({ text });
      if (tooLong.signal.aborted) return failed(tooLongError());
    }
    return failed(new AppError("provider_unavailable", "The answer ended too early.").toRecord());
  } catch (error) {
    if (job.work.abort.signal.aborted) return aborted(job);
    // A missing key or an unknown model is an end like any other; what is not expected is logged too.
    const failure = AppError.from(error);
    if (failure.code === "internal") deps.reportError(error);
    return failed(failure.toRecord());
  }
}

async function* ask(
  deps: AnswersDeps,
  { message, history, progress, signal }: Job & { signal: AbortSignal },
): AsyncGenerator<ModelEvent> {
  const conversation = await deps.conversations.get(message.conversationId);
  const wish = pickedModel(conversation);
  const { provider, model, apiBase } = await abortable(signal, deps.models.resolve(wish));
  progress({ provider, model });
  if (provider === "demo") {
    const examples = await deps.examples();
    yield* templateAnswer(wishOf(history), { examples, clock: deps.clock, signal });
    return;
  }
  const { systemPrompt } = await import("./prompt.ts");
  const system = { role: "system", text: systemPrompt(await deps.facts()) } as const;
  const chatTools = mayCallTools(history, message) ? await deps.tools() : [];
  const tools = chatTools.map(({ spec }) => spec);
  const asked = { provider, model, ...(apiBase === undefined ? {} : { apiBase }) };
  const { messages, omittedCount } = await buildContext(history, {
    olderCount: await olderCount(deps, history),
    read: (answered) => deps.reader.read(answered),
    file: (ref) => deps.conversations.file(ref),
    begun: message.text,
    model: asked,
    window: await deps.models.contextWindow(asked),
    fixedTokens: estimateInputTokens({ messages: [system], tools }),
  });
  progress({ omittedCount });
  yield* deps.models.call({
    ...asked,
    messages: [system, ...messages],
    tools,
    toolsOptional: true,
    signal,
  });
}

/** What was picked for the conversation as a wish: `provider/model`. */
function pickedModel(conversation: Conversation | undefined): ModelChoice {
  const [, name, model] = /^([^/]+)\/(.+)$/.exec(conversation?.model ?? "") ?? [];
  const provider = PROVIDERS.find((one) => one === name);
  return provider === undefined || model === undefined ? {} : { provider, model };
}

/** An answer that goes on in the middle of its text, and one after many rounds of calls, is given none. */
function mayCallTools(history: readonly Message[], message: AnswerMessage): boolean {
  const rounds = lastTurn(history).filter((one) => one.role === "model" && one.calls.length > 0);
  return message.text === "" && rounds.length < TOOL_ROUNDS_MAX;
}

/** Messages of the branch that are not looked at. */
async function olderCount(deps: AnswersDeps, [oldest]: readonly Message[]): Promise<number> {
  return oldest === undefined ? 0 : (await deps.conversations.depth(oldest)) - 1;
}

function wishOf(history: readonly Message[]): string {
  return history.findLast(({ role }) => role === "person")?.text ?? "";
}

async function outcomeOf(
  deps: AnswersDeps,
  event: Extract<ModelEvent, { type: "end" }>,
  { job, text }: { job: Job; text: string },
): Promise<Outcome> {
  if (event.reason === "failed") return failed(event.error);
  if (event.reason === "aborted") return aborted(job);
  const { text: whole, model, finish, usage, costNanoUsd, toolCalls, thoughts } = event.answer;
  job.progress({ model, ...(text === "" ? { text: whole.slice(0, ANSWER_CHARS_MAX) } : {}) });
  const calls = toolCalls.length === 0 ? [] : await planCalls(await deps.tools(), toolCalls);
  const kept = calls.length === 0 ? null : (thoughts ?? null);
  return { state: "done", error: null, finish, usage, costNanoUsd, thoughts: kept, calls };
}

function aborted({ work }: Job): Outcome {
  const state: Reason = work.abort.signal.reason === "interrupted" ? "interrupted" : "stopped";
  return { ...NOTHING, state };
}

const NOTHING = {
  finish: null,
  usage: NO_USAGE,
  costNanoUsd: null,
  error: null,
  thoughts: null,
  calls: [],
} as const;

function failed(error: ErrorRecord): Outcome {
  return { ...NOTHING, state: "failed", error };
}

function tooLongError(): ErrorRecord {
  const message = `The answer was longer than ${ANSWER_CHARS_MAX} characters and was stopped.`;
  return new AppError("too_large", message, { fix: "Ask for something smaller." }).toRecord();
}

/** Stores the end until the database takes it; gives up when this process ends. */
async function storeEnd(
  deps: AnswersDeps,
  { work, message, end }: { work: Work; message: AnswerMessage; end: Outcome },
): Promise<AnswerMessage | undefined> {
  const { ordinal: _, ...progress } = work.live ?? { ordinal: 0, ...EMPTY };
  for (;;) {
    try {
      return await deps.conversations.endAnswer(message, { ...progress, ...end });
    } catch (error) {
      deps.reportError(error);
      if (work.closing.aborted) return undefined;
      await deps.clock.sleep(END_RETRY_MS, work.closing);
    }
  }
}
