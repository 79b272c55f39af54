import type { Wait } from "../domain/run.ts";

/**
 * An attempt stops here for now and goes on later with its finished calls, as the same attempt: nobody has
 * failed. The run holds no worker meanwhile.
 */
export class StepPostponed extends Error {
  override readonly name = "StepPostponed";
  readonly wait: Extract<Wait, { for: "rate_limit" | "budget" }>;

  constructor(wait: Extract<Wait, { for: "rate_limit" | "budget" }>) {
    super(`step postponed: ${wait.for}`);
    this.wait = wait;
  }
}
