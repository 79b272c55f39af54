// All of the dashboard's own browser code. Every page works without it; everything here only makes
// it nicer. No eval and no inline handlers: the CSP forbids both.
const root = document.documentElement;
const LOG_LINE_COUNT_MAX = 400;
const POLL_MS = 5_000;
const REARM_MS_MAX = 30_000;

const isPaused = () => "paused" in root.dataset;
// What htmx keeps on an element: whether its links are boosted, and its open stream.
// eslint-disable-next-line no-underscore-dangle -- htmx's own name
const stateOf = (element) => element?._htmx;
const isBoosted = (event) => stateOf(event.detail.ctx?.sourceElement)?.boosted;
const on = (name, listener, options) => document.addEventListener(name, listener, options);

// The state of the connection, for the dot and the word beside it.
const setLive = (state) => {
  root.dataset.live = state;
};
on("htmx:sse:after:connection", () => setLive("on"));
on("htmx:sse:error", () => setLive("lost"));
on("htmx:sse:close", (event) => setLive(event.detail.reason === "message" ? "ended" : "lost"));
on("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0) setLive("lost");
});

// hx-sse repeats a lost stream but never a first connection that failed: start it again, ever later.
const tries = new WeakMap();
const rearm = (event) => {
  const element = event.detail.ctx?.sourceElement;
  if (!element?.hasAttribute?.("hx-sse:connect") || stateOf(element)?.sse) return;
  const count = (tries.get(element) ?? 0) + 1;
  tries.set(element, count);
  setLive("lost");
  const delay = Math.min(1000 * 2 ** (count - 1), REARM_MS_MAX) * (0.7 + Math.random() * 0.6);
  setTimeout(() => {
    if (element.isConnected) htmx.trigger(element, "sse:rearm");
  }, delay);
};
on("htmx:error", rearm);
on("htmx:response:error", rearm);

// While the stream is lost the page asks for itself.
const poll = () => {
  const element = document.getElementById("poll");
  if (element && root.dataset.live === "lost" && !document.hidden && !isPaused())
    htmx.trigger(element, "poll");
  schedulePoll();
};
// Not all pages at the same moment.
const schedulePoll = () => {
  const every = Number(document.getElementById("poll")?.dataset.pollMs ?? POLL_MS);
  setTimeout(poll, every * (1 + Math.random()));
};
schedulePoll();

// Paused or hidden: no poll and no message changes the page (WCAG 2.2.2).
on("htmx:before:request", (event) => {
  const type = event.detail.ctx.sourceEvent?.type;
  if (type === "every" && (document.hidden || isPaused())) event.preventDefault();
});
// The message that came is held back, and those after it wait in the stream, so that none is lost.
const held = new Set();
on("htmx:sse:before:message", ({ detail }) => {
  if (!isPaused()) return;
  const { promise, resolve } = Promise.withResolvers();
  held.add({ detail, resolve });
  detail.waitUntil(promise);
});
const release = (isWanted) => {
  for (const message of held) {
    if (!isWanted(message.detail)) continue;
    held.delete(message);
    message.resolve();
  }
};
// The stream of a page that was left: its message must not reach the next one.
on("htmx:sse:close", ({ detail: { connection } }) => {
  for (const { detail } of held) if (detail.connection === connection) detail.cancelled = true;
  release((detail) => detail.cancelled);
});

// The log: one line for each id (a replayed one takes the old one's place), and not too many.
const tidyLog = (list) => {
  const seen = new Map();
  for (const line of Array.from(list.children)) {
    const old = seen.get(line.id);
    if (old && line.id) old.replaceWith(line);
    seen.set(line.id, line);
  }
  while (list.children.length > LOG_LINE_COUNT_MAX) list.firstElementChild.remove();
};
on("htmx:after:swap", (event) => {
  for (const list of document.querySelectorAll("[data-log]")) tidyLog(list);
  refreshTimes();
  followDatabase(isBoosted(event));
});

// What writes is offered only while the database can be written: when that has changed, the page is
// fetched anew, unless that could take away what somebody is typing.
const databaseState = () => document.getElementById("banners")?.dataset.database;
let database = databaseState();
const followDatabase = (isNew) => {
  const state = databaseState();
  if (state === undefined || state === database) return;
  database = state;
  if (isNew || document.activeElement?.matches("input,textarea,select,[data-editor]")) return;
  document.getElementById("again")?.click();
};

// "5 min ago" stays true while the page is open. The server has the same rule (part/time.tsx).
const ago = (ms) => {
  if (ms < 60_000) return "just now";
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return ms < 30 * 86_400_000 ? `${Math.floor(ms / 86_400_000)} d ago` : "";
};
const refreshTimes = () => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.now() - Date.parse(time.dateTime));
    if (text !== "" && time.textContent !== text) time.textContent = text;
  }
};
setInterval(refreshTimes, 30_000);

