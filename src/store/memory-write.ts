/** How an entry of memory is written: also by a step, in the transaction in which it succeeds. */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import {
  MEMORY_ENTRY_COUNT_MAX,
  MEMORY_KEY_CHARS_MAX,
  MEMORY_VALUE_CHARS_MAX,
  type Memory,
  type MemoryNamespace,
  type NewMemory,
} from "../domain/memory.ts";
import { newId } from "../lib/id.ts";
import { defineStatement } from "./statement.ts";

/** Expired entries that one write removes, of all namespaces. */
const EXPIRED_COUNT_MAX = 100;

const SAVE = defineStatement<
  { id: string; createdAt: number },
  [
    ...[string, string, string, string, string | null, string | null],
    ...[number, number, number | null, string, string],
  ]
>(
  `INSERT INTO memories (id, namespace, scope, agent, run_id, node_id, created_at, updated_at,
     expires_at, key, value)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value,
     updated_at = excluded.updated_at, expires_at = excluded.expires_at
   RETURNING id, created_at AS createdAt`,
);
const FORGET_EXPIRED = defineStatement<unknown, [number, number]>(
  `DELETE FROM memories WHERE number IN
     (SELECT number FROM memories WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)`,
);
const FORGET_EXPIRED_HERE = defineStatement<unknown, [string, number]>(
  "DELETE FROM memories WHERE namespace = ? AND expires_at <= ?",
);
const FORGET_OLDEST = defineStatement<unknown, [string, number]>(
  `DELETE FROM memories WHERE number IN
     (SELECT number FROM memories WHERE namespace = ?
      ORDER BY updated_at DESC, number DESC LIMIT -1 OFFSET ?)`,
);

/** One term that names a namespace in indexes: letters and digits only. */
export function namespaceTerm(namespace: MemoryNamespace): string {
  const { scope, agent, runId, nodeId } = namespace;
  const text = JSON.stringify([scope, agent, runId, nodeId]);
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32);
}

/** @throws AppError `too_large`. */
export function saveMemory(client: Database, memory: NewMemory, now: number): Memory {
  const { namespace, key, value, maxEntries, expiresAt } = memory;
  requireSize("key", key, MEMORY_KEY_CHARS_MAX);
  requireSize("value", value, MEMORY_VALUE_CHARS_MAX);
  const term = namespaceTerm(namespace);
  // First, so that an entry whose time is over is not renewed, nor takes the place of another.
  FORGET_EXPIRED_HERE(client).run(term, now);
  FORGET_EXPIRED(client).run(now, EXPIRED_COUNT_MAX);
  const { scope, agent, runId, nodeId } = namespace;
  const saved = SAVE(client).get(
    ...([newId(now), term, scope, agent, runId, nodeId, now, now, expiresAt, key, value] as const),
  );
  // An insert with RETURNING gives a row, whether it inserts or updates.
  if (saved === null) throw new AppError("internal", "Internal error.");
  const keptCount = Math.max(1, Math.min(maxEntries, MEMORY_ENTRY_COUNT_MAX));
  FORGET_OLDEST(client).run(term, keptCount);
  return { ...saved, namespace, key, value, updatedAt: now, expiresAt };
}

/** @throws AppError `too_large`. */
export function requireSize(what: "key" | "value", text: string, charCountMax: number): void {
  if (text.length <= charCountMax) return;
  throw new AppError(
    "too_large",
    `The ${what} of a memory has more than ${charCountMax} characters.`,
    {
      fix: "Shorten it, or keep it as several entries.",
    },
  );
}
