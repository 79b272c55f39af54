import type { Child } from "hono/jsx";

const CODE = /`(?<code>[^`\n]+)`|(?<url>https:\/\/[^\s`"'<>)\]]*[^\s`"'<>)\].,;:!?])/g;

/**
 * A sentence of the product: what stands between backticks is shown as code.
 *
 * @param props.links Make web addresses links; only for text that the product itself wrote.
 */
export function InlineText(props: { text: string; links?: boolean }) {
  const { text } = props;
  const parts: Child[] = [];
  let end = 0;
  for (const match of text.matchAll(CODE)) {
    const { code, url } = match.groups ?? {};
    if (url !== undefined && props.links !== true) continue;
    parts.push(text.slice(end, match.index), url === undefined ? <code>{code}</code> : link(url));
    end = match.index + match[0].length;
  }
  return (
    <>
      {parts}
      {text.slice(end)}
    </>
  );
}

function link(url: string): Child {
  return (
    <a href={url} rel="noopener noreferrer" class="plain-link">
      {url}
    </a>
  );
}
