/** Turns at a provider, which all workers share: taken before a call goes out, given back after it. */
import type { AppError } from "../../domain/error.ts";
import type { ModelAccount } from "../../domain/model.ts";
import { createPersist } from "../persist.ts";
import { StepPostponed } from "../postponed.ts";
import { RETRY_AFTER_MS_MAX } from "../retry.ts";
import type { StepContext } from "./executor.ts";

/** A turn that is free within this time is waited for; else the step is postponed and holds no worker. */
export const TURN_WAIT_MS_MAX = 2_000;
/** A turn that is said to be free at once is not asked for in a busy loop. */
const TURN_PAUSE_MS_MIN = 10;

/**
 * Makes a call with a turn at the account.
 * @throws StepPostponed when no turn is free soon; what `call` throws, or the signal's reason.
 */
export async function withTurn<T>(
  step: StepContext,
  account: ModelAccount | undefined,
  call: () => Promise<T>,
): Promise<T> {
  if (account === undefined) return call();
  const release = await takeTurn(step, account);
  try {
    step.signal.throwIfAborted();
    return await call();
  } finally {
    // A turn that is not given back is free again after a while; the answer is worth more.
    await release().catch(() => undefined);
  }
}

/** A delay that the provider has asked for holds for every worker. */
export async function blockTurns(
  { turns, clock }: StepContext,
  { name }: ModelAccount,
  { retryAfterMs }: AppError,
): Promise<void> {
  if (retryAfterMs === undefined || retryAfterMs <= 0) return;
  const untilMs = Math.ceil(clock.now() + Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
  // The others learn it from the provider themselves; the failure at hand is the one to report.
  await turns.block(name, untilMs).catch(() => undefined);
}

async function takeTurn(
  step: StepContext,
  { name, limits }: ModelAccount,
): Promise<() => Promise<void>> {
  const { clock, signal, turns } = step;
  const insist = createInsisting(step);
  const deadline = clock.now() + TURN_WAIT_MS_MAX;
  /* One look after the other is the point of waiting. */
  /* oxlint-disable no-await-in-loop */
  for (;;) {
    const turn = await insist(() => turns.take(name, limits));
    if (turn.taken) return () => turn.release();
    if (turn.retryAtMs > deadline)
      throw new StepPostponed({ for: "rate_limit", untilMs: Math.ceil(turn.retryAtMs) });
    await clock.sleep(Math.max(TURN_PAUSE_MS_MIN, turn.retryAtMs - clock.now()), signal);
    signal.throwIfAborted();
  }
  /* oxlint-enable no-await-in-loop */
}

/** Asks a database in trouble again until the attempt is over: its trouble is no failure of the step. */
export function createInsisting({ clock, signal }: StepContext) {
  // The writes of the same attempt report the trouble.
  return createPersist({ clock, random: Math.random, reportError: () => undefined, gone: signal });
}
