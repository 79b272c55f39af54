/**
 * Lists and pages on two histories, side by side: each request goes to both, in turn, so that what else the
 * machine does meets both.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { History } from "./seed.ts";
import { tree } from "../process.ts";
import type { Started } from "../subject.ts";

const ROUND_COUNT = 5;
/** Of each round. */
const REQUEST_COUNT = 200;
const WARM_UP_COUNT = 20;

export interface Side {
  readonly server: Started;
  readonly history: History;
}

export interface PageTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

export interface Row {
  readonly page: string;
  readonly small: PageTimes;
  readonly large: PageTimes;
  /** Of `large` to `small`. */
  readonly ratio: { readonly p50: number; readonly p99: number; readonly cpu: number };
}

/** A path of one history; `turn` counts the requests, so that not one run is asked for again and again. */
export type PathOf = (history: History, turn: number) => string;

export async function measurePage(
  page: string,
  pathOf: PathOf,
  sides: { readonly small: Side; readonly large: Side },
): Promise<Row> {
  const takers = [sides.small, sides.large].map((side) => createTaker(side, pathOf));
  const request = async (turn: number) => {
    // Who is first changes too.
    for (const taker of turn % 2 === 0 ? takers : takers.toReversed()) await taker.request(turn);
  };
  for (let turn = 0; turn < WARM_UP_COUNT; turn += 1) await request(turn);
  const rounds: PageTimes[][] = [];
  for (let index = 0; index < ROUND_COUNT; index += 1) {
    for (const taker of takers) taker.begin();
    for (let turn = 0; turn < REQUEST_COUNT; turn += 1) await request(index * REQUEST_COUNT + turn);
    rounds.push(takers.map((taker) => taker.end()));
  }
  const [small, large] = takers.map((_, side) =>
    middle(rounds.flatMap((times) => times[side] ?? [])),
  );
  if (small === undefined || large === undefined) throw new Error("unreachable");
  const ratio = {
    p50: round(large.p50Ms / small.p50Ms),
    p99: round(large.p99Ms / small.p99Ms),
    cpu: round(large.cpuMs / small.cpuMs),
  };
  return { page, small, large, ratio };
}

/** The median of the rounds, each figure by itself: another program may have had the machine in one of them. */
function middle(rounds: readonly PageTimes[]): PageTimes {
  const of = (figure: (times: PageTimes) => number) =>
    rounds.map(figure).toSorted((left, right) => left - right)[Math.floor(rounds.length / 2)] ??
    NaN;
  return {
    p50Ms: of((times) => times.p50Ms),
    p99Ms: of((times) => times.p99Ms),
    cpuMs: of((times) => times.cpuMs),
    bytes: of((times) => times.bytes),
  };
}

function createTaker({ server, history }: Side, pathOf: PathOf) {
  let latencies: number[] = [];
  let cpuBefore = 0;
  let bytes = 0;
  return {
    async request(turn: number): Promise<void> {
      const url = server.url + pathOf(history, turn).slice(1);
      const startedAt = performance.now();
      const answer = await fetch(url);
      const body = await answer.arrayBuffer();
      latencies.push(performance.now() - startedAt);
      if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
      bytes = body.byteLength;
    },
    begin() {
      latencies = [];
      cpuBefore = treeCpuMs(server.pid);
    },
    end(): PageTimes {
      const cpuMs = (treeCpuMs(server.pid) - cpuBefore) / latencies.length;
      const sorted = latencies.toSorted((left, right) => left - right);
      const at = (part: number) => round(sorted[Math.floor(sorted.length * part)] ?? Number.NaN);
      return { p50Ms: at(0.5), p99Ms: at(0.99), cpuMs: round(cpuMs), bytes };
    },
  };
}

/** CPU of a process and all below it so far, in milliseconds; Linux only, exact to the nanosecond. */
export function treeCpuMs(pid: number): number {
  return tree(pid).reduce((sum, each) => sum + processCpuMs(each), 0);
}

/** The same of the process alone. */
export function processCpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [running = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(
      " ",
    );
    return sum + Number(running) / 1e6;
  }, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
