/**
 * The rules of runs and claims as a few plain objects: what the store must agree with. Written from
 * the contract in src/domain/run.ts, with no thought of rows or transactions.
 */
import type {
  Claim,
  RunState,
  RunTurn,
  StepState,
  StepWrite,
  Wait,
} from "../../../src/domain/run.ts";

const LEASE_MS = 15_000;

export interface ModelStep {
  key: string;
  attempt: number;
  state: StepState;
  epoch: number;
  recoveryCount: number;
  callCount: number;
  wait: Wait | null;
  next: readonly string[] | null;
  retryAt: number | null;
  startedSeq: number;
  endedSeq: number | null;
}

export interface ModelRun {
  id: string;
  parentId: string | null;
  state: RunState;
  epoch: number;
  worker: string | null;
  dueAt: number | null;
  waitingFor: string | null;
  reservedFor: string | null;
  cancelRequested: boolean;
  wakeCount: number;
  activeMs: number;
  activeAt: number;
  values: Record<string, number>;
  done: string[];
  steps: ModelStep[];
  signals: { name: string; consumedBy: string | null }[];
  events: string[];
}

export type Outcome = "ok" | "lease_lost" | "conflict" | "not_found";

type Write<Type extends StepWrite["type"]> = Extract<StepWrite, { type: Type }>;

/** Stops a write: nothing of it is kept. */
class Refused extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

/** What an attempt begins with. */
const BLANK = {
  state: "running",
  recoveryCount: 0,
  callCount: 0,
  wait: null,
  next: null,
  retryAt: null,
  endedSeq: null,
} as const;
const FINAL = new Set(["succeeded", "failed", "cancelled"]);
const OVER = new Set(["superseded", "failed", "cancelled"]);

export class RunModel {
  runs: ModelRun[] = [];
  nowMs = 0;

  create(id: string, reservedFor: string | null, parentId: string | null): Outcome {
    if (this.find(id) !== undefined) return "ok";
    if (parentId !== null) {
      const parent = this.find(parentId);
      if (parent === undefined) return "not_found";
      if (FINAL.has(parent.state) || parent.cancelRequested) return "conflict";
    }
    this.runs.push({
      id,
      parentId,
      state: "queued",
      epoch: 0,
      worker: null,
      dueAt: reservedFor === null ? this.nowMs : this.nowMs + LEASE_MS,
      waitingFor: null,
      reservedFor,
      cancelRequested: false,
      wakeCount: 0,
      activeMs: 0,
      activeAt: 0,
      values: {},
      done: [],
      steps: [],
      signals: [],
      events: ["run.queued"],
    });
    return "ok";
  }

  find(id: string): ModelRun | undefined {
    return this.runs.find((run) => run.id === id);
  }

  depth(run: ModelRun): number {
    const parent = run.parentId === null ? undefined : this.find(run.parentId);
    return parent === undefined ? 0 : this.depth(parent) + 1;
  }

  rootId(run: ModelRun): string {
    const parent = run.parentId === null ? undefined : this.find(run.parentId);
    return parent === undefined ? run.id : this.rootId(parent);
  }

  /** The runs that a fetch may give; with a limit the store may choose among those due equally long. */
  due(worker: string, only: string | undefined): ModelRun[] {
    return this.runs.filter((run) => {
      if (run.dueAt === null || !this.#isWithin(run, only)) return false;
      const mine = only !== undefined && run.state === "queued" && run.reservedFor === worker;
      return run.dueAt <= this.nowMs || mine;
    });
  }

  claim(run: ModelRun, worker: string): Claim | undefined {
    // An end before it in the same fetch may have taken this one with it.
    if (run.dueAt === null) return undefined;
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
    run.waitingFor = null;
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
      this.#cancelChildren(run);
    }
    return "ok";
  }

  signal(id: string, name: string): Outcome {
    const run = this.find(id);
    if (run === undefined) return "not_found";
    if (FINAL.has(run.state)) return "conflict";
    this.#receive(run, name, "signal.received");
    return "ok";
  }

  decide(id: string, key: string): Outcome {
    const run = this.find(id);
    if (run === undefined) return "not_found";
    const name = `approval:${key}`;
    const known = run.signals.filter((signal) => signal.name === name);
    const asks = run.steps.some((step) => step.key === key && step.wait?.for === "approval");
    if (!asks || known.some((signal) => signal.consumedBy === null)) {
      return known.length === 0 ? "not_found" : "conflict";
    }
    this.#receive(run, name, "approval.decided");
    return "ok";
  }

