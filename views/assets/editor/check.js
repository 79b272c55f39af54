// What the server says about the text, on the page and in the editor.
import { forEachDiagnostic, setDiagnostics } from "@codemirror/lint";

/** Takes over the parts of an answer. A text with errors has no graph: the last one stays, with a note. */
export function showAnswer(answer) {
  const isStale = answer.getElementById("preview") === null;
  for (const part of answer.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old && old.outerHTML !== part.outerHTML) old.replaceWith(document.adoptNode(part));
  }
  document.getElementById("preview")?.toggleAttribute("data-stale", isStale);
}

export function setState(text) {
  const element = document.getElementById("check-state");
  if (element) element.textContent = text;
}

/** The problems of the list beside the editor, at their places in the text. */
export function showProblems(view) {
  const { length } = view.state.doc;
  const within = (text) => Math.min(Number(text), length);
  const found = Array.from(document.querySelectorAll("#check [data-severity]"), (item) => {
    const { from, to, severity } = item.dataset;
    const fix = item.querySelector("[data-insert]");
    const message = Array.from(item.querySelectorAll(".problem-text, .problem-fix"), (part) =>
      part.textContent.trim(),
    ).join("\n");
    return {
      from: within(from),
      to: within(to),
      severity,
      message,
      actions: fix
        ? [
            {
              name: fix.textContent.trim(),
              apply(target, start, end) {
                target.dispatch({ changes: { from: start, to: end, insert: fix.dataset.insert } });
              },
            },
          ]
        : [],
    };
  });
  view.dispatch(setDiagnostics(view.state, found));
}

/** Takes over the fix of the problem at the cursor, where it has one. */
export function applyFix(view) {
  const { from, to } = view.state.selection.main;
  let found;
  forEachDiagnostic(view.state, (problem, start, end) => {
    const isHere = start <= to && from <= end;
    if (isHere && problem.actions.length > 0) found ??= { action: problem.actions[0], start, end };
  });
  found?.action.apply(view, found.start, found.end);
  return found !== undefined;
}
