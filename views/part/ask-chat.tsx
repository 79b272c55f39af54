import { Icon } from "./icon.tsx";
import { LiveForm } from "./form.tsx";

/** From a run that failed to the chat, which is told what happened in it. */
export function AskChat({ runId }: { runId: string }) {
  return (
    <p>
      <a class="plain-link" href={`/chat?run=${encodeURIComponent(runId)}`}>
        Ask the chat why, and what to change
      </a>
    </p>
  );
}

/** The form that `AskHere` is; its CSRF token stands outside of the live parts. */
export const ASK_FORM = "result-ask-form";
/** What is asked of a run that failed. */
export const ASK_FAILURE = "Why did this run fail, and what should be changed?";

/** The same in the conversation in which the run was begun. */
export function AskHere(props: { conversationId: string; runId: string }) {
  return (
    <LiveForm action={`/chat/${encodeURIComponent(props.conversationId)}/messages`} id={ASK_FORM}>
      <input type="hidden" name="text" value={ASK_FAILURE} />
      <input type="hidden" name="run" value={props.runId} />
      <button type="submit" class="btn ghost small">
        <Icon name="chat" size={14} />
        Ask why, and what to change
      </button>
    </LiveForm>
  );
}
