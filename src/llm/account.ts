import { createHash } from "node:crypto";
import type { ModelAccount, ModelRequest } from "../domain/model.ts";
import { REAL_PROVIDERS } from "./registry.ts";
import type { ModelSettings } from "./settings.ts";

/** Enough that no two keys of one installation meet, and far too little to find one by. */
const HASH_LENGTH = 16;

/**
 * What the provider of a resolved model counts together: all that goes to one address with one key.
 * Undefined where nobody counts (the demo), or nothing can be sent.
 */
export function accountOf(
  { provider, apiBase }: Pick<ModelRequest, "provider" | "apiBase">,
  settings: ModelSettings,
): ModelAccount | undefined {
  if (provider === "demo") return undefined;
  const { baseUrl, apiKey = "" } = REAL_PROVIDERS[provider].connect(settings, apiBase);
  if (baseUrl === undefined) return undefined;
  const hash = createHash("sha256").update(`${baseUrl}\n${apiKey}`).digest("hex");
  return {
    name: `${provider}:${hash.slice(0, HASH_LENGTH)}`,
    limits: settings.own[provider]?.limits ?? settings.limits,
  };
}
