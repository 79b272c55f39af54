/** The text of web pages. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { HttpPort, HttpResponse } from "../domain/http.ts";
import type { Tool } from "../domain/tool.ts";
import { callHttp, textOf } from "./call-http.ts";
import { defineTool } from "./define-tool.ts";

const URL_CHARS_MAX = 8_000;
const SELECTOR_CHARS_MAX = 500;
const TEXT_CHARS_MAX = 50_000;

const input = z.object({
  url: z.string().max(URL_CHARS_MAX).describe("The address of the page."),
  selector: z
    .string()
    .min(1)
    .max(SELECTOR_CHARS_MAX)
    .optional()
    .describe(
      'CSS selector of the wanted parts, such as "article" or "table.prices"; the whole page when left out.',
    ),
  offset: z.int().min(0).optional().describe("Characters of the text to skip; 0 when left out."),
});

/** The tool `web_scrape`. */
export function createWebScrape(http: HttpPort): Tool {
  return defineTool({
    name: "web_scrape",
    description: `Reads a web page and returns its title and its text with headings, lists and links as Markdown, at most ${TEXT_CHARS_MAX} characters. Addresses of this machine and of private networks are refused.`,
    input,
    async run({ url, selector, offset = 0 }, { signal }) {
      const answer = await callHttp(http, {
        method: "GET",
        url,
        headers: { accept: "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5" },
        signal,
      });
      if (answer.status >= 400) {
        throw new AppError("tool_failed", `The page cannot be read (HTTP ${answer.status}).`, {
          fix: "Check the address, or use another page.",
        });
      }
      const { title, text } = await read(answer, selector);
      const piece = text.slice(offset, offset + TEXT_CHARS_MAX).toWellFormed();
      const end = offset + piece.length;
      return {
        url: answer.url,
        title,
        chars: text.length,
        next_offset: end < text.length ? end : null,
        text: piece,
      };
    },
  });
}

async function read(
  answer: HttpResponse,
  selector: string | undefined,
): Promise<{ readonly title: string; readonly text: string }> {
  const type = (answer.headers["content-type"] ?? "text/html").split(";", 1)[0] ?? "";
  if (!/html/i.test(type)) {
    if (/^text\/|[/+](?:json|xml|yaml)$/i.test(type)) return { title: "", text: textOf(answer) };
    throw new AppError("tool_failed", `The address leads to ${type}, not to a page.`, {
      fix: "Use the address of a web page.",
    });
  }
  // Brings a table of two thousand names along.
  const { readableText } = await import("./readable-text.ts");
  const page = withSelectorErrors(() => readableText(textOf(answer), answer.url, selector));
  if (page.matchCount === 0) {
    throw new AppError("tool_failed", `Nothing on the page fits the selector \`${selector}\`.`, {
      fix: "Leave the selector out, or use another one.",
    });
  }
  return page;
}

function withSelectorErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "HTMLRewriterError") throw error;
    throw new AppError("invalid", `The selector cannot be used: ${error.message}`, {
      fix: "Use elements, classes, ids, attributes, and `>` or blanks between them.",
      cause: error,
    });
  }
}
