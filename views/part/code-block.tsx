import type { Child } from "hono/jsx";
import type { CodeToken } from "../../src/lib/highlight.ts";
import { CopyButton, keepNewline, VALUE_CHARS_MAX } from "./code.tsx";
import { formatCount } from "./number.ts";
import { SafeText } from "./safe-text.tsx";

/** Of the name of a language, which is what somebody has written after the fence. */
const LANGUAGE_CHARS_MAX = 24;

/** Code with its colours, below the name of its language and a button that copies it. */
export function CodeBlock(props: {
  text: string;
  language: string;
  tokens: readonly CodeToken[] | undefined;
  id: string;
  label: string;
}) {
  const { text, language, tokens, id, label } = props;
  const isCut = text.length > VALUE_CHARS_MAX;
  return (
    <div class="code-block">
      <p class="code-head">
        <span class="code-language">
          <SafeText text={languageName(language)} />
        </span>
        <CopyButton target={id} label={label} />
      </p>
      <pre class="value" id={id} tabindex={0} aria-label={label} role="region">
        {isCut || tokens === undefined ? (
          <SafeText text={keepNewline(text.slice(0, VALUE_CHARS_MAX))} />
        ) : (
          coloured(tokens)
        )}
      </pre>
      {isCut ? (
        <p class="sub cut">Cut here. The whole text has {formatCount(text.length)} characters.</p>
      ) : null}
    </div>
  );
}

function languageName(language: string): string {
  if (language === "") return "text";
  const chars = Array.from(language.slice(0, 2 * LANGUAGE_CHARS_MAX));
  if (chars.length <= LANGUAGE_CHARS_MAX) return language;
  return `${chars.slice(0, LANGUAGE_CHARS_MAX).join("")}…`;
}

function coloured(tokens: readonly CodeToken[]): Child[] {
  return tokens.map(({ text, kind }, index) => {
    const shown = <SafeText text={index === 0 ? keepNewline(text) : text} />;
    return kind === undefined ? shown : <span class={`hl-${kind}`}>{shown}</span>;
  });
}
