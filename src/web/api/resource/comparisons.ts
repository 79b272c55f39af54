import { z } from "zod";
import type { StepFigures } from "../../../../views/compare.tsx";
import { type Run, STEP_STATES } from "../../../domain/run.ts";
import type { TextDiff } from "../../../lib/diff.ts";
import type { Kit } from "../../kit.ts";
import { requireRun } from "../../require.ts";
import { compareRuns } from "../../run-comparison.ts";
import { defineOperation, type Operation } from "../operation.ts";
import {
  IdParam,
  presentTotals,
  TimeSchema,
  toIso,
  toIsoOrNull,
  TotalsShape,
} from "../schema/common.ts";
import { presentRunSummary, RunSummarySchema } from "../schema/run.ts";

const DiffSchema = z
  .strictObject({
    added: z.int().describe("Lines."),
    removed: z.int(),
    is_partial: z.boolean().describe("Not all could be compared."),
    lines: z
      .array(
        z.strictObject({
          kind: z.enum(["same", "removed", "added"]),
          before: z.int().nullable().describe("Its number in the first text."),
          after: z.int().nullable(),
          text: z.string(),
        }),
      )
      .describe("What differs, with a few lines around it; empty where nothing does."),
  })
  .meta({ ref: "Diff" });

const SideSchema = z
  .strictObject({
    attempt: z.int(),
    state: z.enum(STEP_STATES),
    ...TotalsShape,
    started_at: TimeSchema,
    finished_at: TimeSchema.nullable(),
  })
  .meta({ ref: "ComparedStep" });

const ComparisonSchema = z
  .strictObject({
    a: RunSummarySchema,
    b: RunSummarySchema,
    source: DiffSchema.nullable().describe(
      "Of the workflow; null for the same version, or one that is gone.",
    ),
    inputs: DiffSchema,
    outputs: DiffSchema.describe("Of the values at the end."),
    divergence: z
      .strictObject({ step: z.string(), how: z.string() })
      .nullable()
      .describe("The first step that went another way."),
    steps: z
      .array(
        z.strictObject({ step: z.string(), a: SideSchema.nullable(), b: SideSchema.nullable() }),
      )
      .describe("Last attempts of the first 200 steps of each; null: it has not reached it."),
  })
  .meta({ ref: "Comparison" });

export function comparisonOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "compareRuns",
      method: "GET",
      path: "/comparisons",
      tag: "runs",
      summary: "Compare two runs: their workflow, inputs, steps and results",
      scope: "read",
      query: z.strictObject({
        a: IdParam.describe("Id of the first run."),
        b: IdParam.describe("Id of the second."),
      }),
      answer: { status: 200, description: "What differs.", schema: ComparisonSchema },
      refusals: [404],
      async handle({ query }) {
        const a: Run = await requireRun(deps, query.a);
        const b: Run = await requireRun(deps, query.b);
        const { source, inputs, outputs, divergence, pairs } = await compareRuns(deps, a, b);
        return {
          body: {
            a: presentRunSummary(a),
            b: presentRunSummary(b),
            source: source === undefined ? null : presentDiff(source),
            inputs: presentDiff(inputs),
            outputs: presentDiff(outputs),
            divergence:
              divergence === undefined ? null : { step: divergence.key, how: divergence.how },
            steps: pairs.map((pair) => ({
              step: pair.key,
              a: presentSide(pair.a),
              b: presentSide(pair.b),
            })),
          },
        };
      },
    }),
  ];
}

function presentDiff({ hunks, addedCount, removedCount, isPartial }: TextDiff) {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return {
    added: addedCount,
    removed: removedCount,
    is_partial: isPartial,
    lines: lines.map(({ kind, before = null, after = null, parts }) => ({
      kind,
      before,
      after,
      text: parts.map(({ text }) => text).join(""),
    })),
  };
}

function presentSide(step: StepFigures | undefined) {
  if (step === undefined) return null;
  return {
    attempt: step.attempt,
    state: step.state,
    ...presentTotals(step),
    started_at: toIso(step.startedAt),
    finished_at: toIsoOrNull(step.finishedAt),
  };
}
