/**
 * Starts the product's child processes and keeps them running: `addService → startAll → … →
 * shutdown`. A start never waits for a slow service and never fails for a broken one; each tells its
 * state by its status. No child outlives this process: see `child.ts`.
 */
import type { ServiceStatus } from "../domain/service.ts";
import { AppError } from "../domain/error.ts";
import { assert } from "../lib/assert.ts";
import type { Explanation, ServiceSpec } from "./life.ts";
import { Service } from "./service.ts";
import type { ServiceHooks } from "./service.ts";

export interface Supervisor {
  /** After `startAll` it is started at once. A disabled service of the same name is replaced. */
  addService(spec: ServiceSpec): void;
  /** Shows a service that this start goes without, and why. */
  addDisabled(name: string, why: Explanation): void;
  /** Resolves when every service has been spawned; they become ready later. */
  startAll(): Promise<void>;
  /** In the order in which they were added. */
  statuses(): ServiceStatus[];
  /** Ends and starts one service, forgetting its crashes. @throws AppError `not_found`. */
  restart(name: string): Promise<void>;
  /** SIGTERM, STOP_GRACE_MS, SIGKILL. Resolves when no child is left. */
  shutdown(): Promise<void>;
  /** Ends all groups at once, for the second Ctrl-C. */
  kill(): void;
}

export function createSupervisor(hooks: ServiceHooks): Supervisor {
  const services = new Map<string, Service>();
  const disabled = new Map<string, ServiceStatus>();
  const names = new Set<string>();
  let phase: "adding" | "started" | "stopped" = "adding";

  const statusOf = (name: string): ServiceStatus[] => {
    const status = services.get(name)?.status ?? disabled.get(name);
    return status === undefined ? [] : [status];
  };

  return {
    addService(spec) {
      assert(!services.has(spec.name), `service ${spec.name} was added twice`);
      const service = new Service(spec, hooks);
      names.add(spec.name);
      services.set(spec.name, service);
      disabled.delete(spec.name);
      if (phase === "started") service.start();
    },
    addDisabled(name, why) {
      assert(!services.has(name), `service ${name} runs and cannot be disabled`);
      const status: ServiceStatus = {
        name,
        state: "disabled",
        pid: null,
        url: null,
        restartCount: 0,
        since: null,
        ...why,
      };
      names.add(name);
      disabled.set(name, status);
      hooks.onStatus(status);
    },
    startAll() {
      assert(phase === "adding", "startAll() was called twice");
      phase = "started";
      for (const service of services.values()) service.start();
      return Promise.resolve();
    },
    statuses: () => [...names].flatMap(statusOf),
    async restart(name) {
      assert(phase !== "adding", "restart() was called before startAll()");
      const service = services.get(name);
      if (service === undefined) {
        throw new AppError("not_found", `There is no running service "${name}".`, {
          fix: `Name one of: ${[...services.keys()].join(", ") || "(none is running)"}.`,
        });
      }
      await service.restart();
    },
    async shutdown() {
      phase = "stopped";
      await Promise.all([...services.values()].map((service) => service.stop()));
    },
    kill() {
      phase = "stopped";
      for (const service of services.values()) service.kill();
    },
  };
}
