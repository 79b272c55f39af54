/** The text of an HTML page as Markdown: headings, lists, links; no scripts, styles or hidden parts. */
import { decodeHTML, decodeHTMLAttribute } from "entities";
import { selectElements } from "./selector.ts";

export interface ReadableText {
  readonly title: string;
  readonly text: string;
  /** Elements that the selector has found; 1 without a selector. */
  readonly matchCount: number;
}

const SKIPPED = new Set(
  "script style noscript template svg iframe canvas object video audio select button".split(" "),
);
const BLOCKS = new Set(
  "address article aside blockquote body dd details div dl dt fieldset figcaption figure footer form header hr li main nav ol p pre section summary table tr ul".split(
    " ",
  ),
);

/** Stands for a blank that is to stay, of a private range that pages do not use. */
const KEPT_SPACE = "\uE000";

/**
 * @param selector CSS: what is read; the whole page when left out. @throws Error with the reason when it
 * cannot be understood.
 */
export function readableText(html: string, baseUrl: string, selector?: string): ReadableText {
  const writer = createWriter(baseUrl);
  let inside = selector === undefined ? 1 : 0;
  let matchCount = inside;
  let skipped = 0;
  let title = "";
  let titles = 0;
  let rest = "";
  const rewriter = new HTMLRewriter();
  // Its handlers are called before the other one for the same element.
  const selection = selector === undefined ? undefined : selectElements(rewriter, selector);
  rewriter.on("*", {
    element(element) {
      const tag = element.tagName;
      const leave = selection?.place();
      const isMatch = selection?.enter() === true;
      if (isMatch) matchCount += 1;
      const opened = {
        inside: isMatch ? 1 : 0,
        skipped: isSkipped(element) ? 1 : 0,
        titles: tag === "title" ? 1 : 0,
      };
      const isOpen = !element.selfClosing && element.canHaveContent;
      const isRead = inside + opened.inside > 0 && skipped + opened.skipped === 0;
      if (opened.inside > 0) writer.block();
      const end = isRead ? writer.open(tag, element.getAttribute("href")) : undefined;
      if (!isOpen) return leave?.();
      inside += opened.inside;
      skipped += opened.skipped;
      titles += opened.titles;
      // One for all: a second one would take the place of the first.
      element.onEndTag(() => {
        inside -= opened.inside;
        skipped -= opened.skipped;
        titles -= opened.titles;
        leave?.();
        end?.();
      });
      return undefined;
    },
  });
  rewriter.onDocument({
    text(chunk) {
      rest += chunk.text;
      if (!chunk.lastInTextNode) return;
      const text = decodeHTML(rest);
      rest = "";
      if (titles > 0 && title === "") title = text.replaceAll(/\s+/g, " ").trim();
      else if (inside > 0 && skipped === 0 && titles === 0) writer.text(text);
    },
  });
  rewriter.transform(html);
  return { title, text: writer.result(), matchCount };
}

function isSkipped(element: HTMLRewriterTypes.Element): boolean {
  return (
    SKIPPED.has(element.tagName) ||
    element.hasAttribute("hidden") ||
    element.getAttribute("aria-hidden") === "true"
  );
}

/** Collects what is to be read, in order. */
function createWriter(baseUrl: string) {
  const pieces: string[] = [];
  let preformatted = 0;
  const block = () => void pieces.push("\n");
  /** What is written from here to the end of the element becomes one link. */
  const openLink = (href: string) => {
    const start = pieces.length;
    return () => void pieces.push(linkOf(pieces.splice(start).join(""), href, baseUrl));
  };
  const open = (tag: string, href: string | null): (() => void) | undefined => {
    const level = /^h([1-6])$/.exec(tag)?.[1];
    if (tag === "br") block();
    else if (tag === "td" || tag === "th") pieces.push(" | ");
    else if (tag === "a" && href !== null) return openLink(href);
    else if (level !== undefined) {
      pieces.push("\n\n", `${"#".repeat(Number(level))} `);
      return block;
    } else if (tag === "pre") {
      preformatted += 1;
      pieces.push("\n");
      return () => {
        preformatted -= 1;
        block();
      };
    } else if (BLOCKS.has(tag)) {
      pieces.push(tag === "p" ? "\n\n" : "\n", tag === "li" ? "- " : "");
      return block;
    }
    return undefined;
  };
  return {
    block,
    open,
    text: (text: string) =>
      void pieces.push(
        preformatted > 0
          ? text.replaceAll(" ", KEPT_SPACE)
          : text.replaceAll(/[ \t\r\n\f\u00A0]+/g, " "),
      ),
    result: () =>
      pieces
        .join("")
        .replaceAll(/[ \t]+/g, " ")
        .replaceAll(/ ?\n ?/g, "\n")
        .replaceAll(/\n{3,}/g, "\n\n")
        .trim()
        .replaceAll(KEPT_SPACE, " "),
  };
}

function linkOf(text: string, href: string, baseUrl: string): string {
  const label = text.replaceAll(/\s+/g, " ").replace(/^ ?(?:#+|-) /, "");
  const url = URL.parse(decodeHTMLAttribute(href), baseUrl);
  if (label.trim() === "" || url === null || !/^https?:$/.test(url.protocol)) return label;
  return `[${label.trim()}](${url.href})`;
}
