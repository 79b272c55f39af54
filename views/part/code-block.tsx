import type { Child } from "hono/jsx";
import type { CodeToken } from "../../src/lib/highlight.ts";
import { CopyButton, keepNewline, VALUE_CHARS_MAX } from "./code.tsx";
import { formatCount } from "./number.ts";
import { SafeText } from "./safe-text.tsx";

/** Code with its colours and a button that copies it. */
export function CodeBlock(props: {
  text: string;
  tokens: readonly CodeToken[] | undefined;
  id: string;
  label: string;
}) {
  const { text, tokens, id, label } = props;
  const isCut = text.length > VALUE_CHARS_MAX;
  return (
    <div class="value-box">
      <pre class="value" id={id} tabindex={0} aria-label={label} role="region">
        {isCut || tokens === undefined ? (
          <SafeText text={keepNewline(text.slice(0, VALUE_CHARS_MAX))} />
        ) : (
          coloured(tokens)
        )}
      </pre>
      <CopyButton target={id} label={label} />
      {isCut ? (
        <p class="sub cut">Cut here. The whole text has {formatCount(text.length)} characters.</p>
      ) : null}
    </div>
  );
}

function coloured(tokens: readonly CodeToken[]): Child[] {
  return tokens.map(({ text, kind }, index) => {
    const shown = <SafeText text={index === 0 ? keepNewline(text) : text} />;
    return kind === undefined ? shown : <span class={`hl-${kind}`}>{shown}</span>;
  });
}
