/** Lists in pages: a cursor is the place of the last item, so that a page costs the same wherever it is. */
import type { WebContext } from "../kit.ts";
import { invalidRequest } from "./request.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

/**
 * @param found One more than `limit` when there is a next page.
 * @param placeOf What the store is asked to go on behind.
 */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  placeOf: (item: T) => string,
): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = found.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : undefined;
  return { items, next };
}

export function encodeCursor(place: string): string {
  return Buffer.from(place).toString("base64url");
}

/** @throws RequestProblem 422 for what is no cursor of ours. */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const place = Buffer.from(cursor, "base64url").toString();
  if (/^[\x21-\x7e]+$/.test(place) && encodeCursor(place) === cursor) return place;
  throw invalidRequest([
    { in: "query", field: "cursor", message: "This is no cursor; use `next` of the page before." },
  ]);
}

/** Where the next page is, as a header. */
export function linkToNext(c: WebContext, next: string | undefined): Record<string, string> {
  if (next === undefined) return {};
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.set("cursor", next);
  return { Link: `<${pathname}?${searchParams.toString()}>; rel="next"` };
}
