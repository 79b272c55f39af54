// Proposals and help, which the server has: it knows the language, the tools and the other workflows.
import { autocompletion, insertCompletionText, startCompletion } from "@codemirror/autocomplete";
import { hoverTooltip } from "@codemirror/view";

const HOVER_MS = 350;
/** Behind this a proposal makes sense without being asked for: a letter, a colon, a dash, a bracket. */
const INVITING = /(?:[\p{L}\p{N}_.{-]|: |- |[[,{] ?)$/u;
const WORD = /^[\p{L}\p{N}_.*-]*$/u;

/** @param ask Gives the answer to a question at a place of the text, or null. */
export function assist(host, ask) {
  const complete = async (context) => {
    const { state, pos } = context;
    const before = state.sliceDoc(state.doc.lineAt(pos).from, pos);
    if (!context.explicit && !INVITING.test(before)) return null;
    const list = await ask(host.dataset.completions, state, pos);
    if (!list || list.options.length === 0 || context.aborted) return null;
    return {
      from: list.from,
      to: pos,
      filter: true,
      ...(list.isComplete ? { validFor: WORD } : {}),
      options: list.options.map((option, index) => toOption(option, index)),
    };
  };
  const describe = async (view, pos) => {
    const hover = await ask(host.dataset.hover, view.state, pos);
    if (!hover?.text) return null;
    return { pos: hover.from, end: hover.to, above: true, create: () => ({ dom: toHover(hover) }) };
  };
  return [
    autocompletion({ override: [complete], icons: false }),
    hoverTooltip(describe, { hoverTime: HOVER_MS }),
  ];
}

function toOption(option, index) {
  const { label, insert = label, kind, detail, info } = option;
  return {
    label,
    type: kind,
    // As the server has them: what must be there first.
    boost: -Math.min(index, 98),
    ...(detail ? { detail } : {}),
    ...(info ? { info } : {}),
    apply(view, ...[, from, to]) {
      view.dispatch(insertCompletionText(view.state, insert, from, to));
      // What a key takes is known as well.
      if (/(?:: |- |\n *)$/.test(insert)) startCompletion(view);
    },
  };
}

function toHover({ title, detail, text }) {
  const dom = document.createElement("div");
  dom.className = "cm-hover";
  const name = document.createElement("b");
  name.textContent = title;
  const kind = document.createElement("i");
  kind.textContent = detail;
  const body = document.createElement("p");
  for (const [index, part] of text.split("`").entries()) {
    const piece = document.createElement(index % 2 === 1 ? "code" : "span");
    piece.textContent = part;
    body.append(piece);
  }
  dom.append(name, kind, body);
  return dom;
}
