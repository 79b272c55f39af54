/** The commented `.env` that documents every variable: `.env.example`, and the wizard's file. */
import { wrapText } from "../lib/wrap-text.ts";
import { SECTIONS, VARIABLES, type VariableInfo } from "./schema.ts";

const COLUMNS = 80;
const HEADING = [
  "Settings of agents. Every line is optional; remove the # in front of those you want to change.",
  "A flag wins over the environment, that over .env in the working folder, that over .env in the data folder.",
];

/** All variables, commented out, with their descriptions. */
export function envText(): string {
  const lines = HEADING.flatMap(comment);
  for (const section of SECTIONS) {
    lines.push("", `# --- ${section} ---`);
    for (const { name, info } of VARIABLES) {
      if (info.section !== section) continue;
      lines.push("", ...comment(describe(info)), `# ${name}=${info.default ?? info.example}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function describe(info: VariableInfo): string {
  const flag = info.flag === undefined ? "" : ` Flag: ${info.flag}.`;
  return `${info.description}${flag}`;
}

function comment(text: string): string[] {
  return wrapText(text, COLUMNS - 2).map((line) => `# ${line}`);
}
