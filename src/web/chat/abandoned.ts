/**
 * Finds answers whose process is gone, and marks them as interrupted.
 *
 * That a process of this machine has ended is known at once. Of any other only its silence tells: the same last sign
 * of life, seen for SILENT_MS_MAX. The clocks of two processes are never compared; of a time in which nobody looked,
 * as when the machine slept, no more than LOOK_MS_MAX counts; and while this process cannot write itself, nothing
 * does, as the other may not have been able to either.
 *
 * There is no timer: who shows a conversation looks before.
 */
import type { AnswerUnderWay, ConversationStore } from "../../domain/conversation.ts";
import type { DatabaseHealth } from "../../domain/service.ts";
import type { Clock } from "../../lib/clock.ts";

export const SILENT_MS_MAX = 10_000;
/** Longer than the pause between two looks of an open page. */
const LOOK_MS_MAX = 6_000;
/** Who had to wait longer for its turn to write knows that others had to wait too. */
const TURN_MS_MAX = 1_000;

/** This process among those that make answers. */
export interface Answerer {
  readonly name: string;
  /** True when the process of that name has ended for sure. */
  hasEnded(name: string): boolean;
}

export interface AbandonedDeps {
  readonly conversations: Pick<ConversationStore, "underWay" | "breakOff">;
  readonly clock: Clock;
  readonly health: () => DatabaseHealth;
  readonly self: Answerer;
  /** True for a conversation that this process answers. */
  readonly isActive: (conversationId: string) => boolean;
  readonly reportError: (error: unknown) => void;
}

export interface AbandonedWatch {
  /** Marks what is abandoned by now. Never rejects: while the database is away nothing is marked. */
  look(): Promise<void>;
}

interface Sighting {
  readonly aliveAt: number | null;
  readonly seenAt: number;
  readonly silentMs: number;
}

export function createAbandonedWatch(deps: AbandonedDeps): AbandonedWatch {
  const { conversations, clock, health, self } = deps;
  let sightings = new Map<string, Sighting>();
  let looking: Promise<void> | undefined;

  /** @returns for how long it has been silent. */
  function silence({ aliveAt }: AnswerUnderWay, last: Sighting | undefined, now: number): number {
    if (last === undefined || last.aliveAt !== aliveAt) return 0;
    return last.silentMs + Math.max(0, Math.min(now - last.seenAt, LOOK_MS_MAX));
  }

  /** Also for one of this process that is not active: its end could not be stored. */
  function hasEnded({ answeredBy }: AnswerUnderWay): boolean {
    return answeredBy !== null && (answeredBy === self.name || self.hasEnded(answeredBy));
  }

  async function breakOffSilent(answer: AnswerUnderWay, now: number): Promise<void> {
    const isSilent = (aliveAt: number | null) =>
      aliveAt === answer.aliveAt && clock.now() - now < TURN_MS_MAX;
    await conversations.breakOff(answer, "interrupted", isSilent);
    // What was not marked has to be silent for as long again.
    sightings.delete(keyOf(answer));
  }

  async function lookOnce(): Promise<void> {
    if (health().state !== "ok") {
      sightings.clear();
      return;
    }
    const found = (await conversations.underWay()).filter(
      ({ conversationId }) => !deps.isActive(conversationId),
    );
    const now = clock.now();
    const last = sightings;
    sightings = new Map();
    for (const answer of found) {
      const key = keyOf(answer);
      const silentMs = silence(answer, last.get(key), now);
      sightings.set(key, { aliveAt: answer.aliveAt, seenAt: now, silentMs });
    }
    await Promise.all(
      found.map(async (answer) => {
        if (hasEnded(answer)) {
          await conversations.breakOff(answer, "interrupted");
        } else if ((sightings.get(keyOf(answer))?.silentMs ?? 0) >= SILENT_MS_MAX) {
          await breakOffSilent(answer, now);
        }
      }),
    );
  }

  return {
    look() {
      looking ??= lookOnce()
        .catch((error: unknown) => {
          // Said on every page while it lasts, and looked for again with the next one.
          if (health().state === "ok") deps.reportError(error);
        })
        .finally(() => {
          looking = undefined;
        });
      return looking;
    },
  };
}

function keyOf({ conversationId, ordinal }: AnswerUnderWay): string {
  return `${conversationId}/${ordinal}`;
}
