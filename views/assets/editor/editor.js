// The YAML editor of /workflows/new and /workflows/:id/edit, in a file of its own that only these pages
// load, once somebody is there. The text area stays the field of the form: it is written on every change.
// In a shadow root, because the styles of the editor are then adopted sheets, which the CSP allows.
import {
  acceptCompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { assist } from "./assist.js";
import { applyFix, setState, showAnswer, showProblems } from "./check.js";
import { debounce } from "./debounce.js";
import { createDraft } from "./draft.js";
import { guardLeaving } from "./leave.js";
import { colours, theme } from "./theme.js";

const CHECK_MS = 300;
const LABEL = "Text of the workflow, YAML. Press Escape, then Tab, to leave the editor.";

/** @param {HTMLElement} host `[data-editor]`, beside the text area that it stands for. */
export function mount(host) {
  const area = document.getElementById(host.dataset.field);
  const draft = createDraft(host, area.defaultValue);
  const server = createServer(area.form);
  const changed = () => {
    area.value = textOf(view);
    draft.keepSoon(area.value);
    checkSoon();
  };
  const root = host.attachShadow({ mode: "open" });
  const extensions = [
    ...extend(() => submit(area.form, "save")),
    assist(host, (address, state, offset) =>
      server.ask(address, { source: state.doc.toString(), offset }),
    ),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) changed();
    }),
  ];
  // Somebody may have begun in the text area.
  const hasFocus = document.activeElement === area;
  const selection = hasFocus ? { anchor: area.selectionStart, head: area.selectionEnd } : undefined;
  const state = EditorState.create({ doc: area.value, selection, extensions });
  const view = new EditorView({ root, parent: root, state });
  const checkSoon = debounce(createCheck({ host, server, view }), CHECK_MS);
  const setText = (text) => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    view.focus();
  };
  const leaving = guardLeaving({
    host,
    draft,
    textOf: () => textOf(view),
    actions: (event) => followAction(event, view),
  });
  listenToForm({ area, draft, leaving, view });
  takeDrops(host, setText);
  draft.offer(setText);
  host.dataset.ready = "";
  area.hidden = true;
  if (hasFocus) view.focus();
  if (area.value !== area.defaultValue) changed();
  showProblems(view);
}

const textOf = (view) => view.state.doc.toString();

function extend(save) {
  return [
    lineNumbers(),
    foldGutter(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    history(),
    drawSelection(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    search({ top: true }),
    yaml(),
    syntaxHighlighting(colours),
    keymap.of([
      { key: "Tab", run: acceptCompletion },
      { key: "Mod-.", preventDefault: true, run: applyFix },
      { key: "Mod-s", preventDefault: true, run: save },
      ...closeBracketsKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...lintKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    theme,
    EditorView.domEventHandlers({
      // Lines that come at once, as from dictation: Chromium would give each a style, which the CSP blocks.
      beforeinput(event, view) {
        if (!event.data?.includes("\n") || event.isComposing) return false;
        event.preventDefault();
        view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input" });
        return true;
      },
    }),
    EditorView.contentAttributes.of({
      "aria-label": LABEL,
      // It can be reached without; this says so to what looks only at attributes.
      tabindex: "0",
      spellcheck: "false",
      autocapitalize: "off",
    }),
  ];
}

/** Questions to the server, with the token of the form. */
function createServer(form) {
  const csrf = form.elements.namedItem("_csrf").value;
  const post = async (address, fields, signal = null) => {
    const response = await fetch(address, {
      method: "POST",
      body: new URLSearchParams({ _csrf: csrf, ...fields }),
      headers: { "HX-Request": "true", "X-CSRF-Token": csrf },
      signal,
    });
    if (!response.ok) throw new Error(`The server answers ${response.status}.`);
    return response;
  };
  return {
    post,
    // Proposals and help are a comfort: without an answer there just are none.
    async ask(address, fields) {
      try {
        return await (await post(address, fields)).json();
      } catch {
        return null;
      }
    },
  };
}

/** Has the text checked; what was said about an older text is thrown away. */
function createCheck({ host, server, view }) {
  let running;
  return async () => {
    running?.abort();
    running = new AbortController();
    const source = textOf(view);
    const fields = { source, id: host.dataset.workflow ?? "" };
    try {
      const response = await server.post(host.dataset.check, fields, running.signal);
      const answer = new DOMParser().parseFromString(await response.text(), "text/html");
      if (textOf(view) !== source) return;
      showAnswer(answer);
      showProblems(view);
    } catch (error) {
      if (error.name !== "AbortError") setState("The text could not be checked just now.");
    }
  };
}

function submit(form, intent) {
  const button = Array.from(form.elements).find(
    (element) => element.name === "intent" && element.value === intent,
  );
  if (button) form.requestSubmit(button);
  return true;
}

function listenToForm({ area, draft, leaving, view }) {
  const { form } = area;
  form.addEventListener("submit", (event) => {
    area.value = textOf(view);
    if (event.submitter?.value !== "download") {
      draft.keep(area.value);
      leaving.send();
      return;
    }
    // The answer is a file: this page stays, and may send again.
    setTimeout(() => {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });
  for (const label of area.labels) label.addEventListener("click", () => view.focus());
}

/** A fix that is taken over, a line that is gone to. @returns whether the click was one of these. */
function followAction(event, view) {
  const find = (selector) => event.target.closest?.(selector);
  const select = (at) => {
    view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    view.focus();
    return true;
  };
  const fix = find("[data-insert]");
  if (fix) {
    const { from, to, insert } = fix.dataset;
    view.dispatch({ changes: { from: Number(from), to: Number(to), insert } });
    return select(Number(from) + insert.length);
  }
  const line = /^#L(\d+)$/.exec(find("a[href^='#L']")?.getAttribute("href") ?? "")?.[1];
  if (line === undefined) return false;
  event.preventDefault();
  return select(view.state.doc.line(Math.min(Number(line), view.state.doc.lines)).from);
}

/** A file that is dropped here takes the place of the text; undo brings that back. */
function takeDrops(host, setText) {
  host.addEventListener("dragover", (event) => event.preventDefault());
  host.addEventListener(
    "drop",
    (event) => {
      const [file] = event.dataTransfer?.files ?? [];
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      delete document.documentElement.dataset.dragging;
      void file.text().then(setText);
    },
    { capture: true },
  );
}
