import type { Child } from "hono/jsx";

/* oxlint-disable no-control-regex -- Control characters are what is looked for. */

/** Marks that turn the direction of what follows them, and so can make a text read as another. */
const TURNS = /[\u202A-\u202E\u2066-\u2069]+/g;
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F]/g;
const PICTURES = 0x2400;
const DELETE = 0x7f;
const NAMED_COUNT_MAX = 4;

/**
 * Browsers shape the rest of a word anew at each of its breaks: one of 40,000 characters stopped the page. Places to
 * break make many short words of it.
 */
const LONG_WORD = /\S{400}/g;

/** Text of strangers: what would be invisible in it is shown, and no word is too long to be laid out. */
export function SafeText(props: { text: string }) {
  const text = props.text.replaceAll(CONTROLS, picture);
  const parts: Child[] = [];
  let end = 0;
  for (const match of text.matchAll(TURNS)) {
    // It stays in the text, for whoever copies it, but turns nothing beyond its own element.
    const turn = (
      <bdi class="turn" data-code={codes(match[0])}>
        {match[0]}
      </bdi>
    );
    parts.push(...breakable(text.slice(end, match.index)), turn);
    end = match.index + match[0].length;
  }
  return (
    <>
      {parts}
      {breakable(text.slice(end))}
    </>
  );
}

function breakable(text: string): Child[] {
  const parts: Child[] = [];
  let end = 0;
  for (const { 0: word, index } of text.matchAll(LONG_WORD)) {
    const next = index + word.length;
    parts.push(text.slice(end, next), <wbr />);
    end = next;
  }
  return [...parts, text.slice(end)];
}

/** Of the control characters Unicode has pictures. */
function picture(control: string): string {
  const code = control.charCodeAt(0);
  return code === DELETE ? "\u2421" : String.fromCharCode(PICTURES + code);
}

function codes(turns: string): string {
  const names = Array.from(
    turns.slice(0, NAMED_COUNT_MAX),
    (turn) => `U+${turn.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return names.concat(turns.length > NAMED_COUNT_MAX ? ["…"] : []).join(" ");
}
