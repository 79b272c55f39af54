import { Icon } from "./icon.tsx";
import { LiveForm } from "./form.tsx";

/** From a run that failed to the chat, which is told what happened in it. */
export function AskChat({ runId }: { runId: string }) {
  return (
    <p>
      <a class="plain-link" href={runAddress(runId)}>
        Ask the chat why, and what to change
      </a>
    </p>
  );
}

export function runAddress(id: string): string {
  return `/chat?run=${encodeURIComponent(id)}`;
}

/** The newest runs that failed. */
export const FAILURES_ADDRESS = "/chat?failures=newest";

/** Two runs that have ended, their figures side by side. */
export function compareAddress(a: string, b: string): string {
  return `/chat?${new URLSearchParams({ comparison: `${a}/${b}` }).toString()}`;
}

/** @param number Of a version that is not the current one. */
export function versionAddress(workflowId: string, number: number): string {
  return `/chat?${new URLSearchParams({ version: `${workflowId}/${number}` }).toString()}`;
}

/** @param address Of the metrics page. */
export function metricsAskAddress(address: string): string {
  const query = address.slice(address.indexOf("?") + 1);
  return `/chat?${new URLSearchParams({ metrics: query }).toString()}`;
}

/** The form that `AskHere` is; its CSRF token stands outside of the live parts. */
export const ASK_FORM = "result-ask-form";
/** What is asked of a run that failed. */
export const ASK_FAILURE = "Why did this run fail, and what should be changed?";
export const ASK_FAILURES = "Why have these runs failed, and what should be changed?";
export const ASK_CHEAPER = "What costs most here, and what could be cheaper without being worse?";

/** The same in the conversation in which the run was begun. */
export function AskHere(props: { conversationId: string; runId: string }) {
  return (
    <LiveForm
      action={`/chat/${encodeURIComponent(props.conversationId)}/messages`}
      id={ASK_FORM}
      stays
    >
      <input type="hidden" name="text" value={ASK_FAILURE} />
      <input type="hidden" name="run" value={props.runId} />
      <button type="submit" class="btn ghost small">
        <Icon name="chat" size={14} />
        Ask why, and what to change
      </button>
    </LiveForm>
  );
}
