/** Text that was written by people, models and machines: shown as it is, never as markup. */
import type { Child } from "hono/jsx";
import { Icon } from "./icon.tsx";
import { formatCount } from "./number.ts";

/** A longer value is cut on the page; the download has all of it. */
export const VALUE_CHARS_MAX = 20_000;
const SCROLL_CHARS_MIN = 500;
const SCROLL_LINES_MIN = 8;
/** A longer source is cut on the page. */
export const SOURCE_LINES_MAX = 3_000;

/** A JSON value: text as text, everything else as indented JSON. */
export function Value(props: { value: unknown; id?: string; charsMax?: number }) {
  const { charsMax = VALUE_CHARS_MAX } = props;
  const text = valueText(props.value);
  const cut = text.length > charsMax;
  return (
    <>
      <pre
        class={typeof props.value === "string" ? "value prose" : "value"}
        id={props.id}
        // What scrolls must be reached by keyboard.
        tabindex={mayScroll(text) ? 0 : undefined}
      >
        {keepNewline(cut ? text.slice(0, charsMax) : text)}
      </pre>
      {cut ? (
        <p class="sub cut">
          Cut here. The whole text has {formatCount(text.length)} characters; the download has it.
        </p>
      ) : null}
    </>
  );
}

/** Longer texts may be higher or wider than their box. */
function mayScroll(text: string): boolean {
  return (
    text.length > SCROLL_CHARS_MIN ||
    text.split("\n", SCROLL_LINES_MIN + 1).length > SCROLL_LINES_MIN
  );
}

/** HTML drops one line break at the start of `<pre>` and `<textarea>`; with this none is lost. */
export function keepNewline(text: string): string {
  return text.startsWith("\n") ? `\n${text}` : text;
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "null");
}

/** Copies the text of the element with this id. Script only: without it there is nothing to press. */
export function CopyButton(props: { target: string; label: string }) {
  return (
    <button type="button" class="icon-btn small js-only" data-copy={props.target}>
      <Icon name="copy" size={14} />
      <span class="sr">Copy {props.label}</span>
    </button>
  );
}

/** A file with line numbers; each line can be linked to as `#L12`. */
export function Source(props: { source: string; label: string; marks?: ReadonlySet<number> }) {
  const lines = props.source.replace(/\r?\n$/, "").split(/\r?\n/);
  return (
    <>
      <div class="source" tabindex={0} role="region" aria-label={props.label}>
        <ol>
          {lines.slice(0, SOURCE_LINES_MAX).map((line, index) => (
            <li id={`L${index + 1}`} class={props.marks?.has(index + 1) ? "marked" : undefined}>
              <code>{highlight(line)}</code>
            </li>
          ))}
        </ol>
      </div>
      {lines.length > SOURCE_LINES_MAX ? (
        <p class="sub cut">Cut here. The file has {formatCount(lines.length)} lines.</p>
      ) : null}
    </>
  );
}

const TOKEN =
  /(?<comment>(?:^|\s)#.*$)|(?<key>^\s*(?:- )?[\w.-]+(?=:(?:\s|$)))|(?<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?<name>\{[a-zA-Z_][\w.]*\})/g;

/** Enough colour to read YAML by: keys, quoted text, comments and `{placeholders}`. */
function highlight(line: string): Child[] {
  const parts: Child[] = [];
  let end = 0;
  for (const match of line.matchAll(TOKEN)) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
    parts.push(line.slice(end, match.index), <span class={`y-${kind ?? ""}`}>{match[0]}</span>);
    end = match.index + match[0].length;
  }
  return [...parts, line.slice(end)];
}
