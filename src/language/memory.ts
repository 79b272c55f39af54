/** What a model node remembers: its `memory` over `config.memory`, key by key. */
import { MEMORY_ENTRY_COUNT_DEFAULT } from "../domain/memory.ts";
import { MEMORY_SCOPES, type MemorySpec } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { member, numberOf } from "./raw.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Undefined where nothing is to be remembered. */
export function readMemory(base: Json | undefined, own: Json | undefined): MemorySpec | undefined {
  const pick = (key: string) => member(own, key) ?? member(base, key);
  if (pick("enabled") !== true) return undefined;
  const scope = pick("default_scope");
  const days = numberOf(pick("expires_after"));
  return {
    scope: MEMORY_SCOPES.find((known) => known === scope) ?? "agent",
    maxEntries: numberOf(pick("max_entries")) ?? MEMORY_ENTRY_COUNT_DEFAULT,
    ...(days === undefined ? {} : { expiresAfterMs: Math.round(days * DAY_MS) }),
  };
}
