/** What goes on beside an answer that is made: it is stored as it comes, kept alive, and ended from elsewhere. */
import type {
  AnswerMessage,
  AnswerProgress,
  ConversationStore,
  MessageRef,
} from "../../domain/conversation.ts";
import type { ChangeSignal } from "../../domain/run.ts";
import type { Clock } from "../../lib/clock.ts";

/* oxlint-disable no-await-in-loop -- each look follows a wait */

/** What has come is lost for at most this long when the process is killed. */
export const SAVE_INTERVAL_MS = 200;
/** While nothing comes a sign of life is given this often; see `abandoned.ts`. */
const ALIVE_INTERVAL_MS = 1_500;

export type Reason = "stopped" | "interrupted";

export interface Work {
  readonly abort: AbortController;
  /** This process ends. */
  readonly closing: AbortSignal;
  ended: Promise<void>;
  live: (AnswerProgress & { readonly ordinal: number }) | undefined;
  /** The answer that is under way in the store; undefined from when its end is on the way there. */
  underWay: MessageRef | undefined;
}

interface SavingDeps {
  readonly conversations: Pick<ConversationStore, "saveProgress" | "keepAlive">;
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
}

/** Stores what is new again and again, or that we are there. An answer that is no longer under way is ended. */
export async function saveWhile(
  { conversations, clock, reportError }: SavingDeps,
  { work, message, until }: { work: Work; message: AnswerMessage; until: AbortSignal },
): Promise<void> {
  let saved = work.live;
  let silentMs = 0;
  let isReported = false;
  while (!until.aborted) {
    await clock.sleep(SAVE_INTERVAL_MS, until);
    silentMs += SAVE_INTERVAL_MS;
    const { live } = work;
    if (until.aborted || live === undefined) continue;
    if (live === saved && silentMs < ALIVE_INTERVAL_MS) continue;
    try {
      const { ordinal: _, ...progress } = live;
      const isKept =
        live === saved
          ? await conversations.keepAlive(message)
          : await conversations.saveProgress(message, progress);
      // Deleted, or taken for dead by another process: nobody waits for it any more.
      if (!isKept) work.abort.abort("stopped" satisfies Reason);
      saved = live;
      silentMs = 0;
    } catch (error) {
      // The next round saves all of it; the end is stored by `storeEnd` whatever happens here.
      if (!isReported) reportError(error);
      isReported = true;
    }
  }
}

interface EndWatchDeps {
  readonly conversations: Pick<ConversationStore, "underWay">;
  readonly changes: ChangeSignal;
  /** All that is under way in this process. */
  readonly works: ReadonlyMap<string, Work>;
}

/** Ends the work on answers that another process has ended. */
export function createEndWatch({ conversations, changes, works }: EndWatchDeps) {
  let stopListening: (() => void) | undefined;
  let isLooking = false;
  let isDirty = false;

  async function look(): Promise<void> {
    const begun = [...works.values()].map((work) => ({ work, ref: work.underWay }));
    const stored = await conversations.underWay();
    for (const { work, ref } of begun) {
      // It was there before the look, and its end is not ours.
      if (ref === undefined || work.underWay !== ref) continue;
      const isThere = stored.some(
        ({ conversationId, ordinal }) =>
          conversationId === ref.conversationId && ordinal === ref.ordinal,
      );
      if (!isThere) work.abort.abort("stopped" satisfies Reason);
    }
  }

  async function lookUntilClean(): Promise<void> {
    isDirty = true;
    if (isLooking) return;
    isLooking = true;
    try {
      while (isDirty) {
        isDirty = false;
        await look();
      }
    } catch {
      // The database is away: what is stored next tells, and reports it.
    } finally {
      isLooking = false;
    }
  }

  return {
    /** Listens while there is any work. To be called when there is more or less of it. */
    update(): void {
      if (works.size > 0) stopListening ??= changes.onChange(() => void lookUntilClean());
      else {
        stopListening?.();
        stopListening = undefined;
      }
    },
  };
}
