/**
 * Links of the page while there is an editor. A boosted link would not ask before it leaves, and would morph
 * the editor into the next page: all of them are followed by the browser itself.
 */
export function guardLeaving({ host, draft, textOf, actions }) {
  const abort = new AbortController();
  const { signal } = abort;
  let isSent = false;
  document.addEventListener(
    "click",
    (event) => {
      if (!host.isConnected) return abort.abort();
      if (actions(event)) return;
      const link = event.target.closest?.("a[href]");
      if (link?.hasAttribute("data-discard")) {
        isSent = true;
        draft.drop();
      }
      const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
      if (!link || link.target || link.hash || !isPlain) return;
      event.preventDefault();
      event.stopPropagation();
      location.assign(link.href);
    },
    { capture: true, signal },
  );
  addEventListener(
    "beforeunload",
    (event) => {
      if (isSent || !host.isConnected || !draft.isDirty(textOf())) return;
      draft.keep(textOf());
      event.preventDefault();
    },
    { signal },
  );
  addEventListener("pageshow", () => void (isSent = false), { signal });
  return {
    /** What is sent is not lost: nothing to ask about. */
    send() {
      isSent = true;
    },
  };
}
