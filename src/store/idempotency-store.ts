import { and, eq, inArray, isNull, lte } from "drizzle-orm";
import {
  IDEMPOTENCY_KEPT_MS,
  type IdempotencyState,
  type IdempotencyStore,
} from "../domain/idempotent-answer.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { idempotentAnswers as answers } from "./schema.ts";

/** Old answers that one request removes. */
const EXPIRED_COUNT_MAX = 100;

export function createIdempotencyStore(connection: Connection, clock: Clock): IdempotencyStore {
  return {
    begin: (key, requestDigest) =>
      connection.write(({ db }) => begin(db, { key, requestDigest, now: clock.now() })),
    async finish(key, answer) {
      await connection.write(({ db }) => {
        db.update(answers).set(answer).where(eq(answers.key, key)).run();
      });
    },
    async abandon(key) {
      await connection.write(({ db }) => {
        db.delete(answers)
          .where(and(eq(answers.key, key), isNull(answers.status)))
          .run();
      });
    },
  };
}

function begin(
  db: Db,
  { key, requestDigest, now }: { key: string; requestDigest: string; now: number },
): IdempotencyState {
  const expired = lte(answers.createdAt, now - IDEMPOTENCY_KEPT_MS);
  db.delete(answers)
    .where(and(eq(answers.key, key), expired))
    .run();
  const old = db.select({ key: answers.key }).from(answers).where(expired).limit(EXPIRED_COUNT_MAX);
  db.delete(answers).where(inArray(answers.key, old)).run();
  const known = db.select().from(answers).where(eq(answers.key, key)).get();
  if (known === undefined) {
    db.insert(answers).values({ key, requestDigest, createdAt: now }).run();
    return { state: "begun", startedAt: now };
  }
  const { status, location, body, createdAt: startedAt } = known;
  if (known.requestDigest !== requestDigest) return { state: "taken" };
  if (status === null) return { state: "open", startedAt };
  return { state: "answered", answer: { status, location, body: body ?? "" } };
}
