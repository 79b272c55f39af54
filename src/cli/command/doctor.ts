import { createColors } from "picocolors";
import { readSettings } from "../../config/load.ts";
import { ERROR_CODES } from "../../domain/error.ts";
import { wrapText } from "../../lib/wrap-text.ts";
import type { CommandContext } from "../command.ts";
import type { DOCTOR } from "../definition.ts";
import { type Finding, runChecks } from "../doctor-check.ts";
import { pad } from "../format.ts";
import type { Style } from "../progress-view.ts";
import { columnsOf, print, printError } from "../terminal.ts";

const NAME_COLUMNS = 14;

/** Checks everything a start needs. The exit code is that of the first failure. */
export async function doctor(context: CommandContext<typeof DOCTOR.flags>): Promise<number> {
  const { terminal, flags } = context;
  if (flags.repair === true) await repair(context);
  const findings = await runChecks(context);
  const failed = findings.find(({ state }) => state === "fail");
  if (flags.json) {
    print(terminal, JSON.stringify({ ok: failed === undefined, checks: findings }, null, 2));
  } else {
    const style = { columns: columnsOf(terminal.output), color: terminal.color };
    for (const line of findings.flatMap((finding) => findingLines(finding, style))) {
      print(terminal, line);
    }
  }
  return failed === undefined ? 0 : ERROR_CODES[failed.code ?? "internal"].exit;
}

async function repair({ sources, terminal, loadApp }: CommandContext<typeof DOCTOR.flags>) {
  const app = await loadApp();
  const done = await app.repairDatabase(await readSettings(sources));
  if (done === undefined) return printError(terminal, "The database is not damaged.");
  for (const file of done.setAside) printError(terminal, `The damaged file is now ${file}`);
  printError(
    terminal,
    done.restored === undefined
      ? "There was no backup: the next start makes an empty database."
      : `The backup ${done.restored} was put in its place.`,
  );
}

/** `✔ database      …`, with the fix below it. */
export function findingLines({ name, state, text, fix }: Finding, style: Style): string[] {
  const colors = createColors(style.color);
  const mark = {
    ok: colors.green("ok  "),
    warn: colors.yellow("warn"),
    fail: colors.red("FAIL"),
  }[state];
  const indent = " ".repeat(NAME_COLUMNS + 6);
  const lines = [
    ...wrapText(text, style.columns - indent.length),
    ...(fix === undefined ? [] : wrapText(`Fix: ${fix}`, style.columns - indent.length)),
  ];
  return lines.map((line, index) =>
    index === 0 ? `${mark}  ${pad(name, NAME_COLUMNS)}${line}` : `${indent}${line}`,
  );
}
