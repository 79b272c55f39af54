import { and, asc, eq, gt, isNotNull, max, type SQL } from "drizzle-orm";
import type { ServiceStatus, SystemStore } from "../domain/service.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { providerBlocks, runs, services, sessionState, settings } from "./schema.ts";

const SESSION_ID = 1;
/** Interrupted runs that are named; more are resumed all the same. */
const INTERRUPTED_RUN_COUNT_MAX = 1_000;
const PAUSE_COUNT_MAX = 20;

export function createSystemStore(connection: Connection): SystemStore {
  return {
    beginSession: (session) =>
      connection.write(({ db }) => {
        const before = selectSession(db);
        const interruptedRunIds = before === undefined || before.clean ? [] : selectRunningIds(db);
        const row = { ...session, clean: false, interruptedRunIds };
        db.insert(sessionState)
          .values({ id: SESSION_ID, ...row })
          .onConflictDoUpdate({ target: sessionState.id, set: row })
          .run();
        // Services of the last session do not exist any more.
        db.delete(services).run();
        return before?.record;
      }),
    async endSession() {
      await connection.write(({ db }) => {
        db.update(sessionState).set({ clean: true }).run();
      });
    },
    session: () => connection.read(({ db }) => selectSession(db)?.record),
    interruptedRunIds: () =>
      connection.read(({ db }) => selectSession(db)?.interruptedRunIds ?? []),
    async saveService(status) {
      await connection.write(({ db }) => {
        const { name: _, ...fields } = status;
        const last = db
          .select({ position: max(services.position) })
          .from(services)
          .get();
        db.insert(services)
          .values({ ...status, position: (last?.position ?? 0) + 1 })
          .onConflictDoUpdate({ target: services.name, set: fields })
          .run();
      });
    },
    services: () =>
      connection.read(({ db }) =>
        db.select().from(services).orderBy(asc(services.position)).all().map(toStatus),
      ),
    providerPauses: (nowMs) =>
      connection.read(({ db }) =>
        db
          .select()
          .from(providerBlocks)
          .where(gt(providerBlocks.untilAt, nowMs))
          .orderBy(asc(providerBlocks.account))
          .limit(PAUSE_COUNT_MAX)
          .all(),
      ),
    setting: (key) =>
      connection.read(
        ({ db }) => db.select().from(settings).where(eq(settings.key, key)).get()?.value,
      ),
    async setSetting(key, value) {
      await connection.write(({ db }) => {
        db.insert(settings)
          .values({ key, value })
          .onConflictDoUpdate({ target: settings.key, set: { value } })
          .run();
      });
    },
  };
}

function toStatus(row: typeof services.$inferSelect): ServiceStatus {
  const { position: _, ...status } = row;
  return status;
}

function selectSession(db: Db) {
  const row = db.select().from(sessionState).where(eq(sessionState.id, SESSION_ID)).get();
  if (row === undefined) return undefined;
  const { startedAt, pid, url, version, clean, interruptedRunIds } = row;
  return { record: { startedAt, pid, url, version, clean }, clean, interruptedRunIds };
}

/** What was under way: a worker that outlived its parent for a moment has given its runs back. */
function selectRunningIds(db: Db): string[] {
  const select = (condition: SQL | undefined) =>
    db
      .select({ id: runs.id })
      .from(runs)
      .where(condition)
      .orderBy(asc(runs.id))
      .limit(INTERRUPTED_RUN_COUNT_MAX)
      .all();
  const running = select(eq(runs.state, "running"));
  const givenBack = select(and(eq(runs.state, "queued"), isNotNull(runs.startedAt)));
  return [...running, ...givenBack]
    .map((row) => row.id)
    .toSorted()
    .slice(0, INTERRUPTED_RUN_COUNT_MAX);
}
