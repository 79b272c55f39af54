/** Writes tables as CSV (RFC 4180, with line feeds). Values are kept exactly. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";
import { replaceFile } from "./file-write.ts";

const ROW_COUNT_MAX = 100_000;
const COLUMN_COUNT_MAX = 1_000;

const input = z.object({
  data: z
    .union([
      z.array(z.record(z.string(), z.unknown())).max(ROW_COUNT_MAX),
      z.array(z.array(z.unknown())).max(ROW_COUNT_MAX),
    ])
    .describe("The rows: maps of column to value, or lists of values."),
  path: z.string().describe("The CSV file, relative to the workspace."),
  columns: z
    .array(z.string())
    .max(COLUMN_COUNT_MAX)
    .optional()
    .describe("The columns in their order; all that the rows have when left out."),
  index: z.boolean().optional().describe("true adds a first column that counts the rows from 0."),
});

/** The tool `dataframe_to_csv`. */
export function createDataframeToCsv(files: FileAccess): Tool {
  return defineTool({
    name: "dataframe_to_csv",
    description: "Writes rows of data into a CSV file in the workspace.",
    input,
    run: async ({ data, path, columns, index = false }) =>
      files.write(path, async (place) => {
        const { header, rows } = tableOf(data, columns);
        const numbered = index ? rows.map((row, number) => [number, ...row]) : rows;
        const head = header.length === 0 ? [] : [index ? ["", ...header] : header];
        const text = [...head, ...numbered].map((row) => `${row.map(cell).join(",")}\n`).join("");
        await replaceFile(place.path, text);
        return { path: files.shown(place.realPath), rows: rows.length, columns: header };
      }),
  });
}

interface Table {
  /** Empty for lists without stated columns. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

function tableOf(
  data: readonly (Readonly<Record<string, unknown>> | readonly unknown[])[],
  columns: readonly string[] | undefined,
): Table {
  const maps = data.filter((row) => !isList(row));
  const lists = data.filter(isList);
  if (lists.length > 0) {
    const wide = lists.findIndex((row) => columns !== undefined && row.length !== columns.length);
    if (wide !== -1) {
      throw new AppError(
        "invalid",
        `Row ${wide} has ${lists[wide]?.length} values for ${columns?.length} columns.`,
        {
          fix: "Give each row one value for each column.",
        },
      );
    }
    return { header: columns ?? [], rows: lists };
  }
  const header = columns ?? [...new Set(maps.flatMap((row) => Object.keys(row)))];
  const byName = maps.map((row) => new Map(Object.entries(row)));
  return { header, rows: byName.map((row) => header.map((name) => row.get(name))) };
}

function isList(
  row: Readonly<Record<string, unknown>> | readonly unknown[],
): row is readonly unknown[] {
  return Array.isArray(row);
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
