/**
 * What agents remember. An entry belongs to a namespace; an entry with the same key in the same
 * namespace replaces the one before it.
 */
import type { MemoryScope } from "./workflow.ts";

export const MEMORY_VALUE_CHARS_MAX = 2_000;
export const MEMORY_KEY_CHARS_MAX = 200;
/** `max_entries` of a node that states none. */
export const MEMORY_ENTRY_COUNT_DEFAULT = 50;
export const MEMORY_ENTRY_COUNT_MAX = 1_000;

/** Who shares an entry: `agent` has neither run nor node, `workflow` the run, `node` both. */
export interface MemoryNamespace {
  readonly scope: MemoryScope;
  /** The workflow's name. */
  readonly agent: string;
  readonly runId: string | null;
  readonly nodeId: string | null;
}

export interface NewMemory {
  readonly namespace: MemoryNamespace;
  readonly key: string;
  readonly value: string;
  /** Of the namespace after this write; the oldest entries go. */
  readonly maxEntries: number;
  readonly expiresAt: number | null;
}

export interface Memory {
  readonly id: string;
  readonly namespace: MemoryNamespace;
  readonly key: string;
  readonly value: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
}

/** All methods @throws AppError `database_*`, `disk_full`, `read_only`. Expired entries are never returned. */
export interface MemoryStore {
  /**
   * Entries of a namespace for a prompt: the most relevant to the text first (words in common, ranked),
   * then the newest, at most `limit`.
   */
  recall(namespace: MemoryNamespace, query: { text: string; limit: number }): Promise<Memory[]>;
  /** Newest first; `search` finds words of key and value. Keyset: entries before the id `before`. */
  list(filter: {
    agent?: string;
    scope?: MemoryScope;
    runId?: string;
    search?: string;
    before?: string;
    limit: number;
  }): Promise<Memory[]>;
  get(id: string): Promise<Memory | undefined>;
  /** @throws AppError `too_large` above MEMORY_VALUE_CHARS_MAX. */
  save(memory: NewMemory): Promise<Memory>;
  /** Changes the value of an entry. @throws AppError `not_found`, `too_large`. */
  update(id: string, value: string): Promise<Memory>;
  /** @throws AppError `not_found`. @returns the entry that was removed, so that it can be put back. */
  remove(id: string): Promise<Memory>;
  /** @returns how many were removed. */
  clear(filter: { agent?: string; scope?: MemoryScope; runId?: string }): Promise<number>;
  /** Agents that have entries, by name, with their number. */
  agents(): Promise<{ readonly agent: string; readonly count: number }[]>;
}
