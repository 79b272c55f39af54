/** Shapes that several resources share. */
import { z } from "zod";
import type { ErrorRecord } from "../../../domain/error.ts";
import type { Totals } from "../../../domain/run.ts";
import { parseTime } from "../../../lib/parse-time.ts";

const NANO_USD = 1_000_000_000;
const ID_LENGTH_MAX = 200;
export const PAGE_LENGTH_DEFAULT = 50;
export const PAGE_LENGTH_MAX = 200;
const SEARCH_LENGTH_MAX = 200;
const CURSOR_LENGTH_MAX = 400;

/** Whatever JSON can hold. Not spelled out: JSON Schema says it by saying nothing. */
export const JsonSchema = z.unknown().meta({ ref: "Json", description: "Any JSON value." });
export const JsonObjectSchema = z.record(z.string(), JsonSchema);

export const TimeSchema = z.string().meta({
  ref: "Time",
  format: "date-time",
  description: "ISO 8601, UTC.",
  examples: ["2026-11-20T16:41:07.000Z"],
});

export const ErrorSchema = z
  .strictObject({
    code: z.string().describe("Stable, in snake_case; docs/errors.md lists them."),
    message: z.string(),
    fix: z.string().optional().describe("What to do, as one sentence."),
    details: z.string().optional(),
  })
  .meta({ ref: "Error", description: "Why a run or a step has failed." });

export const ProblemSchema = z
  .strictObject({
    type: z.string().describe("A URN that ends in the code."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What happened."),
    fix: z.string().optional().describe("What to do, as one sentence."),
    code: z.string().describe("Stable, in snake_case."),
    errors: z
      .array(
        z.strictObject({
          in: z.enum(["path", "query", "header", "body"]),
          field: z.string().describe("A name; in the body a JSON pointer, empty for all of it."),
          message: z.string(),
          fix: z.string().optional(),
          line: z.int().optional().describe("In the text of a workflow, from 1."),
          column: z.int().optional(),
        }),
      )
      .optional()
      .describe("What is wrong with what was sent, place by place."),
  })
  .meta({ ref: "Problem", description: "A failure, as in RFC 9457." });

export const TotalsShape = {
  usage: z
    .strictObject({
      input_tokens: z.int(),
      output_tokens: z.int(),
      cache_read_tokens: z.int(),
      cache_write_tokens: z.int(),
      reasoning_tokens: z.int(),
      total_tokens: z.int().describe("Input and output."),
    })
    .meta({ ref: "Usage" }),
  cost_usd: z.number(),
  cost_nano_usd: z.int().describe("The same, exact: billionths of a USD."),
  cost_complete: z
    .boolean()
    .describe("False: prices of some calls are not known, the cost is a lower bound."),
};

export function presentTotals({ usage, costNanoUsd, unpricedCount }: Totals) {
  return {
    ...presentSpending(usage, costNanoUsd),
    cost_complete: unpricedCount === 0,
  };
}

export function presentSpending(usage: Totals["usage"], costNanoUsd: number) {
  return { usage: presentUsage(usage), cost_usd: toUsd(costNanoUsd), cost_nano_usd: costNanoUsd };
}

export function presentUsage(usage: Totals["usage"]) {
  return {
    input_tokens: usage.input,
    output_tokens: usage.output,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    reasoning_tokens: usage.reasoning,
    total_tokens: usage.input + usage.output,
  };
}

export function toUsd(nano: number): number {
  return nano / NANO_USD;
}

export function toNanoUsd(usd: number): number {
  return Math.round(usd * NANO_USD);
}

export function presentError(error: ErrorRecord | null) {
  return error === null ? null : { ...error };
}

export function toIso(at: number): string {
  return new Date(at).toISOString();
}

export function toIsoOrNull(at: number | null): string | null {
  return at === null ? null : toIso(at);
}

/** An identifier in an address. */
export const IdParam = z.string().min(1).max(ID_LENGTH_MAX);
export const IdParams = z.strictObject({ id: IdParam.describe("Its id.") });

export const PageShape = {
  limit: z
    .int()
    .min(1)
    .max(PAGE_LENGTH_MAX)
    .default(PAGE_LENGTH_DEFAULT)
    .describe("Items on a page."),
  cursor: z
    .string()
    .min(1)
    .max(CURSOR_LENGTH_MAX)
    .regex(/^[\w-]+$/)
    .optional()
    .describe("`next` of the page before."),
};

/** Text with something in it; spaces around it are dropped. */
export const Word = z.string().regex(/\S/, "It is empty.").trim();

export const SearchParam = z.string().trim().max(SEARCH_LENGTH_MAX).optional();

/** A time in a parameter → epoch milliseconds. */
export const TimeParam = z
  .string()
  .max(40)
  .refine((text) => parseTime(text) !== undefined, "This is no ISO 8601 time.")
  .transform((text) => parseTime(text) ?? 0)
  .meta({ format: "date-time" });

export function listOf<T extends z.ZodType>(item: T, ref: string) {
  return z
    .strictObject({
      items: z.array(item),
      next: z
        .string()
        .nullable()
        .describe("Send it as `cursor` for the next page; null on the last."),
    })
    .meta({ ref });
}
