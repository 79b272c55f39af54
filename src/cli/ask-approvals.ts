/** Asks the person at the terminal what a run, or a run inside of it, wants to be approved. */
import * as prompts from "@clack/prompts";
import { AppError } from "../domain/error.ts";
import type { Decision, PendingApproval, Run, RunStore } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import { clip } from "../lib/clip.ts";
import { printable } from "./format.ts";
import { LOOK_MS, pendingWithin } from "./pending-within.ts";
import type { Terminal } from "./terminal.ts";

const COUNT_MAX = 100;
const QUESTION_CHARS_MAX = 300;

interface AskOptions {
  readonly runs: Pick<RunStore, "get" | "pendingApprovals" | "decide">;
  readonly clock: Clock;
  readonly terminal: Pick<Terminal, "input" | "errorOutput">;
  /** Who decides, as it is kept with the run. */
  readonly by: string;
  readonly signal: AbortSignal;
  /** True while nothing of the run moves. */
  readonly isWaiting: () => boolean;
  /** Nothing else may write to the terminal between these two. */
  readonly begin: () => void;
  readonly end: (notice?: string) => void;
  /** The person wants to go and let the run wait. */
  readonly onLeave: () => void;
  /** Ctrl-C at a question. */
  readonly onInterrupt: () => void;
}

type Answer = Omit<Decision, "comment"> & { readonly comment: string | null };

/** Ends when the signal aborts, or with the first failure to read. */
export async function askApprovals(run: Run, options: AskOptions): Promise<void> {
  const { clock, signal } = options;
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- One question after the other.
    const [approval] = options.isWaiting() ? await pendingWithin(options.runs, run) : [];
    // oxlint-disable-next-line no-await-in-loop
    if (approval !== undefined && !signal.aborted) await askOne(run, approval, options);
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(LOOK_MS, signal);
  }
}

async function askOne(run: Run, approval: PendingApproval, options: AskOptions): Promise<void> {
  const elsewhere = new AbortController();
  const asked = new AbortController();
  void watchDecision(approval, { ...options, signal: asked.signal }, () => elsewhere.abort());
  options.begin();
  const signal = AbortSignal.any([options.signal, elsewhere.signal]);
  const answer = await ask(messageOf(run, approval), options, signal);
  asked.abort();
  if (typeof answer === "object") return options.end(await decide(approval, answer, options));
  options.end();
  // Decided on a page meanwhile, or the run has been ended: nobody here has chosen anything.
  if (signal.aborted) return;
  if (answer === "leave") options.onLeave();
  else options.onInterrupt();
}

/** Calls back when somebody else has decided, or the run has gone on without an answer. */
async function watchDecision(
  { runId, key }: PendingApproval,
  { runs, clock, signal }: Pick<AskOptions, "runs" | "clock" | "signal">,
  onGone: () => void,
): Promise<void> {
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.sleep(LOOK_MS, signal);
    // oxlint-disable-next-line no-await-in-loop -- A failure to read shows where the run is followed.
    const pending = await runs.pendingApprovals({ runId, limit: COUNT_MAX }).catch(() => undefined);
    if (pending !== undefined && !pending.some((one) => one.key === key)) return onGone();
  }
}

/** The question of the run itself stands above already; that of a run inside of it does not. */
function messageOf(run: Run, { runId, key, message }: PendingApproval): string {
  if (runId === run.id) return `Your answer to ${key}`;
  return `${key} of run ${runId}: ${clip(printable(message), QUESTION_CHARS_MAX)}`;
}

async function ask(
  message: string,
  { terminal }: AskOptions,
  signal: AbortSignal,
): Promise<Answer | "leave" | "interrupted"> {
  const streams = { input: terminal.input, output: terminal.errorOutput, signal };
  const choice = await prompts.select({
    message,
    options: [
      { value: "approve", label: "Approve" },
      { value: "reject", label: "Reject" },
      { value: "leave", label: "Leave it waiting", hint: "ends this command" },
    ],
    ...streams,
  });
  if (prompts.isCancel(choice)) return "interrupted";
  if (choice === "leave") return "leave";
  if (choice === "approve") return { approved: true, comment: null };
  const why = await prompts.text({
    message: "Why?",
    placeholder: "Enter for no reason",
    ...streams,
  });
  if (prompts.isCancel(why)) return "interrupted";
  const comment = (why ?? "").trim();
  return { approved: false, comment: comment === "" ? null : comment };
}

/** @returns what to tell the person when the answer no longer counts. */
async function decide(
  { runId, key }: PendingApproval,
  answer: Answer,
  { runs, by }: AskOptions,
): Promise<string | undefined> {
  try {
    await runs.decide(runId, key, { ...answer, by });
    return undefined;
  } catch (error) {
    // Somebody was faster, or its time was over: the run goes on with that.
    const { code, message } = AppError.from(error);
    if (code === "conflict" || code === "not_found") return message;
    throw error;
  }
}
