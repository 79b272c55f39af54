/** Markdown that was read: values that hold text and safe addresses, and nothing that is HTML. */
import type { parser } from "@lezer/markdown";
import type { CodeToken } from "./highlight.ts";

/** Quotes, lists and emphasis in one another; what is deeper is shown as it is written. */
export const DEPTH_MAX = 12;

export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "emphasis" | "strong" | "strike"; readonly children: readonly Inline[] }
  | {
      readonly kind: "link";
      readonly href: string;
      /** Where it leads, when its text does not say so. */
      readonly shown: string | undefined;
      readonly children: readonly Inline[];
    };

export type Block =
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | {
      readonly kind: "heading";
      /** 1 for the first, and never more than one deeper than the heading before. */
      readonly depth: number;
      readonly children: readonly Inline[];
    }
  | { readonly kind: "quote"; readonly children: readonly Block[] }
  | {
      readonly kind: "list";
      /** The first number; undefined without numbers. */
      readonly start: number | undefined;
      readonly items: readonly ListItem[];
    }
  | {
      readonly kind: "table";
      /** Its place among the code and the tables of the text, from 1. */
      readonly number: number;
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | {
      readonly kind: "code";
      readonly number: number;
      /** As it is written; empty for none. */
      readonly language: string;
      readonly text: string;
      readonly tokens: readonly CodeToken[] | undefined;
    }
  | { readonly kind: "rule" };

export interface ListItem {
  /** Undefined for one that is no task. */
  readonly isDone: boolean | undefined;
  readonly children: readonly Block[];
}

export type MarkdownNode = ReturnType<typeof parser.parse>["topNode"];

/** The colours of code in a language; undefined for none. */
export type CodeColouring = (text: string, language: string) => readonly CodeToken[] | undefined;

export interface MarkdownReading {
  readonly text: string;
  readonly colour: CodeColouring;
  /** Of the definitions, by their label. */
  readonly addresses: ReadonlyMap<string, string>;
  addressChars: number;
  /** Levels of the headings that the current place is below. */
  readonly headings: number[];
  numbered: number;
}
