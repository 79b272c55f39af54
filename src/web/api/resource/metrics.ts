import { z } from "zod";
import { METRICS_RANGES } from "../../../../views/part/metrics.ts";
import { defined } from "../../../lib/defined.ts";
import type { Kit } from "../../kit.ts";
import { readMetricsChoice } from "../../metrics-range.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { invalidRequest } from "../request.ts";
import { IdParam } from "../schema/common.ts";
import {
  MetricsSchema,
  presentModelSums,
  presentNodeSums,
  presentSpan,
  presentSums,
  presentWorkflowSums,
} from "../schema/metrics.ts";

const DayParam = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, "This is no day; write it as 2026-11-20.")
  .meta({ format: "date" });

export function metricsOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "getMetrics",
      method: "GET",
      path: "/metrics",
      tag: "metrics",
      summary: "Read what runs have cost, taken and come to, by time, workflow, node and model",
      description: "Times are whole hours, further back whole days of UTC.",
      scope: "read",
      query: z.strictObject({
        range: z.enum(METRICS_RANGES).optional().describe("Up to now; 7d unless days are given."),
        from: DayParam.optional().describe("First day, with `to` in place of `range`."),
        to: DayParam.optional().describe("Last day, included."),
        workflow: IdParam.optional().describe("Id of the workflow."),
        order: z.enum(["cost", "duration"]).default("cost").describe("Of `nodes`."),
        limit: z.int().min(1).max(200).default(20).describe("Of each list but `series`."),
      }),
      answer: { status: 200, description: "The sums.", schema: MetricsSchema },
      async handle({ query }) {
        const { range, from, to, workflow, order, limit } = query;
        const isCustom = range === undefined && (from !== undefined || to !== undefined);
        const asked = { range: isCustom ? "custom" : range, from, to, workflow };
        const names: Readonly<Record<string, string | undefined>> = asked;
        const choice = readMetricsChoice((name) => names[name], deps.clock.now());
        if (choice.fault !== undefined) {
          const [message = ""] = choice.fault.split(" Shown are");
          throw invalidRequest([{ in: "query", field: "from", message }]);
        }
        const { sinceMs, untilMs, spanMs, workflowId } = choice;
        const filter = { sinceMs, untilMs, ...defined({ workflowId }) };
        const [totals, series, workflows, nodes, models] = await Promise.all([
          deps.metrics.totals(filter),
          deps.metrics.series({ ...filter, spanMs }),
          deps.metrics.byWorkflow({ ...filter, limit }),
          deps.metrics.byNode({ ...filter, order, limit }),
          deps.metrics.byModel({ ...filter, limit }),
        ]);
        return {
          body: {
            since: new Date(sinceMs).toISOString(),
            until: new Date(untilMs).toISOString(),
            span_ms: spanMs,
            totals: presentSums(totals),
            series: series.map(presentSpan),
            workflows: workflows.map(presentWorkflowSums),
            nodes: nodes.map(presentNodeSums),
            models: models.map(presentModelSums),
          },
        };
      },
    }),
  ];
}
