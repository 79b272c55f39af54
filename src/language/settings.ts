/** Model settings, retries and time limits: what a node says over what the workflow says. */
import {
  type LlmSettings,
  type NodeKind,
  type ModelChoice,
  PROVIDERS,
  type ProviderName,
  REASONING_LEVELS,
  RETRY_REASONS,
  type RetryPolicy,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { parseDurationMs } from "../lib/duration.ts";
import type { Json } from "../lib/json.ts";
import { listOf, member, numberOf, textOf } from "./raw.ts";

export const ATTEMPT_COUNT_DEFAULT = 3;
export const RETRY_DELAY_MS_DEFAULT = 1000;

/** Model names that only one provider has. `gpt-oss` is not one: it is served by everybody. */
const OWN_MODELS: readonly (readonly [RegExp, ProviderName])[] = [
  [/^gemini-/, "google"],
  [/^(?:gpt-(?!oss)|chatgpt-|o[1-9](?:-|$))/, "openai"],
  [/^claude-/, "anthropic"],
];

/**
 * A node's `llm` over `config.llm`, key by key; without a provider, the one that the model's name
 * tells. `api_base` belongs to a provider: a node that has another one does not take it over.
 */
export function readLlm(base: Json | undefined, own: Json | undefined): LlmSettings {
  const pick = (key: string) => member(own, key) ?? member(base, key);
  const model = textOf(pick("model"));
  const provider = providerNamed(pick("provider")) ?? providerOf(model);
  const baseProvider =
    providerNamed(member(base, "provider")) ?? providerOf(textOf(member(base, "model")));
  const isOther = baseProvider !== undefined && baseProvider !== provider;
  const reasoning = pick("reasoning");
  return {
    fallbacks: listOf(pick("fallbacks")).map(readChoice),
    ...defined({
      provider,
      model,
      temperature: numberOf(pick("temperature")),
      maxTokens: numberOf(pick("max_tokens")),
      reasoning: REASONING_LEVELS.find((level) => level === reasoning),
      apiBase: textOf(isOther ? member(own, "api_base") : pick("api_base")),
    }),
  };
}

function readChoice(raw: Json): ModelChoice {
  const model = textOf(member(raw, "model"));
  const provider = providerNamed(member(raw, "provider")) ?? providerOf(model);
  return defined({ provider, model, apiBase: textOf(member(raw, "api_base")) });
}

function providerNamed(name: Json | undefined): ProviderName | undefined {
  return PROVIDERS.find((provider) => provider === name);
}

function providerOf(model: string | undefined): ProviderName | undefined {
  return OWN_MODELS.find(([pattern]) => model !== undefined && pattern.test(model))?.[1];
}

const WAITING_KINDS: ReadonlySet<NodeKind> = new Set(["approval", "wait", "workflow"]);

/** A node's `retry` over `config.execution.max_retries`, which counts all tries (0 is one, as nobody wants none). */
export function readRetry(
  execution: Json | undefined,
  own: Json | undefined,
  kind: NodeKind,
): RetryPolicy {
  // A person, a signal or a run has had its time already: asking again is for the author to say.
  const tries = WAITING_KINDS.has(kind)
    ? 1
    : (numberOf(member(execution, "max_retries")) ?? ATTEMPT_COUNT_DEFAULT);
  const backoff = textOf(member(own, "backoff"));
  const delaySeconds = numberOf(member(own, "delay"));
  const on = member(own, "on");
  const stated = typeof on === "string" ? [on] : listOf(on);
  const reasons = RETRY_REASONS.filter((reason) => stated.includes(reason));
  return {
    maxAttempts: Math.max(1, numberOf(member(own, "max_attempts")) ?? tries),
    backoff: backoff === "linear" || backoff === "fixed" ? backoff : "exponential",
    delayMs: delaySeconds === undefined ? RETRY_DELAY_MS_DEFAULT : toMs(delaySeconds),
    on: reasons.length === 0 ? RETRY_REASONS : reasons,
  };
}

/** The `timeout` of a map, as milliseconds; undefined when none is stated. */
export function readTimeoutMs(owner: Json | undefined): number | undefined {
  return readDurationMs(member(owner, "timeout"));
}

/** Seconds, or a text such as `2h`, as milliseconds; undefined when it is neither. */
export function readDurationMs(value: Json | undefined): number | undefined {
  const seconds = numberOf(value);
  if (seconds !== undefined) return Math.max(1, toMs(seconds));
  const ms = typeof value === "string" ? parseDurationMs(value) : undefined;
  return ms === undefined ? undefined : Math.max(1, ms);
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
