/** A character at the beginning of a cell by which spreadsheets take it for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A table as CSV (RFC 4180) with a heading. Texts that a spreadsheet would take for a formula get an apostrophe in
 * front: names are written by whoever may write a workflow.
 */
export function toCsv(
  rows: readonly Readonly<Record<string, string | number | null>>[],
  columns: readonly string[],
): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
