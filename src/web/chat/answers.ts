/**
 * Makes the answers: asks the model, keeps what comes, checks the workflow in it, and sends mistakes
 * back for repair. One answer at a time in a conversation.
 *
 * - What has come is stored at least every SAVE_INTERVAL_MS; readers of this process see it at once.
 * - An answer ends exactly once: done, stopped by a person, failed, or interrupted by the end of this
 *   process. While the database cannot be written the end is tried again.
 * - A conversation stays active from the first answer to the end of the last repair.
 */
import {
  ANSWER_CHARS_MAX,
  type AnswerEnd,
  type AnswerMessage,
  type AnswerProgress,
  type ConversationStore,
  type Message,
  REPAIR_ROUND_COUNT_MAX,
} from "../../domain/conversation.ts";
import { AppError, type ErrorRecord } from "../../domain/error.ts";
import type { ModelEvent, ModelPort } from "../../domain/model.ts";
import { abortable } from "../../lib/abortable.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Example } from "../deps.ts";
import { buildContext, CONTEXT_MESSAGE_COUNT_MAX } from "./context.ts";
import type { PromptFacts } from "./prompt.ts";
import { type AnswerReader, hasErrors } from "./reading.ts";
import { templateAnswer } from "./template-answer.ts";

/* oxlint-disable no-await-in-loop -- answers follow one another, and a stream is read in order */

/** What has come is lost for at most this long when the process is killed. */
export const SAVE_INTERVAL_MS = 200;
/** Answers that are made at the same time. */
export const ANSWER_COUNT_MAX = 16;
const END_RETRY_MS = 1_000;
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

export interface AnswersDeps {
  readonly conversations: ConversationStore;
  readonly models: Pick<ModelPort, "resolve" | "call">;
  readonly reader: AnswerReader;
  readonly facts: () => Promise<PromptFacts>;
  readonly examples: () => Promise<readonly Example[]>;
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
  /** Called whenever a reader would see something new. */
  readonly onChange: () => void;
}

export interface Answers {
  /**
   * Begins to answer the newest message, or tries again; resolves when the answer is stored as begun.
   * @throws AppError `conflict` when one is under way, `unavailable` when too many are.
   */
  begin(conversationId: string): Promise<void>;
  /** Resolves when the answer has ended and is stored; at once when none is under way. */
  stop(conversationId: string): Promise<void>;
  /** From the first answer to the end of the last repair. */
  isActive(conversationId: string): boolean;
  /** What the store does not have yet: the message with the newest text. */
  current(message: Message): Message;
  /** Ends all answers as interrupted, and takes no more. */
  close(): Promise<void>;
}

type Reason = "stopped" | "interrupted";

interface Work {
  readonly abort: AbortController;
  /** This process ends. */
  readonly closing: AbortSignal;
  ended: Promise<void>;
  live: (AnswerProgress & { readonly ordinal: number }) | undefined;
}

