/** What agents remember, found by words: FTS5 ranks what has the most in common with a prompt. */
import type { Database } from "bun:sqlite";
import { and, count, desc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import {
  MEMORY_VALUE_CHARS_MAX,
  type Memory,
  type MemoryNamespace,
  type MemoryStore,
} from "../domain/memory.ts";
import type { Clock } from "../lib/clock.ts";
import { hasWords, searchWords } from "../lib/search-words.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { namespaceTerm, requireSize, saveMemory } from "./memory-write.ts";
import { heldPrefix } from "./run-words.ts";
import { memories } from "./schema.ts";
import { defineStatement } from "./statement.ts";

/** Rows of one answer, whatever is asked for. */
const ROW_COUNT_MAX = 1_000;
/** Different words of a text that are looked for: of a long prompt the first. */
const WORD_COUNT_MAX = 100;
/** A word in the key counts as much as this many in the value. */
const KEY_WEIGHT = 2;

type Row = typeof memories.$inferSelect;
type Scope = Parameters<MemoryStore["clear"]>[0];

const COLUMNS = `number, id, namespace, scope, agent, run_id AS runId, node_id AS nodeId,
  created_at AS createdAt, updated_at AS updatedAt, expires_at AS expiresAt, key, value`;
const RELEVANT = defineStatement<Row, [string, number, number]>(
  `SELECT ${COLUMNS} FROM memories JOIN (
     SELECT rowid AS found, bm25(memory_words, 0.0, ${KEY_WEIGHT}.0, 1.0) AS distance
     FROM memory_words WHERE memory_words MATCH ?
   ) ON number = found
   WHERE expires_at IS NULL OR expires_at > ?
   ORDER BY distance, updated_at DESC, number DESC LIMIT ?`,
);
const NEWEST = defineStatement<Row, [string, number, number]>(
  `SELECT ${COLUMNS} FROM memories WHERE namespace = ? AND (expires_at IS NULL OR expires_at > ?)
   ORDER BY updated_at DESC, number DESC LIMIT ?`,
);

/** Newest first, to be read as far as it is needed: what matches is never gathered. Null is no condition. */
const SEARCH = defineStatement<
  Row,
  [string, number, number, string | null, string | null, string | null]
>(
  `SELECT ${COLUMNS} FROM (
     SELECT memories.* FROM memory_words CROSS JOIN memories ON number = memory_words.rowid
     WHERE memory_words MATCH ?1 AND memory_words.rowid < ?2
       AND (expires_at IS NULL OR expires_at > ?3) AND (?4 IS NULL OR agent = ?4)
       AND (?5 IS NULL OR scope = ?5) AND (?6 IS NULL OR run_id = ?6)
     ORDER BY memory_words.rowid DESC
   )`,
);
/** The number of the entry, or of the oldest after it when it is gone meanwhile. */
const NUMBER = defineStatement<{ number: number | null }, [string]>(
  `SELECT coalesce((SELECT number FROM memories WHERE id = ?1),
     (SELECT min(number) FROM memories WHERE id > ?1)) AS number`,
);

const AGENTS = defineStatement<{ agent: string; count: number }, [number]>(
  `SELECT agent, alive AS count FROM (
     SELECT agent, count - (
       SELECT count(*) FROM memories WHERE expires_at IS NOT NULL AND expires_at <= ?
         AND +agent = memory_counts.agent
     ) AS alive FROM memory_counts
   ) WHERE alive > 0 ORDER BY agent`,
);

export function createMemoryStore(connection: Connection, clock: Clock): MemoryStore {
  return {
    recall: (namespace, query) =>
      connection.read(({ client }) => recall(client, { ...query, namespace, now: clock.now() })),
    list: ({ search, before, ...rest }) =>
      connection.read(({ client, db }) => {
        const filter = {
          ...rest,
          limit: Math.max(0, Math.min(rest.limit, ROW_COUNT_MAX)),
          below: before === undefined ? undefined : numberOf(client, before),
          now: clock.now(),
        };
        const words = search === undefined ? [] : searchWords(search).slice(0, WORD_COUNT_MAX);
        const rows = words.length === 0 ? listed(db, filter) : found(client, words, filter);
        return rows.map(toMemory);
      }),
    get: (id) => connection.read(({ db }) => find(db, id, clock.now())),
    save: (memory) => connection.write(({ client }) => saveMemory(client, memory, clock.now())),
    update: (id, value) =>
      connection.write(({ db }) => {
        const now = clock.now();
        requireSize("value", value, MEMORY_VALUE_CHARS_MAX);
        const memory = mustFind(db, id, now);
        db.update(memories).set({ value, updatedAt: now }).where(eq(memories.id, id)).run();
        return { ...memory, value, updatedAt: now };
      }),
    remove: (id) =>
      connection.write(({ db }) => {
        const memory = mustFind(db, id, clock.now());
        db.delete(memories).where(eq(memories.id, id)).run();
        return memory;
      }),
    clear: (scope) =>
      connection.write(({ db }) => {
        const alive = db
          .select({ count: count() })
          .from(memories)
          .where(and(isAlive(clock.now()), ofScope(scope)))
          .get();
        db.delete(memories).where(ofScope(scope)).run();
        return alive?.count ?? 0;
      }),
    agents: () => connection.read(({ client }) => AGENTS(client).all(clock.now())),
  };
}

/** Those with words in common, best first; then the newest of the rest. */
function recall(
  client: Database,
  query: { namespace: MemoryNamespace; text: string; limit: number; now: number },
): Memory[] {
  const limit = Math.max(0, Math.min(query.limit, ROW_COUNT_MAX));
  const namespace = namespaceTerm(query.namespace);
  const words = wordsOf(query.text).map((word) => `"${word}"`);
  const match = `namespace : "${namespace}" AND {key value} : (${words.join(" OR ")})`;
  const relevant = words.length === 0 ? [] : RELEVANT(client).all(match, query.now, limit);
  if (relevant.length >= limit) return relevant.map(toMemory);
  const known = new Set(relevant.map((row) => row.number));
  const newest = NEWEST(client)
    .all(namespace, query.now, limit)
    .filter((row) => !known.has(row.number));
  return [...relevant, ...newest].slice(0, limit).map(toMemory);
}

/** Different words in lower case, as FTS5 divides them: letters and digits of any script. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return [...new Set(words)].slice(0, WORD_COUNT_MAX);
}

function isAlive(now: number) {
  return or(isNull(memories.expiresAt), gt(memories.expiresAt, now));
}

interface Page extends Scope {
  readonly limit: number;
  /** Entries with a smaller number only. */
  readonly below: number | undefined;
  readonly now: number;
}

