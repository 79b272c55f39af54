import { systemClock } from "../../src/lib/clock.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import type { ServiceSpec } from "../../src/process/life.ts";
import type { ServiceDeath, ServiceLine } from "../../src/process/service.ts";
import { createSupervisor } from "../../src/process/supervisor.ts";

export const FIXTURES = `${import.meta.dir}/fixture`;
export const bun = process.execPath;
const POLL_MS = 10;

/** Waits for a condition, and says what it waited for when it does not come. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = systemClock.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (systemClock.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
}

export interface Process {
  readonly pid: number;
  readonly command: string;
}

/** The living processes whose command line has the tag in it. */
export function tagged(tag: string): Process[] {
  const { stdout } = Bun.spawnSync(["ps", "-axww", "-o", "pid=,stat=,command="]);
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => {
      const match = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line);
      if (match === null || match[2]?.startsWith("Z") === true) return [];
      const command = match[3] ?? "";
      return command.includes(tag) ? [{ pid: Number(match[1]), command }] : [];
    });
}

export const newTag = () => `tag-${crypto.randomUUID()}`;

/** A supervisor that remembers all it was told; shut down at the end of the scope. */
export function startRecording(specs: readonly ServiceSpec[]) {
  const statuses: ServiceStatus[] = [];
  const lines: ServiceLine[] = [];
  const deaths: ServiceDeath[] = [];
  const errors: unknown[] = [];
  const supervisor = createSupervisor({
    clock: systemClock,
    onStatus: (status) => statuses.push(status),
    onLine: (line) => lines.push(line),
    onExit: (death) => deaths.push(death),
    reportError: (error) => errors.push(error),
  });
  for (const spec of specs) supervisor.addService(spec);
  const status = (name: string) => supervisor.statuses().find((one) => one.name === name);
  return {
    supervisor,
    statuses,
    lines,
    deaths,
    errors,
    status,
    running: (name: string) =>
      until(`${name} to run`, () => {
        const current = status(name);
        return current?.state === "running" ? current : undefined;
      }),
    async [Symbol.asyncDispose]() {
      await supervisor.shutdown();
    },
  };
}

/** A service that runs TypeScript given as text. */
export function script(name: string, text: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name,
    command: () => [bun, "-e", text],
    env: { PATH: Bun.env["PATH"] ?? "" },
    cwd: FIXTURES,
    url: null,
    ready: "line",
    startTimeoutMs: 10_000,
    ...more,
  };
}

export const READY = `console.log('{"event":"ready"}');`;
export const STAY = "setInterval(() => {}, 1e6);";
