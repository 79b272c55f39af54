/** The list of runs as a file, written page by page: what it takes does not grow with the list. */
import type { RunFilter, RunStore, RunSummary } from "../domain/run.ts";
import { walkRuns } from "./runs-filter.ts";

const PAGE_COUNT = 500;
const NANO_USD = 1_000_000_000;

type Field = string | number | null;

const COLUMNS: readonly (readonly [name: string, value: (run: RunSummary) => Field])[] = [
  ["id", (run) => run.id],
  ["workflow", (run) => run.workflowName],
  ["version", (run) => run.versionHash],
  ["state", (run) => run.state],
  ["source", (run) => run.source],
  ["created", (run) => timeText(run.createdAt)],
  ["started", (run) => timeText(run.startedAt)],
  ["finished", (run) => timeText(run.finishedAt)],
  ["duration_ms", durationMs],
  ["steps_done", (run) => run.doneNodeIds.length],
  ["input_tokens", (run) => run.usage.input],
  ["output_tokens", (run) => run.usage.output],
  ["cost_usd", (run) => run.costNanoUsd / NANO_USD],
  ["unpriced_calls", (run) => run.unpricedCount],
  ["error_code", (run) => run.error?.code ?? null],
  ["error", (run) => run.error?.message ?? null],
];

export type ExportFormat = "csv" | "json";

/** Ends when the reader goes away. */
export function exportRuns(
  runs: RunStore,
  filter: Omit<RunFilter, "limit">,
  format: ExportFormat,
): ReadableStream<Uint8Array> {
  const pieces = format === "csv" ? csvPieces(runs, filter) : jsonPieces(runs, filter);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* csvPieces(
  runs: RunStore,
  filter: Omit<RunFilter, "limit">,
): AsyncGenerator<string, undefined> {
  yield `${COLUMNS.map(([name]) => name).join(",")}\r\n`;
  for await (const page of walkRuns(runs, filter, PAGE_COUNT)) {
    if (page.length > 0) yield page.map(csvLine).join("");
  }
  return undefined;
}

async function* jsonPieces(
  runs: RunStore,
  filter: Omit<RunFilter, "limit">,
): AsyncGenerator<string, undefined> {
  let isFirst = true;
  yield "[";
  for await (const page of walkRuns(runs, filter, PAGE_COUNT)) {
    const lines = page.map((run) =>
      JSON.stringify(Object.fromEntries(COLUMNS.map(([name, value]) => [name, value(run)]))),
    );
    if (lines.length === 0) continue;
    yield `${isFirst ? "\n" : ",\n"}${lines.join(",\n")}`;
    isFirst = false;
  }
  yield "\n]\n";
  return undefined;
}

function csvLine(run: RunSummary): string {
  return `${COLUMNS.map(([, value]) => csvField(value(run))).join(",")}\r\n`;
}

/** A text that a spreadsheet would take for a formula gets an apostrophe. */
function csvField(value: Field): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function timeText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function durationMs({ startedAt, finishedAt }: RunSummary): number | null {
  return startedAt === null || finishedAt === null ? null : finishedAt - startedAt;
}
