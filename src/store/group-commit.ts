/**
 * Group commit: writes that arrive while one transaction is pending share the next one.
 *
 * Guarantees:
 * - A write's promise resolves only after COMMIT returned, with `synchronous=FULL` thus after the data
 *   reached the disk. Writes are executed in the order in which they were asked for.
 * - Members of a group are independent: one that throws changes nothing and rejects alone. A group is
 *   first run without savepoints; if a member throws, all is rolled back and each runs again in its own
 *   savepoint. A member may therefore run twice, and must do nothing but read and write the database.
 * - What members add to sums is written once for all of them, before COMMIT: see sum-write.ts.
 * - When BEGIN or COMMIT fails, nothing of the group is kept and every member rejects.
 * - A lock held by another process is waited for without blocking the thread, see lock.ts.
 *
 * Nothing else on the connection runs between BEGIN and COMMIT: both happen in one turn of the event
 * loop, so reads on the same connection only ever see committed data.
 */
import type { Database } from "bun:sqlite";
import { isStorageFailure } from "./error.ts";
import { waitForLock } from "./lock.ts";
import { defineStatement } from "./statement.ts";
import { countSums, forgetSums, writeSums } from "./sum-write.ts";

/** Writes in one transaction; the rest goes into the next. */
const MEMBER_COUNT_MAX = 512;

export interface GroupCommit {
  /** @throws what `work` throws, or the untranslated failure of BEGIN or COMMIT. */
  write<T>(work: () => T): Promise<T>;
  /** Resolves when all writes asked for so far are settled. */
  idle(): Promise<void>;
}

interface Member {
  /** Executes the write. @returns what reports its success after COMMIT. */
  run(): () => void;
  reject(error: unknown): void;
}

const BEGIN = defineStatement<unknown, []>("BEGIN IMMEDIATE");
const COMMIT = defineStatement<unknown, []>("COMMIT");
const SAVE = defineStatement<unknown, []>("SAVEPOINT member");
const RELEASE = defineStatement<unknown, []>("RELEASE member");
const RESTORE = defineStatement<unknown, []>("ROLLBACK TO member");
const CHANGES = defineStatement<{ count: number }, []>("SELECT total_changes() AS count");

export interface GroupCommitOptions {
  /** Called after each transaction that changed something, before the promises resolve. */
  readonly onCommit: () => void;
  /** How long a lock of another process is waited for. */
  readonly lockWaitMs: number;
}

export function createGroupCommit(client: Database, options: GroupCommitOptions): GroupCommit {
  let queue: Member[] = [];
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // One turn of the event loop: every write that is ready to be asked for joins the group.
      // oxlint-disable-next-line no-await-in-loop -- Groups follow one another.
      await nextTurn();
      const members = queue.slice(0, MEMBER_COUNT_MAX);
      queue = queue.slice(MEMBER_COUNT_MAX);
      // oxlint-disable-next-line no-await-in-loop
      await commitGroup(client, members, options);
    }
    draining = undefined;
  }

  return {
    write: (work) =>
      new Promise((resolve, reject) => {
        const run = () => {
          const value = work();
          return () => resolve(value);
        };
        queue.push({ run, reject });
        draining ??= drain();
      }),
    idle: async () => draining,
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Never rejects: every outcome goes to the members. */
async function commitGroup(
  client: Database,
  members: readonly Member[],
  { onCommit, lockWaitMs }: GroupCommitOptions,
): Promise<void> {
  const attempt = createAttempt(client, lockWaitMs);
  // The reason reaches the caller of each write, translated there.
  try {
    const together = await attempt(() => members.map((member) => member.run()));
    if (together.changed) onCommit();
    for (const settle of together.result) settle();
    return;
  } catch (error) {
    if (isStorageFailure(error) || members.length === 1) {
      for (const member of members) member.reject(error);
      return;
    }
  }
  try {
    const apart = await attempt(() => members.map((member) => runApart(client, member)));
    if (apart.changed) onCommit();
    for (const settle of apart.result) settle();
  } catch (error) {
    for (const member of members) member.reject(error);
  }
}

/** One transaction around `work`; rolled back when anything fails. */
function createAttempt(client: Database, lockWaitMs: number) {
  return async <T>(work: () => T): Promise<{ result: T; changed: boolean }> => {
    await waitForLock(() => BEGIN(client).run(), lockWaitMs);
    try {
      const before = CHANGES(client).get()?.count;
      const result = work();
      writeSums(client);
      const changed = CHANGES(client).get()?.count !== before;
      COMMIT(client).run();
      return { result, changed };
    } finally {
      // SQLite has already rolled back after some failures.
      if (client.inTransaction) client.run("ROLLBACK");
      forgetSums(client);
    }
  };
}

/** Runs one member so that its failure is its own. @throws only when the storage fails. */
function runApart(client: Database, member: Member): () => void {
  SAVE(client).run();
  const sumCount = countSums(client);
  try {
    const settle = member.run();
    RELEASE(client).run();
    return settle;
  } catch (error) {
    if (isStorageFailure(error)) throw error;
    RESTORE(client).run();
    RELEASE(client).run();
    forgetSums(client, sumCount);
    return () => member.reject(error);
  }
}
