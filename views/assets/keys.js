// Search as one types, and keyboard shortcuts. Every shortcut is a link or a button of the page as well.
const PREFIX_MS = 1_500;
const ROWS = "main :is(.runs tbody th a, .cards h3 a, .results a)";
const byId = (id) => document.getElementById(id);
const isTyping = (target) =>
  target?.closest?.("input,textarea,select,[contenteditable],[data-editor]") !== null;
const areOff = () => document.documentElement.dataset.keys === "off";
const press = (selector) => {
  const element = document.querySelector(selector);
  element?.click();
  return element !== null;
};

const openDialog = (id, event) => {
  const dialog = byId(id);
  if (dialog === null || dialog.open) return dialog !== null;
  byId("sidebar")?.hidePopover?.();
  dialog.showModal();
  const content = dialog.querySelector("[data-opened]");
  // htmx takes up the page in a task of its own, which a key can come before.
  htmx.process(content);
  htmx.trigger(content, event);
  return true;
};
const openSearch = () => {
  const input = byId("search-input");
  if (input === null) return false;
  input.value = byId("q")?.value ?? "";
  return openDialog("search-dialog", "opened");
};

// The listbox: the focus stays in the field, the marked option is told to screen readers.
const options = () => [...document.querySelectorAll("#search-results [role=option]")];
const mark = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  const input = byId("search-input");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};
const marked = () => document.querySelector("#search-results [aria-selected=true]");
document.addEventListener("htmx:after:swap", () => {
  if (byId("search-dialog")?.open) mark(marked() ?? undefined);
});
const move = (step) => {
  const all = options();
  const from = all.indexOf(marked());
  if (all.length > 0)
    mark(all[(from + step + all.length + (from < 0 && step < 0 ? 1 : 0)) % all.length]);
};
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "search-input" || event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) {
    event.preventDefault();
    move(step);
  } else if (event.key === "Enter" && marked() !== null) {
    event.preventDefault();
    marked().click();
  }
});
// A click beside the dialog closes it, as Escape does.
document.addEventListener("click", (event) => {
  if (event.target.matches?.("dialog[data-dialog]")) event.target.close();
  const closed = event.target.closest?.("[data-close]");
  if (closed) closed.closest("dialog")?.close();
  if (event.target.closest?.("dialog[data-dialog] a")) event.target.closest("dialog").close();
  if (event.target.id === "q" && openSearch()) event.preventDefault();
});

// j and k: the focus goes through the links of a list.
const step = (by) => {
  const rows = [...document.querySelectorAll(ROWS)];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  return rows.length > 0;
};

const ACTIONS = {
  "/": openSearch,
  "?": () => openDialog("help-dialog", "opened"),
  p: () => press("#pause"),
  n: () => press('a[href="/workflows/new"]'),
  e: () => press('main :is([data-shortcut="e"], a[href$="/edit"])'),
  j: () => step(1),
  k: () => step(-1),
};
let prefixAt = 0;
const act = (key) => {
  const isPage = Date.now() - prefixAt < PREFIX_MS;
  prefixAt = 0;
  if (isPage && /^[a-z]$/.test(key)) return press(`#sidebar a[data-key="${key}"]`);
  if (key === "g") prefixAt = Date.now();
  return ACTIONS[key]?.() ?? false;
};
document.addEventListener("keydown", (event) => {
  if (areOff() || event.isComposing || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog:modal")) return;
  const isSearch = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  if (!isSearch && (event.ctrlKey || event.metaKey)) return;
  if (isSearch ? openSearch() : act(event.key)) event.preventDefault();
});
