/**
 * The rules of runs and claims as a few plain objects: what the store must agree with. Written from
 * the contract in src/domain/run.ts, with no thought of rows or transactions.
 */
import type { Claim, RunState, StepState } from "../../../src/domain/run.ts";

const LEASE_MS = 15_000;

export interface ModelStep {
  key: string;
  attempt: number;
  state: StepState;
  epoch: number;
  recoveryCount: number;
  callCount: number;
}

export interface ModelRun {
  id: string;
  state: RunState;
  epoch: number;
  worker: string | null;
  dueAt: number | null;
  reservedFor: string | null;
  cancelRequested: boolean;
  activeMs: number;
  activeAt: number;
  values: Record<string, number>;
  steps: ModelStep[];
  events: string[];
}

export type Outcome = "ok" | "lease_lost" | "conflict" | "not_found";

const FINAL = new Set(["succeeded", "failed", "cancelled"]);

export class RunModel {
  readonly runs: ModelRun[] = [];
  nowMs = 0;

  create(id: string, reservedFor: string | null): void {
    if (this.find(id) !== undefined) return;
    this.runs.push({
      id,
      state: "queued",
      epoch: 0,
      worker: null,
      dueAt: reservedFor === null ? this.nowMs : this.nowMs + LEASE_MS,
      reservedFor,
      cancelRequested: false,
      activeMs: 0,
      activeAt: 0,
      values: {},
      steps: [],
      events: ["run.queued"],
    });
  }

  find(id: string): ModelRun | undefined {
    return this.runs.find((run) => run.id === id);
  }

  /** The ids that a fetch may give; with a limit the store may choose among those due equally long. */
  due(worker: string, only: string | undefined): ModelRun[] {
    return this.runs.filter((run) => {
      if (run.dueAt === null || (only !== undefined && run.id !== only)) return false;
      const mine = only !== undefined && run.state === "queued" && run.reservedFor === worker;
      return run.dueAt <= this.nowMs || mine;
    });
  }

  claim(run: ModelRun, worker: string): Claim | undefined {
    if (run.cancelRequested) {
      run.activeAt = this.nowMs;
      this.#end(run, "cancelled");
      return undefined;
    }
    const recovered = run.state === "running";
    run.epoch += 1;
    run.state = "running";
    run.worker = worker;
    run.reservedFor = null;
    run.dueAt = this.nowMs + LEASE_MS;
    run.activeAt = this.nowMs;
    run.events.push(recovered ? "run.recovered" : "run.started");
    return { runId: run.id, worker, epoch: run.epoch, recovered };
  }

  touch(claim: Claim): "held" | "cancelled" | "lost" {
    const run = this.#held(claim);
    if (run === undefined) return "lost";
    this.#count(run);
    run.dueAt = this.nowMs + LEASE_MS;
    return run.cancelRequested ? "cancelled" : "held";
  }

  release(claim: Claim): void {
    const run = this.#held(claim);
    if (run === undefined) return;
    if (run.cancelRequested) return this.#end(run, "cancelled");
    this.#leave(run, "queued", this.nowMs);
    run.events.push("run.queued");
  }

  releaseWorker(worker: string): number {
    const left = this.runs.filter(
      (run) => run.state === "running" && run.worker === worker && (run.dueAt ?? 0) > this.nowMs,
    );
    for (const run of left) run.dueAt = this.nowMs;
    return left.length;
  }

  requestCancel(id: string): Outcome {
    const run = this.find(id);
    if (run === undefined) return "not_found";
    if (FINAL.has(run.state)) return "ok";
    if (run.state !== "running" || (run.dueAt ?? 0) <= this.nowMs) this.#end(run, "cancelled");
    else if (!run.cancelRequested) {
      run.cancelRequested = true;
      run.events.push("run.cancelling");
    }
    return "ok";
  }

  startStep(claim: Claim, key: string, attempt: number): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    const step = this.#step(run, key, attempt);
    if (step === undefined) {
      const { epoch } = run;
      run.steps.push({ key, attempt, state: "running", epoch, recoveryCount: 0, callCount: 0 });
      run.events.push("step.started");
    } else if (step.state !== "running") {
      return "conflict";
    } else if (step.epoch !== run.epoch) {
      step.epoch = run.epoch;
      // A claim that was given back in order says nothing against the step.
      if (claim.recovered) step.recoveryCount += 1;
      run.events.push("step.started");
    }
    return "ok";
  }

  recordCall(claim: Claim, call: { key: string; attempt: number; ordinal: number }): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    const step = this.#step(run, call.key, call.attempt);
    if (step === undefined) return "not_found";
    if (step.state !== "running") return "conflict";
    if (call.ordinal < step.callCount) return "ok";
    step.callCount += 1;
    run.events.push("model.delta");
    return "ok";
  }

  nextOrdinal(runId: string, key: string, attempt: number): number {
    const run = this.find(runId);
    return (run === undefined ? undefined : this.#step(run, key, attempt))?.callCount ?? 0;
  }

  succeedStep(
    claim: Claim,
    step: { key: string; attempt: number; value: number },
    last: boolean,
  ): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    const known = this.#step(run, step.key, step.attempt);
    if (known === undefined) return "not_found";
    if (known.state === "succeeded") return "ok";
    if (known.state !== "running") return "conflict";
    known.state = "succeeded";
    run.values[step.key] = step.value;
    run.events.push("step.succeeded");
    if (last) this.#end(run, "succeeded");
    return "ok";
  }

  failStep(
    claim: Claim,
    step: { key: string; attempt: number },
    retry: { at: number; inPlace: boolean } | undefined,
  ): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    const known = this.#step(run, step.key, step.attempt);
    if (known === undefined) return "not_found";
    if (known.state === "failed") return "ok";
    if (known.state !== "running") return "conflict";
    known.state = "failed";
    run.events.push("step.failed");
    if (retry === undefined) this.#end(run, "failed");
    else if (!retry.inPlace && run.cancelRequested) this.#end(run, "cancelled");
    else if (!retry.inPlace) {
      this.#leave(run, "waiting", retry.at);
      run.events.push("run.waiting");
    }
    return "ok";
  }

  end(claim: Claim, state: "failed" | "cancelled"): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    this.#end(run, state);
    return "ok";
  }

  nextDueAt(): number | undefined {
    const dues = this.runs.flatMap((run) => (run.dueAt === null ? [] : [run.dueAt]));
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  #held(claim: Claim): ModelRun | undefined {
    const run = this.find(claim.runId);
    const held =
      run?.state === "running" && run.epoch === claim.epoch && run.worker === claim.worker;
    return held ? run : undefined;
  }

  #step(run: ModelRun, key: string, attempt: number): ModelStep | undefined {
    return run.steps.find((step) => step.key === key && step.attempt === attempt);
  }

  #count(run: ModelRun): void {
    run.activeMs += Math.max(0, Math.min(LEASE_MS, this.nowMs - run.activeAt));
    run.activeAt = this.nowMs;
  }

  #leave(run: ModelRun, state: RunState, dueAt: number | null): void {
    if (run.state === "running") this.#count(run);
    run.state = state;
    run.dueAt = dueAt;
    run.worker = null;
  }

  #end(run: ModelRun, state: "succeeded" | "failed" | "cancelled"): void {
    for (const step of run.steps) if (step.state === "running") step.state = "cancelled";
    this.#leave(run, state, null);
    if (state === "cancelled") run.cancelRequested = true;
    run.events.push(`run.${state}`);
  }
}
