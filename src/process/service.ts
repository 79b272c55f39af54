/**
 * A supervised service: start, death, back-off, start again, until it is stopped. Everything about it
 * is told by its status. Not here: liveness checks of a service that runs but is silent.
 */
import type { ServiceState, ServiceStatus } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { stopChild } from "./child.ts";
import type { OutputStream } from "../domain/program.ts";
import type { ChildExit } from "./child.ts";
import { explainSpawnFailure, startLife } from "./life.ts";
import type { Explanation, Life, LifeReport, ServiceSpec } from "./life.ts";
import { planRestart } from "./restart-policy.ts";
import type { LifeEnd } from "./restart-policy.ts";

/** Ends of lives that the restart policy looks at. */
const ENDS_MAX = 20;

export interface ServiceLine {
  readonly service: string;
  readonly stream: OutputStream;
  readonly line: string;
}

export interface ServiceDeath extends ChildExit {
  readonly service: string;
  readonly pid: number;
}

export interface ServiceHooks {
  readonly clock: Clock;
  /** Called on every change. */
  readonly onStatus: (status: ServiceStatus) => void;
  /** Every line of output but the service's messages to its supervisor, JSON objects with `event`. */
  readonly onLine: (line: ServiceLine) => void;
  /** Called at once when a process has ended, whether it was stopped or died. */
  readonly onExit: (death: ServiceDeath) => void;
  /** A failure of the supervisor itself. */
  readonly reportError: (error: unknown) => void;
}

export class Service {
  readonly #spec: ServiceSpec;
  readonly #hooks: ServiceHooks;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #spawned = Promise.withResolvers<void>();
  #life: Life | undefined;
  #restarting = false;
  #ends: LifeEnd[] = [];
  #loop: Promise<void> = Promise.resolve();
  #status: ServiceStatus;

  constructor(spec: ServiceSpec, hooks: ServiceHooks) {
    this.#spec = spec;
    this.#hooks = hooks;
    this.#status = {
      name: spec.name,
      state: "stopped",
      pid: null,
      url: null,
      restartCount: 0,
      since: null,
      message: null,
      fix: null,
    };
  }

  get status(): ServiceStatus {
    return this.#status;
  }

  /** Spawns the process before it returns. */
  start(): void {
    this.#loop = this.#run().catch((error: unknown) => {
      // Only a failing hook gets here; the other services go on.
      this.#life?.child.kill();
      this.#hooks.reportError(error);
    });
  }

  /** Forgets its crashes. Resolves when a new process was spawned; at once when it is being stopped. */
  async restart(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#restarting = true;
    const next = this.#spawned.promise;
    this.#wake.abort();
    await this.#stopLife();
    await next;
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#stopLife();
    await this.#loop;
    this.#spawned.resolve();
  }

  kill(): void {
    this.#stopping.abort();
    this.#wake.abort();
    this.#life?.child.kill();
  }

  async #stopLife(): Promise<void> {
    if (this.#life === undefined) return;
    this.#update({ state: "stopping" });
    await stopChild(this.#life.child, this.#hooks.clock);
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // One life after the other is the point of this loop.
      // oxlint-disable-next-line no-await-in-loop
      const report = await this.#live();
      if (this.#stopping.signal.aborted) break;
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#restarting) await this.#backOff(report);
      if (this.#restarting) this.#ends = [];
      const restartCount = this.#status.restartCount + 1;
      this.#status = { ...this.#status, restartCount };
    }
    this.#down("stopped");
  }

  async #live(): Promise<LifeReport> {
    const { name } = this.#spec;
    const { clock } = this.#hooks;
    this.#restarting = false;
    let life: Life;
    try {
      life = startLife(this.#spec, {
        clock,
        onLine: (stream, line) => this.#hooks.onLine({ service: name, stream, line }),
        onReady: (url) =>
          this.#update({ state: "running", url, since: clock.now(), message: null, fix: null }),
        onExit: (exit) => this.#hooks.onExit({ service: name, pid: life.child.pid, ...exit }),
      });
    } catch (error) {
      // A command that cannot be started is a state of the service, with its reason.
      return explainSpawnFailure(this.#spec, error);
    } finally {
      this.#spawned.resolve();
      this.#spawned = Promise.withResolvers();
    }
    this.#life = life;
    this.#update({ state: "starting", pid: life.child.pid, url: null, since: null });
    const report = await life.ended;
    this.#life = undefined;
    return report;
  }

  async #backOff({ wasReady, explained, why }: LifeReport): Promise<void> {
    const { clock } = this.#hooks;
    this.#ends = [...this.#ends, { at: clock.now(), wasReady, explained }].slice(-ENDS_MAX);
    const plan = planRestart(this.#ends);
    const count = plan.deathCount < 2 ? "" : `\nThis happened ${plan.deathCount} times.`;
    this.#down(plan.looping ? "failed" : "backing_off", {
      message: why.message + count,
      fix: why.fix,
    });
    this.#wake = new AbortController();
    await clock.sleep(plan.delayMs, this.#wake.signal);
  }

  #down(state: ServiceState, why?: Explanation): void {
    this.#update({ state, pid: null, url: null, since: null, ...why });
  }

  #update(change: Partial<ServiceStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#hooks.onStatus(this.#status);
  }
}