function listed(db: Db, { limit, below, now, ...scope }: Page): Row[] {
  const isBelow = below === undefined ? undefined : lt(memories.number, below);
  return db
    .select()
    .from(memories)
    .where(and(isAlive(now), ofScope(scope), isBelow))
    .orderBy(desc(memories.number))
    .limit(limit)
    .all();
}

/** Entries that have each word, or one that begins so. */
function found(client: Database, words: readonly string[], page: Page): Row[] {
  const { agent = null, scope = null, runId = null } = page;
  const { below = Number.MAX_SAFE_INTEGER, now, limit } = page;
  const beginnings = words.map((word) => `"${heldPrefix(word)}" *`);
  const match = `{key value} : (${beginnings.join(" AND ")})`;
  const rows: Row[] = [];
  if (limit === 0) return rows;
  for (const row of SEARCH(client).iterate(match, below, now, agent, scope, runId)) {
    // The index holds beginnings of some lengths only.
    if (hasWords(`${row.key} ${row.value}`, words)) rows.push(row);
    if (rows.length === limit) break;
  }
  return rows;
}

function numberOf(client: Database, id: string): number {
  return NUMBER(client).get(id)?.number ?? Number.MAX_SAFE_INTEGER;
}

function ofScope({ agent, scope, runId }: Scope) {
  return and(
    agent === undefined ? undefined : eq(memories.agent, agent),
    scope === undefined ? undefined : eq(memories.scope, scope),
    runId === undefined ? undefined : eq(memories.runId, runId),
  );
}

function find(db: Db, id: string, now: number): Memory | undefined {
  const row = db
    .select()
    .from(memories)
    .where(and(eq(memories.id, id), isAlive(now)))
    .get();
  return row === undefined ? undefined : toMemory(row);
}

function mustFind(db: Db, id: string, now: number): Memory {
  const memory = find(db, id, now);
  if (memory !== undefined) return memory;
  throw new AppError("not_found", `There is no memory ${id}.`, {
    fix: "List what is there with `agents memory`.",
  });
}

function toMemory(row: Row): Memory {
  const { number: _, namespace: __, scope, agent, runId, nodeId, ...rest } = row;
  return { ...rest, namespace: { scope, agent, runId, nodeId } };
}
