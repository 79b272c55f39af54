/** One life of a supervised service, from spawn to exit: its messages, its readiness, why it ended. */
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import { createRing } from "../lib/ring.ts";
import { startChild, stopChild } from "./child.ts";
import type { OutputStream } from "../domain/program.ts";
import type { Child, ChildExit } from "./child.ts";

/** Lines of stderr that are kept to explain a death. */
const TAIL_LINES_MAX = 20;
/** Of them, those that the status shows. */
const TAIL_LINES_SHOWN = 5;
const MESSAGE_CHARS_MAX = 2_000;
const PROBE_INTERVAL_MS = 100;

/** A probe of readiness: resolves to true when the service answers. Rejecting means "not yet". */
export type Probe = (signal: AbortSignal) => Promise<boolean>;

/** How a service ended, for `explainExit`. */
export interface ServiceExit extends ChildExit {
  /** The last line `{"event":"error",…}` that it wrote on stdout. */
  readonly error: JsonObject | undefined;
  /** Its last lines on stderr, oldest first. */
  readonly tail: readonly string[];
}

export interface Explanation {
  readonly message: string;
  readonly fix: string;
}

export interface ServiceSpec {
  readonly name: string;
  /** Asked before every start. */
  readonly command: () => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Shown while it runs; the `url` of its ready line wins. */
  readonly url: string | null;
  /**
   * `spawned`: running as soon as it was started. `line`: when it writes a line
   * `{"event":"ready","url"?:…}` on stdout. A probe: when that answers true, or at its ready line.
   */
  readonly ready: "spawned" | "line" | Probe;
  /** Without being ready for so long, it is ended and started again later. */
  readonly startTimeoutMs: number;
  /**
   * Knows the exits that trying again soon will not mend; undefined for any other. Where the child
   * wrote `{"event":"error","message":…,"fix":…}`, that is the explanation without asking.
   */
  readonly explainExit?: (exit: ServiceExit) => Explanation | undefined;
}

export interface LifeHooks {
  readonly clock: Clock;
  /** Every line of output but the messages to the supervisor: JSON objects with `event` on stdout. */
  readonly onLine: (stream: OutputStream, line: string) => void;
  readonly onReady: (url: string | null) => void;
  /** Called at once when the process has ended. */
  readonly onExit: (exit: ChildExit) => void;
}

export interface LifeReport {
  readonly wasReady: boolean;
  /** Whether the cause is known and stays. */
  readonly explained: boolean;
  readonly why: Explanation;
}

export interface Life {
  readonly child: Child;
  /** Resolves when it has ended and its last output was read. */
  readonly ended: Promise<LifeReport>;
}

/** @throws Error of Bun.spawn when the command cannot be started. */
export function startLife(spec: ServiceSpec, hooks: LifeHooks): Life {
  const { clock } = hooks;
  const tail = createRing<string>(TAIL_LINES_MAX);
  const over = new AbortController();
  let wasReady = false;
  let timedOut = false;
  let error: JsonObject | undefined;

  const becomeReady = (url: string | null) => {
    if (wasReady || over.signal.aborted) return;
    wasReady = true;
    hooks.onReady(url);
  };
  const onMessage = (message: JsonObject) => {
    const url = message["url"];
    if (message["event"] === "ready") becomeReady(typeof url === "string" ? url : spec.url);
    if (message["event"] === "error") error = message;
  };
  const onLine = (stream: OutputStream, line: string) => {
    const message = stream === "stdout" ? parseMessage(line) : undefined;
    if (message !== undefined) return onMessage(message);
    if (stream === "stderr") tail.push(line);
    hooks.onLine(stream, line);
  };

  const { command, env, cwd, ready } = spec;
  const child = startChild({ command: command(), env, cwd, onLine }, clock);

  const probe = async () => {
    if (ready === "spawned") becomeReady(spec.url);
    else if (ready !== "line" && (await probeUntilReady(ready, { clock, over: over.signal })))
      becomeReady(spec.url);
  };
  const limitStart = async () => {
    await clock.sleep(spec.startTimeoutMs, over.signal);
    if (wasReady || over.signal.aborted) return;
    timedOut = true;
    await stopChild(child, clock);
  };
  const end = async (): Promise<LifeReport> => {
    // A process is announced before it is ready.
    await Promise.resolve();
    void probe();
    const limit = limitStart();
    const exit = await child.exited;
    over.abort();
    hooks.onExit(exit);
    await Promise.all([child.closed, limit]);
    const whole: ServiceExit = { ...exit, error, tail: tail.values() };
    const known = ownExplanation(error) ?? spec.explainExit?.(whole);
    const why = known ?? describeEnd(spec, whole, { timedOut });
    return { wasReady, explained: known !== undefined, why };
  };
  return { child, ended: end() };
}

/** Why a service has no life at all. */
export function explainSpawnFailure(spec: ServiceSpec, error: unknown): LifeReport {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${spec.name} could not be started: ${reason}`;
  const fix = "Run `agents doctor`, which checks everything that a start needs.";
  return { wasReady: false, explained: true, why: { message, fix } };
}

/** A line of stdout that is meant for the supervisor. */
function parseMessage(line: string): JsonObject | undefined {
  if (!line.startsWith('{"event"')) return undefined;
  // What only looks like a message is printed as it is.
  const value = parseJson(line);
  return isJsonObject(value) && typeof value["event"] === "string" ? value : undefined;
}

async function probeUntilReady(
  probe: Probe,
  { clock, over }: { clock: Clock; over: AbortSignal },
): Promise<boolean> {
  while (!over.aborted) {
    // Each try follows the one before.
    // oxlint-disable-next-line no-await-in-loop
    if (await probe(over).catch(() => false)) return true;
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(PROBE_INTERVAL_MS, over);
  }
  return false;
}

function ownExplanation(error: JsonObject | undefined): Explanation | undefined {
  const message = error?.["message"];
  const fix = error?.["fix"];
  return typeof message === "string" && typeof fix === "string" ? { message, fix } : undefined;
}

function describeEnd(
  spec: ServiceSpec,
  exit: ServiceExit,
  { timedOut }: { timedOut: boolean },
): Explanation {
  const how =
    exit.signal === null ? `ended with exit code ${exit.code}` : `was killed by ${exit.signal}`;
  const limit = Math.ceil(spec.startTimeoutMs / 1000);
  const what = timedOut ? `was not ready within ${limit} s` : how;
  const shown = exit.tail.slice(-TAIL_LINES_SHOWN).join("\n");
  const message = shown === "" ? `${spec.name} ${what}.` : `${spec.name} ${what}:\n${shown}`;
  return {
    message: message.slice(0, MESSAGE_CHARS_MAX),
    fix: `Read its log with \`agents logs ${spec.name}\`.`,
  };
}
