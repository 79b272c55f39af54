import { debounce } from "./debounce.js";

const DRAFT_MS = 400;
const DRAFT_PREFIX = "agents-draft:";

/** What was written and not saved yet, kept in this browser. */
export function createDraft(host, original) {
  const key = DRAFT_PREFIX + host.dataset.draft;
  const notice = document.getElementById("draft");
  const isRefused = "refused" in host.dataset;
  const isDirty = (text) => isRefused || text !== original;
  const drop = () => {
    localStorage.removeItem(key);
    notice.hidden = true;
  };
  const keep = (text) => {
    if (!isDirty(text)) return localStorage.removeItem(key);
    try {
      localStorage.setItem(key, JSON.stringify({ text, at: Date.now() }));
    } catch {
      // Full or forbidden: the warning before leaving is left.
    }
  };
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  };
  return {
    isDirty,
    drop,
    keep,
    keepSoon: debounce(keep, DRAFT_MS),
    offer(setText) {
      const kept = read();
      if (isRefused || !kept || kept.text === original) return;
      const time = notice.querySelector("time");
      time.dateTime = new Date(kept.at).toISOString();
      time.textContent = new Date(kept.at).toLocaleString();
      notice.hidden = false;
      notice.querySelector("[data-restore]").addEventListener("click", () => {
        notice.hidden = true;
        setText(kept.text);
      });
      notice.querySelector("[data-drop]").addEventListener("click", drop);
    },
  };
}
