/**
 * The models that a node may ask, in order: its own and its fallbacks. The next one is asked when the one
 * before it cannot be used now. A model that has taken over stays for the rest of the attempt, so that one
 * conversation is not torn between models; the next attempt begins with the first again.
 */
import { AppError, type ErrorCode } from "../../domain/error.ts";
import type { ModelRequest } from "../../domain/model.ts";
import type { RunOverrides } from "../../domain/run.ts";
import type { LlmSettings, ModelChoice } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import { assert } from "../../lib/assert.ts";
import { defined } from "../../lib/defined.ts";
import { StepPostponed } from "../postponed.ts";
import type { StepContext } from "./executor.ts";

/** Failures of one model that another may not have. */
const REPLACEABLE: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "provider_unreachable",
  "provider_unavailable",
  "timeout",
  "missing_key",
  "key_rejected",
  "unknown_model",
]);

export type ResolvedModel = Pick<ModelRequest, "provider" | "model" | "apiBase">;

export interface ModelChain {
  /** The first model that can be used as far as is known without asking it. @throws AppError of the first. */
  first(): Promise<ResolvedModel>;
  /**
   * What `use` makes of the model in turn. When it fails as another model may not, `onFallback` is told
   * and the next is tried.
   * @throws AppError of the first that failed, with the shortest delay that any has asked for; StepPostponed
   * when one of them only had no turn free; what `use` throws for other reasons.
   */
  use<T>(
    use: (model: ResolvedModel) => Promise<T>,
    onFallback: (failed: FailedModel) => void,
  ): Promise<T>;
}

export interface FailedModel {
  readonly provider: string;
  readonly model: string;
  readonly error: AppError;
}

export function createModelChain(step: StepContext, choices: readonly ModelChoice[]): ModelChain {
  const resolved = new Map<number, Promise<ResolvedModel>>();
  const resolve = (index: number): Promise<ResolvedModel> => {
    const known = resolved.get(index);
    if (known !== undefined) return known;
    const choice = choices[index];
    assert(choice !== undefined, "a model chain has no such model");
    const promise = abortable(step.signal, step.models.resolve(choice));
    resolved.set(index, promise);
    return promise;
  };
  /** The one that is asked now. */
  let current = 0;

  async function tryFrom<T>(
    from: number,
    attempt: (index: number) => Promise<T>,
    onFailed: (index: number, error: AppError | StepPostponed) => void,
  ): Promise<T> {
    const failures: (AppError | StepPostponed)[] = [];
    for (let index = from; index < choices.length; index += 1) {
      try {
        // The next is only for what the one before it could not do.
        // oxlint-disable-next-line no-await-in-loop
        return await attempt(index);
      } catch (error) {
        if (step.signal.aborted || !isReplaceable(error)) throw error;
        failures.push(error);
        if (index + 1 < choices.length) onFailed(index, error);
      }
    }
    throw allFailed(failures);
  }

  return {
    first: () => tryFrom(current, resolve, () => undefined),
    use: (use, onFallback) =>
      tryFrom(
        current,
        async (index) => use(await resolve(index)),
        (index, error) => {
          current = index + 1;
          const { provider = "default", model = "default" } = choices[index] ?? {};
          onFallback({ provider, model, error: toAppError(error, step) });
        },
      ),
  };
}

function isReplaceable(error: unknown): error is AppError | StepPostponed {
  if (error instanceof StepPostponed) return error.wait.for === "rate_limit";
  return error instanceof AppError && REPLACEABLE.has(error.code);
}

function allFailed(failures: readonly (AppError | StepPostponed)[]): Error {
  // A turn will come: then the attempt goes on as if nothing had happened.
  const turns = failures.flatMap((failure) =>
    failure instanceof StepPostponed && failure.wait.for === "rate_limit"
      ? [failure.wait.untilMs]
      : [],
  );
  if (turns.length > 0)
    return new StepPostponed({ for: "rate_limit", untilMs: Math.min(...turns) });
  const errors = failures.filter((failure) => failure instanceof AppError);
  const [first] = errors;
  assert(first !== undefined, "no model failed and none answered");
  const delays = errors.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  if (delays.length === 0 || errors.length === 1) return first;
  const { code, message, fix, cause } = first;
  const retryAfterMs = Math.min(...delays);
  return new AppError(code, message, { ...defined({ fix, cause }), retryAfterMs });
}

function toAppError(error: AppError | StepPostponed, { clock }: StepContext): AppError {
  if (error instanceof AppError) return error;
  const untilMs = error.wait.for === "rate_limit" ? error.wait.untilMs : clock.now();
  const seconds = Math.max(1, Math.ceil((untilMs - clock.now()) / 1_000));
  return new AppError("rate_limited", `No turn is free there for another ${seconds} s.`);
}

/**
 * What a node asks for, in order, under the settings of the run. A model and an address belong to the
 * provider that the node names: a run that names another one gets that provider's own. A run that names
 * its provider or model wants that one, so only fallbacks at the same provider stay.
 */
export function chooseModels(llm: LlmSettings, overrides: RunOverrides): readonly ModelChoice[] {
  const provider = overrides.provider ?? llm.provider;
  const keeps = provider === llm.provider || (llm.provider === undefined && provider !== "demo");
  const first = defined({
    provider,
    model: overrides.model ?? (keeps ? llm.model : undefined),
    apiBase: keeps ? llm.apiBase : undefined,
  });
  // A fallback that names no provider is another model at the same place.
  const { provider: own, apiBase } = llm;
  const fallbacks = llm.fallbacks.map((choice) =>
    choice.provider === undefined ? { ...defined({ provider: own, apiBase }), ...choice } : choice,
  );
  const isChosen = overrides.provider !== undefined || overrides.model !== undefined;
  const kept = isChosen
    ? fallbacks.filter((choice) => choice.provider !== undefined && choice.provider === provider)
    : fallbacks;
  return [first, ...kept];
}