  /** `run key` of each. */
  pendingApprovals(): string[] {
    return this.runs.flatMap((run) =>
      run.steps
        .filter(({ key, wait }) => {
          const isOpen = (signal: ModelRun["signals"][number]) =>
            signal.name === `approval:${key}` && signal.consumedBy === null;
          return wait?.for === "approval" && !run.signals.some(isOpen);
        })
        .map((step) => `${run.id} ${step.key}`),
    );
  }

  resume(id: string, supersede: readonly string[]): Outcome {
    const run = this.find(id);
    if (run === undefined) return "not_found";
    const waits =
      run.state === "waiting" && ["timer", "rate_limit", "budget"].includes(run.waitingFor ?? "");
    const ended = run.state === "failed" || run.state === "cancelled";
    if (!waits && !ended && !(run.state === "succeeded" && supersede.length > 0)) return "conflict";
    for (const step of run.steps) {
      if (supersede.includes(step.key)) {
        Object.assign(step, { state: "superseded", wait: null, retryAt: null });
      } else this.#shorten(step);
    }
    for (const signal of run.signals) {
      const key = supersede.find((name) => signal.name === `approval:${name}`);
      if (key !== undefined) signal.consumedBy ??= key;
    }
    if (supersede.length > 0) {
      const done = run.steps.filter((step) => step.state === "succeeded");
      run.done = [...new Set(done.toSorted(byEnd).map((step) => step.key))];
    }
    // A run that had ended has its whole time limit again.
    if (run.state !== "waiting") run.activeMs = 0;
    Object.assign(run, { state: "queued", dueAt: this.nowMs, waitingFor: null });
    run.cancelRequested = false;
    run.wakeCount += 1;
    run.events.push("run.resumed");
    return "ok";
  }

  write(claim: Claim, steps: readonly StepWrite[], turn: RunTurn | undefined): Outcome {
    const before = structuredClone(this.runs);
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    try {
      for (const step of steps) this.#writeStep(run, claim, step);
      if (turn !== undefined) this.#turn(run, turn);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.runs = before;
      return error.outcome;
    }
    return "ok";
  }