// The time of a run that goes on, as part/duration.ts writes it.
const two = (value) => String(value).padStart(2, "0");
const duration = (ms) => {
  if (ms < 59_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
};
setInterval(() => {
  if (isPaused() || document.hidden) return;
  for (const element of document.querySelectorAll("[data-since]"))
    element.textContent = duration(Date.now() - Number(element.dataset.since));
}, 1000);

const announce = (text) => {
  const element = document.getElementById("announce");
  if (element) element.textContent = text;
};

const togglePause = (button) => {
  const paused = root.toggleAttribute("data-paused");
  button.setAttribute("aria-pressed", String(paused));
  if (!paused) release(() => true);
};

// The cookie is the one that the form would set. Written here, it is there before the next page is asked for.
const setTheme = (button) => {
  root.dataset.theme = button.value;
  for (const other of button.form.elements)
    if (other.name === "theme") other.setAttribute("aria-pressed", String(other === button));
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `agents-theme=${button.value}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`;
};

const copy = async (button) => {
  const element = document.getElementById(button.dataset.copy);
  if (!element) return;
  try {
    await navigator.clipboard.writeText(element.textContent);
    announce("Copied.");
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
  } catch {
    // No clipboard without a secure origin: select the text, so that the keyboard can copy it.
    getSelection().selectAllChildren(element);
    announce("Selected. Press Control C to copy.");
  }
};

on("click", (event) => {
  const find = (selector) => event.target.closest?.(selector);
  const pause = find("#pause");
  if (pause) return togglePause(pause);
  const theme = find("[data-theme-form] button");
  if (theme) {
    event.preventDefault();
    return setTheme(theme);
  }
  const copied = find("[data-copy]");
  if (copied) return copy(copied);
  const input = find("[data-attach-clear]") && attachIn(event.target.closest("form"));
  if (input) {
    input.value = "";
    input.setCustomValidity("");
    showAttached(input, "");
    input.focus();
  }
});

// Runs that are ticked in a list: all of a page at once, and how many there are.
const choices = () => Array.from(document.querySelectorAll("input[name=run][form=bulk-form]"));
const countChoices = () => {
  const all = choices();
  const count = all.filter((box) => box.checked).length;
  const text = document.querySelector("[data-bulk-count]");
  if (text && count > 0) text.textContent = `With ${count} chosen run${count === 1 ? "" : "s"}`;
  const head = document.querySelector("[data-choose-all]");
  if (!head) return;
  head.checked = count > 0 && count === all.length;
  head.indeterminate = count > 0 && count < all.length;
};
on("change", (event) => {
  if (event.target.matches?.("[data-choose-all]"))
    for (const box of choices()) box.checked = event.target.checked;
  countChoices();
});
on("htmx:after:swap", countChoices);

// Enter sends, Shift+Enter begins a line; on a touch screen Enter always begins a line.
on("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (!event.target.matches?.("[data-send]") || !matchMedia("(pointer: fine)").matches) return;
  event.preventDefault();
  // While an answer is under way there is no button, and nothing to send.
  const button = event.target.form.querySelector("button[type=submit]");
  if (button?.checkVisibility()) event.target.form.requestSubmit(button);
});

// The editor is larger than everything else of its page, which can be used without it: it comes when somebody is
// there, or at once to offer a text that was not saved.
const DRAFT_PREFIX = "agents-draft:";
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "focusin", "dragenter"];
const mountEditor = async () => {
  const host = document.querySelector("[data-editor]:not([data-ready])");
  if (!host || host.shadowRoot) return;
  const { mount } = await import(host.dataset.editor);
  if (host.isConnected && !host.shadowRoot) mount(host);
};
const expectEditor = () => {
  const host = document.querySelector("[data-editor]:not([data-ready])");
  if (!host) return;
  if (localStorage.getItem(DRAFT_PREFIX + host.dataset.draft) !== null) void mountEditor();
  else for (const sign of SIGNS_OF_LIFE) on(sign, mountEditor, { once: true, passive: true });
};
// What was saved needs no draft any more.
const dropDraft = () => {
  const saved = document.querySelector("[data-draft-done]");
  if (saved) localStorage.removeItem(DRAFT_PREFIX + saved.dataset.draftDone);
};
const onPage = () => {
  expectEditor();
  dropDraft();
};
if (document.readyState === "complete") onPage();
else addEventListener("load", onPage);
on("htmx:after:swap", (event) => {
  if (isBoosted(event)) onPage();
});

// A file that is dropped on a list goes the way of one that was chosen.
const dropZone = (event) => event.target.closest?.("[data-drop-for], form:has([data-attach])");
on("dragover", (event) => {
  if (!dropZone(event)) return;
  event.preventDefault();
  root.dataset.dragging = "";
});
on("dragleave", (event) => {
  if (!event.relatedTarget) delete root.dataset.dragging;
});
on("drop", (event) => {
  delete root.dataset.dragging;
  const zone = dropZone(event);
  const { files } = event.dataTransfer;
  const input = attachIn(zone) ?? document.getElementById(zone?.dataset.dropFor);
  if (!input || files.length === 0) return;
  event.preventDefault();
  if (input.matches("[data-attach]")) return attach(input, files);
  input.files = files;
  input.form.requestSubmit();
});

