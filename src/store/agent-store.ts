import { and, asc, count, desc, eq, gt, like, or, sql } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import {
  AGENT_COUNT_MAX,
  type AgentStore,
  type RegisteredAgent,
} from "../domain/registered-agent.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { agents } from "./schema.ts";

/** Agents in one answer, whatever is asked for. */
const ROW_COUNT_MAX = 1_000;
/** Words of a search that count. */
const WORD_COUNT_MAX = 10;

/** When an agent that is not heard of counts as dead. */
const DEAD_AT = sql<number>`${agents.heartbeatAt} + ${agents.ttlSeconds} * 1000`;

/** As `isByHand` of the domain has it. */
const isNotByHand = sql`json_extract(${agents.metadata}, '$.registered_by') IS NOT 'hand'`;

/** At most AGENT_COUNT_MAX rows, so that a search may walk them all. */
export function createAgentStore(connection: Connection, clock: Clock): AgentStore {
  return {
    register: (agent) => connection.write(({ db }) => register(db, agent, clock.now())),
    heartbeat: (id) =>
      connection.write(({ db }) => {
        const [agent] = db
          .update(agents)
          .set({ heartbeatAt: clock.now() })
          .where(eq(agents.id, id))
          .returning()
          .all();
        if (agent === undefined) throw noAgent(id);
        return agent;
      }),
    get: (id) => connection.read(({ db }) => find(db, id)),
    findByName: (name) =>
      connection.read(({ db }) =>
        db
          .select()
          .from(agents)
          .where(eq(agents.name, name))
          .orderBy(desc(DEAD_AT), asc(agents.id))
          .limit(1)
          .get(),
      ),
    list: (filter) => connection.read(({ db }) => list(db, filter, clock.now())),
    remove: (id) =>
      connection.write(({ db }) => {
        const agent = find(db, id);
        if (agent === undefined) throw noAgent(id);
        db.delete(agents).where(eq(agents.id, id)).run();
        return agent;
      }),
    restore: (agent) =>
      connection.write(({ db }) => {
        db.insert(agents).values(agent).onConflictDoNothing().run();
      }),
    removeDeadBefore: (before) =>
      connection.write(
        ({ db }) =>
          db
            .delete(agents)
            .where(and(sql`${DEAD_AT} < ${before}`, isNotByHand))
            .returning({ id: agents.id })
            .all().length,
      ),
  };
}

type NewAgent = Parameters<AgentStore["register"]>[0];

function register(
  db: Db,
  agent: NewAgent,
  now: number,
): { agent: RegisteredAgent; created: boolean } {
  const known = find(db, agent.id);
  if (known === undefined && countOf(db) >= AGENT_COUNT_MAX) {
    throw new AppError("limit_reached", `There are ${AGENT_COUNT_MAX} agents already.`, {
      fix: "Remove those that are not needed any more.",
    });
  }
  const registered = { ...agent, registeredAt: known?.registeredAt ?? now, heartbeatAt: now };
  db.insert(agents)
    .values(registered)
    .onConflictDoUpdate({ target: agents.id, set: registered })
    .run();
  return { agent: registered, created: known === undefined };
}

function countOf(db: Db): number {
  return db.select({ count: count() }).from(agents).get()?.count ?? 0;
}

function find(db: Db, id: string): RegisteredAgent | undefined {
  return db.select().from(agents).where(eq(agents.id, id)).get();
}

function list(db: Db, filter: Parameters<AgentStore["list"]>[0], now: number): RegisteredAgent[] {
  const { search = "", after, limit } = filter;
  const words = search.split(/\s+/).filter((word) => word !== "");
  const last = after === undefined ? undefined : find(db, after);
  return db
    .select()
    .from(agents)
    .where(
      and(
        ...words.slice(0, WORD_COUNT_MAX).map(has),
        filter.isAlive === true ? gt(DEAD_AT, now) : undefined,
        // One that has gone meanwhile: the list begins anew.
        last === undefined
          ? undefined
          : sql`(${agents.name}, ${agents.id}) > (${last.name}, ${last.id})`,
      ),
    )
    .orderBy(asc(agents.name), asc(agents.id))
    .limit(Math.max(0, Math.min(limit, ROW_COUNT_MAX)))
    .all();
}

function has(word: string) {
  const pattern = `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return or(
    ...[agents.name, agents.url, agents.capabilities].map(
      (column) => sql`${like(column, pattern)} ESCAPE '\\'`,
    ),
  );
}

function noAgent(id: string): AppError {
  return new AppError("not_found", `There is no agent ${id}.`, {
    fix: "Register it first: POST /agents/register.",
  });
}
