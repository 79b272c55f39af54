/** AppError → text and exit code. The only place of the command line that does this. */
import { createColors } from "picocolors";
import { AppError, ERROR_CODES, type ErrorRecord } from "../domain/error.ts";
import { wrapText } from "../lib/wrap-text.ts";
import { columnsOf, printError, type Terminal } from "./terminal.ts";

const CAUSE_DEPTH_MAX = 8;
const ISSUES = "Run again with --verbose for the technical details.";

/** Prints a failure and returns the exit code that belongs to it. */
export function reportError(error: unknown, terminal: Terminal, verbose: boolean): number {
  const failure = AppError.from(error);
  const columns = columnsOf(terminal.errorOutput);
  printError(
    terminal,
    formatFailure(describeFailure(failure, verbose), { columns, color: terminal.color }),
  );
  return ERROR_CODES[failure.code].exit;
}

/** Failures in the background end nothing; they are shown to those who ask for details. */
export function backgroundReporter({
  terminal,
  global,
}: {
  readonly terminal: Terminal;
  readonly global: { readonly verbose?: boolean | undefined };
}): (error: unknown) => void {
  return (error) => {
    if (global.verbose) printError(terminal, Bun.inspect(error));
  };
}

/** The record of a failure; an internal one that says nothing else points to `--verbose`. */
function describeFailure(failure: AppError, verbose: boolean): ErrorRecord {
  const record = failure.toRecord(verbose ? causeText(failure) : undefined);
  const silent = failure.code === "internal" && record.fix === undefined && !verbose;
  return silent ? { ...record, fix: ISSUES } : record;
}

/** `error: …`, `Fix: …` and the details when there are some, wrapped. */
export function formatFailure(
  failure: ErrorRecord,
  style: { readonly columns: number; readonly color: boolean },
): string {
  const colors = createColors(style.color);
  const lines = paragraph("error: ", failure.message, style.columns);
  lines[0] = (lines[0] ?? "").replace(/^error:/, colors.bold(colors.red("error:")));
  if (failure.fix !== undefined) {
    const fix = paragraph("Fix: ", failure.fix, style.columns);
    fix[0] = (fix[0] ?? "").replace(/^Fix:/, colors.bold(colors.green("Fix:")));
    lines.push(...fix);
  }
  if (failure.details !== undefined) {
    lines.push("Details:", ...failure.details.split("\n").map((line) => colors.dim(`  ${line}`)));
  }
  return lines.join("\n");
}

function paragraph(label: string, text: string, columns: number): string[] {
  const lines: string[] = [];
  text.split("\n").forEach((part, index) => {
    const indent = /^\s*/.exec(part)?.[0] ?? "";
    const first = index === 0 ? label : indent;
    const rest = index === 0 ? "" : `${indent}  `;
    wrapText(part, columns - first.length - 2).forEach((line, row) => {
      lines.push(`${row === 0 ? first : rest}${line}`);
    });
  });
  return lines;
}

/** The code, and the chain of causes with the stack of the innermost. */
function causeText(failure: AppError): string {
  const lines = [`code: ${failure.code}`];
  let cause: unknown = failure.cause;
  for (let depth = 0; cause !== undefined && depth < CAUSE_DEPTH_MAX; depth += 1) {
    if (!(cause instanceof Error)) {
      lines.push(`cause: ${typeof cause === "string" ? cause : Bun.inspect(cause)}`);
      break;
    }
    lines.push(
      `cause: ${cause.cause === undefined ? (cause.stack ?? cause.message) : cause.message}`,
    );
    cause = cause.cause;
  }
  return lines.join("\n");
}