  recordCall(claim: Claim, call: { key: string; attempt: number; ordinal: number }): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    const step = find(run, call.key, call.attempt);
    if (step === undefined) return "not_found";
    if (step.state !== "running") return "conflict";
    if (call.ordinal < step.callCount) return "ok";
    step.callCount += 1;
    run.events.push("model.delta");
    return "ok";
  }

  nextOrdinal(runId: string, key: string, attempt: number): number {
    const run = this.find(runId);
    return (run === undefined ? undefined : find(run, key, attempt))?.callCount ?? 0;
  }

  end(claim: Claim, state: "failed" | "cancelled"): Outcome {
    const run = this.#held(claim);
    if (run === undefined) return "lease_lost";
    this.#end(run, state);
    return "ok";
  }

  nextDueAt(only?: string): number | undefined {
    const within = this.runs.filter((run) => this.#isWithin(run, only));
    const dues = within.flatMap((run) => (run.dueAt === null ? [] : [run.dueAt]));
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  #isWithin(run: ModelRun, only: string | undefined): boolean {
    if (only === undefined || run.id === only) return true;
    // Roots only: a run in the middle has nothing inside of it by that name.
    return run.parentId !== null && this.rootId(run) === only;
  }

  #held(claim: Claim): ModelRun | undefined {
    const run = this.find(claim.runId);
    const held =
      run?.state === "running" && run.epoch === claim.epoch && run.worker === claim.worker;
    return held ? run : undefined;
  }

  #writeStep(run: ModelRun, claim: Claim, step: StepWrite): void {
    if (step.type === "start") return this.#start(run, claim, step);
    if (step.type === "skip") return this.#skip(run, step);
    const known = find(run, step.key, step.attempt);
    if (known === undefined) throw new Refused("not_found");
    const isOpen = known.state === "running" || known.state === "waiting";
    if (step.type === "wait") {
      if (!isOpen) throw new Refused("conflict");
      if (known.wait !== null && JSON.stringify(known.wait) === JSON.stringify(step.wait)) return;
      known.state = "waiting";
      known.wait = step.wait;
      run.events.push("step.waiting");
      return;
    }
    const state = step.type === "succeed" ? "succeeded" : "failed";
    if (known.state === state) return;
    if (!isOpen) throw new Refused("conflict");
    Object.assign(known, { state, wait: null, next: step.next });
    known.retryAt = step.type === "fail" ? step.retryAt : null;
    for (const [name, value] of Object.entries(step.patch ?? {})) {
      const before = name === "sum" ? (run.values[name] ?? 0) : 0;
      run.values[name] = before + Number(value);
    }
    if (step.type === "succeed" && !run.done.includes(step.key)) run.done.push(step.key);
    if (step.consumes !== undefined) consume(run, step.consumes, step.key);
    run.events.push(`step.${state}`);
    known.endedSeq = run.events.length;
  }

  #start(run: ModelRun, claim: Claim, { key, attempt }: Write<"start">): void {
    const known = find(run, key, attempt);
    if (known === undefined) {
      const { epoch } = run;
      run.steps.push({
        ...BLANK,
        key,
        attempt,
        epoch,
        startedSeq: run.events.length + 1,
      });
    } else if (known.state === "running" && known.epoch === run.epoch) return;
    else if (known.state !== "running" && known.state !== "waiting") throw new Refused("conflict");
    else {
      // A claim that was given back in order says nothing against the step.
      if (claim.recovered && known.state === "running") known.recoveryCount += 1;
      Object.assign(known, { state: "running", wait: null, epoch: run.epoch });
    }
    run.events.push("step.started");
  }

  #skip(run: ModelRun, { key, next }: Write<"skip">): void {
    const latest = run.steps
      .filter((step) => step.key === key)
      .toSorted(byAttempt)
      .at(-1);
    if (latest?.state === "skipped") return;
    if (latest !== undefined && !OVER.has(latest.state)) throw new Refused("conflict");
    const seq = run.events.length + 1;
    run.steps.push({
      ...BLANK,
      key,
      attempt: (latest?.attempt ?? 0) + 1,
      state: "skipped",
      epoch: run.epoch,
      next,
      startedSeq: seq,
      endedSeq: seq,
    });
    run.events.push("step.skipped");
  }

  #turn(run: ModelRun, turn: RunTurn): void {
    if (turn.state !== "waiting") this.#end(run, turn.state);
    else if (run.cancelRequested) this.#end(run, "cancelled");
    else {
      this.#leave(run, "waiting", run.wakeCount === turn.seenWakeCount ? turn.dueAt : this.nowMs);
      run.waitingFor = turn.for;
      run.events.push("run.waiting");
    }
  }

  #shorten(step: ModelStep): void {
    const now = this.nowMs;
    if (step.state === "failed" && step.next === null)
      step.retryAt = Math.min(step.retryAt ?? now, now);
    if (step.wait?.for === "timer" || step.wait?.for === "rate_limit") {
      step.wait = { ...step.wait, untilMs: Math.min(step.wait.untilMs, now) };
    }
  }

  #receive(run: ModelRun, name: string, event: string): void {
    run.signals.push({ name, consumedBy: null });
    run.events.push(event);
    this.#wake(run);
  }

  #wake(run: ModelRun): void {
    if (FINAL.has(run.state)) return;
    run.wakeCount += 1;
    if (run.state === "waiting") run.dueAt = Math.min(run.dueAt ?? this.nowMs, this.nowMs);
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
    run.waitingFor = null;
  }

  #end(run: ModelRun, state: "succeeded" | "failed" | "cancelled"): void {
    this.#leave(run, state, null);
    if (state === "cancelled") run.cancelRequested = true;
    run.events.push(`run.${state}`);
    for (const step of run.steps) {
      if (step.state !== "running" && step.state !== "waiting") continue;
      Object.assign(step, { state: "cancelled", wait: null, endedSeq: run.events.length });
    }
    const parent = run.parentId === null ? undefined : this.find(run.parentId);
    if (parent !== undefined) this.#wake(parent);
    this.#cancelChildren(run);
  }

  #cancelChildren(run: ModelRun): void {
    for (const child of this.runs) if (child.parentId === run.id) this.requestCancel(child.id);
  }
}

function find(run: ModelRun, key: string, attempt: number): ModelStep | undefined {
  return run.steps.find((step) => step.key === key && step.attempt === attempt);
}

function consume(run: ModelRun, seq: number, key: string): void {
  const signal = run.signals[seq - 1];
  if (signal === undefined || signal.consumedBy !== null) throw new Refused("conflict");
  signal.consumedBy = key;
}

function byAttempt(a: ModelStep, b: ModelStep): number {
  return a.attempt - b.attempt;
}

function byEnd(a: ModelStep, b: ModelStep): number {
  return (a.endedSeq ?? 0) - (b.endedSeq ?? 0);
}
