/** Addresses and headers of nodes that call something elsewhere. */
import type { Json } from "../lib/json.ts";
import { readTexts } from "./mcp-server.ts";
import { member, textOf } from "./raw.ts";
import {
  checkTemplate,
  checkVariableTemplate,
  type TextContext,
  type TextPlace,
} from "./text-check.ts";

/** Schema and host; a template may begin with the placeholder that holds them. */
const ADDRESS = /^(?:https?:\/\/[^\s/]|\{)/i;
/** RFC 9110 */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** @param owner The map with `url`, which stands at `place`. */
export function readUrl(owner: Json | undefined, place: TextPlace, context: TextContext): string {
  const url = textOf(member(owner, "url"));
  if (url === undefined) return "";
  const path = [...place.path, "url"];
  checkTemplate(url, { ...place, path }, context);
  if (!ADDRESS.test(url)) {
    context.reporter.error(path, {
      code: "bad-value",
      message: `\`${url}\` is not an address.`,
      fix: "Write it as https://host/path, or begin it with a placeholder.",
    });
  }
  return url;
}

/** Templates by name, with `${NAME}` of the environment in them. */
export function readVariableTexts(
  raw: Json | undefined,
  place: TextPlace,
  context: TextContext,
): Record<string, string> {
  const texts = readTexts(raw);
  for (const [name, text] of Object.entries(texts))
    checkVariableTemplate(text, { ...place, path: [...place.path, name] }, context);
  return texts;
}

export function readHeaders(
  owner: Json | undefined,
  place: TextPlace,
  context: TextContext,
): Record<string, string> {
  const path = [...place.path, "headers"];
  const headers = readVariableTexts(member(owner, "headers"), { ...place, path }, context);
  for (const name of Object.keys(headers)) {
    if (HEADER_NAME.test(name)) continue;
    context.reporter.error([...path, name], {
      code: "bad-identifier",
      message: `\`${name}\` cannot be the name of a header.`,
      fix: "Write it as `Content-Type`: letters, digits and -.",
      at: "key",
    });
  }
  return headers;
}
