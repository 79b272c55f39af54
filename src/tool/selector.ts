/**
 * CSS selectors of several parts (`article p > a`) for HTMLRewriter, which is asked for each part alone: by itself it
 * tries every way to spread the parts over the elements around, which on a deeply nested page takes for ever
 * and can by nothing be stopped.
 */
import { AppError } from "../domain/error.ts";

/** One bit of a number for each. */
const PART_COUNT_MAX = 30;

interface Part {
  readonly compound: string;
  readonly bit: number;
  /** Of the part to its left. */
  readonly before: number | undefined;
  /** It must stand right inside of that one. */
  readonly isChild: boolean;
}

export interface Selection {
  /** To be called once for each element, after the handlers that were registered here. True when it fits. */
  enter(): boolean;
  /** Where the elements are, to come back to when one ends. */
  place(): () => void;
}

/** Registers what finds the elements. @throws Error of HTMLRewriter for what is no selector; AppError `invalid`. */
export function selectElements(rewriter: HTMLRewriter, selector: string): Selection {
  new HTMLRewriter().on(selector, {}).transform("");
  const { parts, ends } = parse(selector);
  let matched = 0;
  /** Parts that end at an element around this one, and at the nearest. */
  let around = 0;
  let parent = 0;
  for (const { compound, bit } of parts) {
    rewriter.on(compound, {
      element() {
        matched |= bit;
      },
    });
  }
  return {
    place() {
      const [outer, nearest] = [around, parent];
      return () => {
        around = outer;
        parent = nearest;
      };
    },
    enter() {
      let reached = 0;
      for (const { bit, before, isChild } of parts) {
        const isInside = before === undefined || ((isChild ? parent : around) & before) !== 0;
        if ((matched & bit) !== 0 && isInside) reached |= bit;
      }
      matched = 0;
      around |= reached;
      parent = reached;
      return (reached & ends) !== 0;
    },
  };
}

/** Reads a selector that is known to be sound. */
function parse(selector: string): { readonly parts: readonly Part[]; readonly ends: number } {
  const parts: Part[] = [];
  let ends = 0;
  let before: number | undefined;
  let isChild = false;
  for (const [token] of selector.matchAll(TOKEN)) {
    if (token.trim() === "") continue;
    if (token === ">") isChild = true;
    else if (token === ",") {
      ends |= before ?? 0;
      before = undefined;
    } else {
      const bit = 1 << parts.length;
      parts.push({ compound: token, bit, before, isChild });
      before = bit;
      isChild = false;
    }
  }
  if (parts.length > PART_COUNT_MAX) {
    throw new AppError("invalid", "The selector has too many parts.", {
      fix: `Use at most ${PART_COUNT_MAX} elements, classes and so on.`,
    });
  }
  return { parts, ends: ends | (before ?? 0) };
}

/** A comma, a `>`, white space, or an element with all that is said about it. */
const TOKEN =
  /[,>]|\s+|(?:\\[^]|\[(?:"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|[^\]"'])*\]|\((?:[^()"']|"[^"]*"|'[^']*'|\([^()]*\))*\)|[^\s,>\\[\]()])+/g;