// Files that go with a message: chosen, pasted or dropped. What the server would refuse is said before it is sent.
const attachIn = (form) => form?.querySelector("[data-attach]");
const KIB = 1024;
const sizeOf = ({ size }) =>
  size < KIB * KIB ? `${Math.ceil(size / KIB)} KiB` : `${(size / KIB / KIB).toFixed(1)} MiB`;
const refusalOf = (input, files) => {
  const { countMax, bytesMax } = input.dataset;
  if (files.length > countMax) return `A message takes at most ${countMax} files.`;
  const large = files.find(({ size }) => size > bytesMax);
  return large ? `${large.name} has more than ${bytesMax / KIB / KIB} MiB.` : "";
};
const showAttached = (input, refusal) => {
  const box = input.closest("details");
  const files = Array.from(input.files);
  box.open ||= files.length > 0 || refusal !== "";
  box.querySelector("[data-attached]").textContent = files
    .map((file) => `${file.name} (${sizeOf(file)})`)
    .join(", ");
  box.querySelector("[data-attach-clear]").hidden = files.length === 0;
  box.querySelector("[data-attach-error]").textContent = refusal;
};
const attach = (input, added) => {
  const all = [...input.files, ...added];
  const refusal = refusalOf(input, all);
  if (refusal === "") {
    const list = new DataTransfer();
    for (const file of all) list.items.add(file);
    input.files = list.files;
    input.setCustomValidity("");
  }
  showAttached(input, refusal && `${refusal} Nothing was added.`);
};
on("change", ({ target }) => {
  if (!target.matches?.("[data-attach]")) return;
  const refusal = refusalOf(target, Array.from(target.files));
  target.setCustomValidity(refusal);
  showAttached(target, refusal && `${refusal} Choose others.`);
});
on("reset", ({ target }) => {
  const input = attachIn(target);
  // The fields are emptied after this event.
  if (input) setTimeout(showAttached, 0, input, "");
});
on("paste", (event) => {
  const input = attachIn(event.target.form);
  const { files } = event.clipboardData;
  if (!input || files.length === 0) return;
  event.preventDefault();
  attach(input, files);
});

// A form is sent once: a second click while the answer is on its way must not start a second run.
on("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || form.matches("[data-theme-form]")) return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  form.setAttribute("aria-busy", "true");
  if (!form.matches("[data-stays]")) return;
  event.preventDefault();
  void sendHere(form, event.submitter);
});

// What is done here and shows here: the button stays busy until the page says that it has happened.
const free = (form) => {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
};
const BUSY_MS_MAX = 3_000;
const sendHere = async (form, button) => {
  const place = button?.closest(".actions, .card-head, .c-actions") ?? form;
  for (const old of document.querySelectorAll(".refused-here")) old.remove();
  button?.setAttribute("aria-busy", "true");
  const done = () => {
    free(form);
    button?.removeAttribute("aria-busy");
  };
  try {
    const data = new FormData(form, button);
    const response = await fetch(form.action, {
      method: "POST",
      body: form.enctype === "multipart/form-data" ? data : new URLSearchParams(data),
      headers: { Accept: "application/problem+json" },
      redirect: "manual",
    });
    if (response.type !== "opaqueredirect") {
      const { detail, fix } = await response.json();
      throw new Error([detail, fix].filter(Boolean).join(" "));
    }
  } catch (error) {
    const note = document.createElement("p");
    note.className = "field-error refused-here";
    note.setAttribute("role", "alert");
    note.textContent =
      error instanceof TypeError
        ? "agents is not answering. Try again in a moment."
        : error.message;
    place.after(note);
    return done();
  }
  if (form.matches("[data-clears]")) form.reset();
  const table = document.getElementById("run-table");
  if (table?.hasAttribute("hx-get")) {
    on("htmx:after:swap", done, { once: true });
    return htmx.trigger(table, "refresh");
  }
  // A page of a run that had ended listens to nothing of it any more.
  if (document.querySelector('#run-head[data-phase="final"]')) {
    done();
    return document.getElementById("again")?.click();
  }
  on("htmx:after:swap", done, { once: true });
  setTimeout(() => {
    if ("sent" in form.dataset) document.getElementById("again")?.click();
    done();
  }, BUSY_MS_MAX);
};
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) free(form);
});

// A page that htmx fetched: close the drawer, move the focus to the new content, say its name.
on("htmx:after:swap", (event) => {
  if (!isBoosted(event)) return;
  document.getElementById("sidebar")?.hidePopover?.();
  document.getElementById("main")?.focus({ preventScroll: true });
  announce(document.querySelector("h1")?.textContent ?? "");
});
on("htmx:error", (event) => {
  if (isBoosted(event)) announce("agents is not answering. Try again in a moment.");
});
