/**
 * `agents new`: a conversation that builds a workflow, as the chat has it, in this process. It is kept in the same
 * place and can be gone on with there.
 */
import type { Config } from "../config/config.ts";
import {
  type AnswerMessage,
  type ConversationStore,
  type Message,
  titleOf,
} from "../domain/conversation.ts";
import { AppError } from "../domain/error.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import type { Problem, Workflow, WorkflowStore } from "../domain/workflow.ts";
import { systemClock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import { createProcessIdentity } from "../process/identity.ts";
import { openStore } from "../store/store.ts";
import { type AbandonedWatch, createAbandonedWatch, SILENT_MS_MAX } from "../web/chat/abandoned.ts";
import type { Answers } from "../web/chat/answers.ts";
import type { AnswerReader } from "../web/chat/reading.ts";
import { createLazyModels } from "./ports.ts";
import { promptFacts } from "./prompt-facts.ts";

/* oxlint-disable no-await-in-loop -- answers follow one another, and so do looks */

const ABANDONED_LOOK_MS = 500;
const ABANDONED_WAIT_MS = SILENT_MS_MAX + 2_000;

/** The workflow of an answer. */
interface BuiltWorkflow {
  readonly source: string;
  /** Undefined when it has errors. */
  readonly workflow: Workflow | undefined;
  readonly problems: readonly Problem[];
}

/** An answer that has ended. */
interface BuildAnswer {
  readonly message: AnswerMessage;
  /** Undefined when there is no workflow in it. */
  readonly result: BuiltWorkflow | undefined;
}

interface BuildHooks {
  /** The model of an answer is known; `round` is 0, or counts the repairs. */
  readonly onBegin: (about: { provider: string; model: string; round: number }) => void;
  readonly onText: (text: string) => void;
  readonly onEnd: (answer: BuildAnswer) => void;
  /** Ends the model's request; what has come is kept. */
  readonly signal: AbortSignal;
}

interface Parts {
  readonly conversations: ConversationStore;
  readonly workflows: WorkflowStore;
  readonly reader: AnswerReader;
  readonly answers: Answers;
  readonly abandoned: AbandonedWatch;
  readonly bell: ReturnType<typeof createBell>;
}

/** @throws AppError those of the database. */
export async function openWorkflowBuilder(config: Config, reportError: (error: unknown) => void) {
  const clock = systemClock;
  const [{ createAnswers }, { createAnswerReader }] = await Promise.all([
    import("../web/chat/answers.ts"),
    import("../web/chat/reading.ts"),
  ]);
  const self = createProcessIdentity();
  const store = await openStore({ path: config.databasePath, clock });
  const { conversations, workflows, changes } = store;
  const reader = createAnswerReader(() => Promise.resolve(TOOL_NAMES));
  const bell = createBell();
  const answers = createAnswers({
    conversations,
    models: createLazyModels(async () => config.llm),
    reader,
    facts: () => promptFacts(config, { settings: config, workflows }),
    examples: async () => (await import("../../examples/index.ts")).EXAMPLES,
    // Their cards are on the pages of the chat.
    tools: () => Promise.resolve([]),
    clock,
    changes,
    self,
    reportError,
    onChange: () => bell.ring(),
  });
  const abandoned = createAbandonedWatch({
    conversations,
    clock,
    health: () => store.health(),
    self,
    isActive: (id) => answers.isActive(id),
    reportError,
  });
  return {
    ...createBuilder({ conversations, workflows, reader, answers, abandoned, bell }),
    async close(): Promise<void> {
      await answers.close();
      await store.close();
    },
  };
}

function createBuilder(parts: Parts) {
  const { conversations, workflows } = parts;
  return {
    /** Begins a conversation. @param model Null for the default. @returns its id. */
    async create(text: string, model: string | null): Promise<string> {
      const id = newId(systemClock.now());
      await conversations.create({ id, title: titleOf(text), text, model });
      return id;
    },
    /** Goes on with one. @throws AppError `not_found`; `conflict` while an answer is under way. */
    async say(id: string, text: string): Promise<void> {
      await requireConversation(conversations, id);
      await conversations.say(id, text);
    },
    /** Marks an answer whose process was killed as interrupted; returns soon after one that lives gives a sign. */
    interruptAbandoned: (id: string) => interruptAbandoned(parts, id),
    /** @throws AppError `not_found`. */
    pickModel: (id: string, model: string) => conversations.pickModel(id, model),
    /** The newest message, when it is an answer that is done and whose workflow can run. */
    async newest(id: string): Promise<BuildAnswer | undefined> {
      await requireConversation(conversations, id);
      const [message] = await conversations.messages(id, { limit: 1 });
      if (message?.role !== "model" || message.state !== "done") return undefined;
      const answer = await readAnswer(parts, message);
      return answer.result?.workflow === undefined ? undefined : answer;
    },
    /**
     * Answers what was said last, or tries again, repairs included.
     * @returns the last answer; @throws AppError `conflict`, `not_found`.
     */
    answer: (id: string, hooks: BuildHooks) => answerAll(parts, id, hooks),
    totals: (id: string) => conversations.totals(id),
    /** @throws AppError `too_large`. */
    save({ name, description }: Workflow, source: string) {
      return workflows.save({ name, description: description ?? null, source, format: "yaml" });
    },
  };
}

async function interruptAbandoned({ conversations, abandoned }: Parts, id: string): Promise<void> {
  const find = async () =>
    (await conversations.underWay()).find(({ conversationId }) => conversationId === id);
  const first = await find();
  if (first === undefined) return;
  for (let waitedMs = 0; waitedMs < ABANDONED_WAIT_MS; waitedMs += ABANDONED_LOOK_MS) {
    await abandoned.look();
    const now = await find();
    if (now?.ordinal !== first.ordinal || now.aliveAt !== first.aliveAt) return;
    await systemClock.sleep(ABANDONED_LOOK_MS);
  }
}

async function requireConversation(conversations: ConversationStore, id: string) {
  const conversation = await conversations.get(id);
  if (conversation !== undefined) return conversation;
  throw new AppError("not_found", `There is no conversation ${id}.`, {
    fix: "Copy the id from the address of the conversation in the chat.",
  });
}

async function readAnswer({ reader }: Parts, message: AnswerMessage): Promise<BuildAnswer> {
  return { message, result: (await reader.read(message)).result };
}

async function answerAll(parts: Parts, id: string, hooks: BuildHooks): Promise<BuildAnswer> {
  const { conversations, answers, bell } = parts;
  let { messageCount: place } = await requireConversation(conversations, id);
  const stop = () => void answers.stop(id);
  await answers.begin(id);
  hooks.signal.addEventListener("abort", stop, { once: true });
  if (hooks.signal.aborted) stop();
  let last: BuildAnswer | undefined;
  for (;;) {
    const changes = bell.count();
    const isActive = answers.isActive(id);
    const [message] = await conversations.messages(id, { limit: 1, after: place });
    if (message === undefined && !isActive) break;
    if (message === undefined) await bell.next(changes);
    else place = message.ordinal;
    if (message?.role !== "model") continue;
    const ended = await follow(parts, message, hooks);
    if (ended === undefined) break;
    last = await readAnswer(parts, ended);
    hooks.onEnd(last);
  }
  hooks.signal.removeEventListener("abort", stop);
  if (last !== undefined) return last;
  throw new AppError("conflict", "The conversation was changed elsewhere.", {
    fix: `Look at it in the chat, at /chat/${id}.`,
  });
}

/** Tells how an answer comes. @returns it as it ended; undefined when it was removed meanwhile. */
async function follow(
  { conversations, answers, bell }: Parts,
  begun: AnswerMessage,
  hooks: BuildHooks,
): Promise<AnswerMessage | undefined> {
  const tell = createTeller(hooks);
  let stored: Message | undefined = begun;
  for (;;) {
    const changes = bell.count();
    const now: Message | undefined = stored && answers.current(stored);
    if (now?.role !== "model") return undefined;
    tell(now);
    if (now.state !== "streaming") return now;
    if (now === stored) {
      // Not under way yet, or not any more: the store knows.
      const isActive = answers.isActive(begun.conversationId);
      const read = await conversations.message(begun);
      const isOver = read?.role !== "model" || read.state !== "streaming";
      // Its end could not be stored.
      if (!isActive && !isOver) return read;
      stored = read;
      if (isOver) continue;
    }
    await bell.next(changes);
  }
}

function createTeller({ onBegin, onText }: BuildHooks): (answer: AnswerMessage) => void {
  let isBegun = false;
  let shown = 0;
  return ({ provider, model, text, round }) => {
    if (!isBegun && provider !== null && model !== null) {
      isBegun = true;
      onBegin({ provider, model, round });
    }
    if (text.length > shown) onText(text.slice(shown));
    shown = Math.max(shown, text.length);
  };
}

/** Counts what has happened, so that nothing that happens between two looks is missed. */
function createBell() {
  let count = 0;
  const waiting: (() => void)[] = [];
  return {
    count: () => count,
    ring(): void {
      count += 1;
      for (const wake of waiting.splice(0)) wake();
    },
    /** Resolves when more has happened than `seen`. */
    next: (seen: number) =>
      new Promise<void>((resolve) => {
        if (count > seen) resolve();
        else waiting.push(resolve);
      }),
  };
}
