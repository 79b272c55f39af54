/** A page as a list of elements, for checks that look at structure and not at text. */
export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Tags of the elements around it, outermost first. */
  readonly path: readonly string[];
}

const VOID = new Set(["input", "link", "meta", "img", "br", "hr"]);

export function inspect(html: string): Element[] {
  const elements: Element[] = [];
  const open: string[] = [];
  new HTMLRewriter()
    .on("*", {
      element(element) {
        const tag = element.tagName;
        elements.push({ tag, attributes: Object.fromEntries(element.attributes), path: [...open] });
        if (VOID.has(tag) || element.selfClosing || !element.canHaveContent) return;
        open.push(tag);
        element.onEndTag(() => {
          open.pop();
        });
      },
    })
    .transform(html);
  return elements;
}

/** What a reader sees, roughly: the text without tags, with single spaces. */
export function visibleText(html: string): string {
  return html
    .replaceAll(/<(?:script|style|head)\b.*?<\/(?:script|style|head)>/gs, " ")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ");
}