export function createAnswers(deps: AnswersDeps): Answers {
  const works = new Map<string, Work>();
  const closing = new AbortController();

  async function run(work: Work, ...begun: [AnswerMessage, Message[]]): Promise<void> {
    try {
      await answerAll(deps, work, ...begun);
    } catch (error) {
      // The conversation was deleted meanwhile, or the database is away: the page shows which.
      if (AppError.from(error).code !== "not_found") deps.reportError(error);
    } finally {
      works.delete(begun[0].conversationId);
      deps.onChange();
    }
  }

  return {
    async begin(conversationId) {
      if (closing.signal.aborted) throw unavailable("The chat is being stopped.");
      if (works.size >= ANSWER_COUNT_MAX) throw unavailable("Too many answers are under way.");
      if (works.has(conversationId)) {
        throw new AppError("conflict", "An answer is under way in this conversation.", {
          fix: "Wait until it has ended, or stop it.",
        });
      }
      const work: Work = {
        abort: new AbortController(),
        closing: closing.signal,
        ended: Promise.resolve(),
        live: undefined,
      };
      works.set(conversationId, work);
      try {
        const history = await historyOf(deps, conversationId);
        const round = await nextRound(deps, history);
        const message = await deps.conversations.startAnswer(conversationId, round);
        work.ended = run(work, message, history);
      } catch (error) {
        works.delete(conversationId);
        throw error;
      }
    },
    async stop(conversationId) {
      const work = works.get(conversationId);
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

/** The answer, and its repairs for as long as they are needed. */
async function answerAll(
  deps: AnswersDeps,
  work: Work,
  ...[first, history]: [AnswerMessage, Message[]]
): Promise<void> {
  let ended = await answer(deps, { work, message: first, history });
  while (ended !== undefined && !work.abort.signal.aborted && (await needsRepair(deps, ended))) {
    const { conversationId, round } = ended;
    const known = await historyOf(deps, conversationId);
    const message = await deps.conversations.startAnswer(conversationId, round + 1);
    deps.onChange();
    ended = await answer(deps, { work, message, history: known });
  }
}

async function answer(
  deps: AnswersDeps,
  job: Pick<Job, "work" | "message" | "history">,
): Promise<AnswerMessage | undefined> {
  const { work, message } = job;
  const progress = (change: Partial<AnswerProgress>) => {
    const before = work.live ?? { ordinal: message.ordinal, ...EMPTY };
    work.live = { ...before, ...change };
    deps.onChange();
  };
  progress({});
  const over = new AbortController();
  const saving = saveWhile(deps, { work, message, until: over.signal });
  const end = await outcome(deps, { ...job, progress });
  over.abort();
  await saving;
  const ended = await storeEnd(deps, { work, message, end });
  work.live = undefined;
  deps.onChange();
  return ended;
}

const EMPTY: AnswerProgress = { text: "", provider: null, model: null, omittedCount: 0 };

function unavailable(message: string): AppError {
  return new AppError("unavailable", message, { fix: "Try again in a moment." });
}

function historyOf(deps: AnswersDeps, conversationId: string): Promise<Message[]> {
  return deps.conversations.messages(conversationId, { limit: CONTEXT_MESSAGE_COUNT_MAX });
}

/** An answer that did not end well is tried again in its round; after the last repair all begins anew. */
async function nextRound(deps: AnswersDeps, history: readonly Message[]): Promise<number> {
  const last = history.at(-1);
  if (last === undefined || last.role === "person") return 0;
  if (last.state !== "done") return last.round;
  return (await needsRepair(deps, last)) ? last.round + 1 : 0;
}

async function needsRepair(deps: AnswersDeps, ended: AnswerMessage): Promise<boolean> {
  if (ended.state !== "done" || ended.round >= REPAIR_ROUND_COUNT_MAX) return false;
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
  let text = "";
  try {
    for await (const event of ask(deps, { ...job, signal })) {
      if (event.type === "end") return outcomeOf(event, { job, text });
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
  const { provider, model, apiBase } = await abortable(signal, deps.models.resolve({}));
  progress({ provider, model });
  if (provider === "demo") {
    const examples = await deps.examples();
    yield* templateAnswer(wishOf(history), { examples, clock: deps.clock, signal });
    return;
  }
  const { round } = message;
  const [oldest] = history;
  const context = await buildContext(history, {
    round,
    olderCount: Math.max(0, (oldest?.ordinal ?? 1) - 1),
    read: (answered) => deps.reader.read(answered),
  });
  progress({ omittedCount: context.omittedCount });
  const { systemPrompt } = await import("./prompt.ts");
  const system = { role: "system", text: systemPrompt(await deps.facts()) } as const;
  yield* deps.models.call({
    provider,
    model,
    ...(apiBase === undefined ? {} : { apiBase }),
    messages: [system, ...context.messages],
    tools: [],
    signal,
  });
}

function wishOf(history: readonly Message[]): string {
  return history.findLast(({ role }) => role === "person")?.text ?? "";
}

function outcomeOf(
  event: Extract<ModelEvent, { type: "end" }>,
  { job, text }: { job: Job; text: string },
): Outcome {
  if (event.reason === "failed") return failed(event.error);
  if (event.reason === "aborted") return aborted(job);
  const { text: whole, model, finish, usage, costNanoUsd } = event.answer;
  job.progress({ model, ...(text === "" ? { text: whole.slice(0, ANSWER_CHARS_MAX) } : {}) });
  return { state: "done", error: null, finish, usage, costNanoUsd };
}

function aborted({ work }: Job): Outcome {
  const state: Reason = work.abort.signal.reason === "interrupted" ? "interrupted" : "stopped";
  return { ...NOTHING, state };
}

const NOTHING = { finish: null, usage: NO_USAGE, costNanoUsd: null, error: null } as const;

function failed(error: ErrorRecord): Outcome {
  return { ...NOTHING, state: "failed", error };
}

function tooLongError(): ErrorRecord {
  const message = `The answer was longer than ${ANSWER_CHARS_MAX} characters and was stopped.`;
  return new AppError("too_large", message, { fix: "Ask for something smaller." }).toRecord();
}

/** Stores what is new again and again. An answer that is no longer under way is ended. */
async function saveWhile(
  deps: AnswersDeps,
  { work, message, until }: { work: Work; message: AnswerMessage; until: AbortSignal },
): Promise<void> {
  let saved = work.live;
  let isReported = false;
  while (!until.aborted) {
    await deps.clock.sleep(SAVE_INTERVAL_MS, until);
    const { live } = work;
    if (until.aborted || live === undefined || live === saved) continue;
    try {
      const { ordinal: _, ...progress } = live;
      // Deleted, or taken for dead by a newer process: nobody waits for it any more.
      if (!(await deps.conversations.saveProgress(message, progress))) work.abort.abort("stopped");
      saved = live;
    } catch (error) {
      // The next round saves all of it; the end is stored by `storeEnd` whatever happens here.
      if (!isReported) deps.reportError(error);
      isReported = true;
    }
  }
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
