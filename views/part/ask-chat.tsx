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
