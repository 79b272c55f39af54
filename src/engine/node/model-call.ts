/**
 * One model call: checkpointed, and read back from the journal when it is there. Before it goes out it is
 * looked for in the response cache, weighed against the budget, and takes its turn at the provider.
 */
import { AppError } from "../../domain/error.ts";
import type { RunEvent } from "../../domain/event.ts";
import type { ModelAnswer, ModelEvent } from "../../domain/model.ts";
import { abortable } from "../../lib/abortable.ts";
import { NO_USAGE } from "../call-log.ts";
import { fromErrorRecord, toErrorRecord } from "../failure.ts";
import type { StepContext } from "./executor.ts";
import type { ModelChain, ResolvedModel } from "./model-chain.ts";
import {
  answerFromJson,
  answerToJson,
  cacheKey,
  type JournaledAnswer,
  type Question,
  requestToJson,
} from "./model-json.ts";
import { blockTurns, createInsisting, withTurn } from "./model-turn.ts";

/** They cost nothing, however a call ends. */
const FREE_PROVIDERS: ReadonlySet<string> = new Set(["demo", "ollama"]);

export interface Answer extends JournaledAnswer {
  /** The attempt that made the call: an earlier one when the answer came from the journal. */
  readonly madeInAttempt: number;
}

export interface ModelCall {
  readonly ordinal: number;
  /** What to ask a model; made only when the call is not in the journal. */
  readonly ask: (model: ResolvedModel) => Promise<Question>;
  /** Which answers are worth keeping for equal requests; undefined: none, and none is looked for. */
  readonly isKept: ((answer: JournaledAnswer) => boolean) | undefined;
}

type Place = Pick<Extract<RunEvent, { type: "model.started" }>, "step" | "attempt" | "call">;

/** @throws AppError as the provider failed, StepPostponed, or the signal's reason. */
export async function callModel(
  step: StepContext,
  chain: ModelChain,
  call: ModelCall,
): Promise<Answer> {
  const { ordinal } = call;
  const place: Place = { step: step.key, attempt: step.attempt, call: ordinal };
  // Which model is asked, and with what, is known when one has answered.
  const unknown = { name: "", request: null } as const;
  const made = await step.calls.perform({ ordinal, kind: "model", ...unknown }, () =>
    chain.use(
      async (model) => answerQuestion(step, { question: await call.ask(model), place, call }),
      ({ provider, model, error }) => {
        const record = toErrorRecord(error, step.redact);
        step.calls.emit({ type: "model.fallback", ...place, provider, model, error: record });
      },
    ),
  );
  return { ...answerFromJson(made.result), madeInAttempt: made.attempt };
}

interface Asked {
  readonly question: Question;
  readonly place: Place;
  readonly call: ModelCall;
}

async function answerQuestion(step: StepContext, asked: Asked) {
  const { question, call } = asked;
  const { provider, model } = question;
  const key = call.isKept === undefined || provider === "demo" ? undefined : cacheKey(question);
  const known = key === undefined ? undefined : await lookUp(step, key);
  const answer = known ?? (await goOut(step, asked));
  if (known !== undefined)
    step.calls.emit({ type: "model.started", ...asked.place, provider, model });
  else if (key !== undefined && isWorthKeeping(call, answer)) await keep(step, key, answer);
  const usage = known === undefined ? answer.usage : NO_USAGE;
  const costNanoUsd = known === undefined ? answer.costNanoUsd : 0;
  return {
    name: model,
    request: requestToJson(question),
    result: answerToJson(answer),
    usage,
    costNanoUsd,
    finished: (durationMs: number): RunEvent => ({
      type: "model.finished",
      ...asked.place,
      usage,
      costNanoUsd,
      durationMs,
      ...(known === undefined ? {} : { cached: true }),
    }),
  };
}

function isWorthKeeping({ isKept }: ModelCall, answer: ModelAnswer): boolean {
  const isWhole = answer.finish === "stop" || answer.finish === "tool_calls";
  return isWhole && isKept?.(answer) === true;
}

async function lookUp(step: StepContext, key: string): Promise<ModelAnswer | undefined> {
  const { cache } = step;
  return createInsisting(step)(() => cache.get(key));
}

async function keep({ cache }: StepContext, key: string, answer: ModelAnswer): Promise<void> {
  // It is paid and about to be journaled; that the next one pays again is no reason to fail.
  await cache.put(key, answer).catch(() => undefined);
}

async function goOut(step: StepContext, { question, place }: Asked): Promise<ModelAnswer> {
  const { signal } = step;
  const { provider, model, apiBase } = question;
  const account = step.models.accountOf({
    provider,
    ...(apiBase === undefined ? {} : { apiBase }),
  });
  const release = await step.reserveBudget(question);
  const made = withTurn(step, account, async () => {
    step.calls.emit({ type: "model.started", ...place, provider, model });
    let begun = false;
    const onText = (text: string) => {
      begun = true;
      if (!signal.aborted) step.calls.emit({ type: "model.delta", ...place, text });
    };
    const stream = step.models.call({ ...question, signal });
    try {
      return await abortable(signal, readStream(stream, onText));
    } catch (error) {
      if (begun && !FREE_PROVIDERS.has(provider)) step.calls.addBroken();
      if (account !== undefined && error instanceof AppError)
        await blockTurns(step, account, error);
      throw error;
    }
  });
  return made.finally(release);
}

async function readStream(
  stream: AsyncIterable<ModelEvent>,
  onText: (text: string) => void,
): Promise<ModelAnswer> {
  for await (const event of stream) {
    if (event.type === "text") onText(event.text);
    else if (event.reason === "finished") return event.answer;
    else if (event.reason === "failed") throw fromErrorRecord(event.error, event.retryAfterMs);
    else break;
  }
  throw new AppError("provider_unavailable", "The model's answer broke off.", {
    fix: "Try again; when it stays, check the provider's status page.",
  });
}
