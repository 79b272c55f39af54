import { createColors } from "picocolors";
import { pad, printable } from "./format.ts";
import type { LogLine } from "./product.ts";

const PREFIX_COLUMNS_MIN = 9;

/** A function that puts the coloured `name |` before lines; each service keeps its colour. */
export function createLogPainter(color: boolean): (line: LogLine) => string {
  const colors = createColors(color);
  const palette = [colors.cyan, colors.magenta, colors.yellow, colors.blue, colors.green];
  const paints = new Map<string, (text: string) => string>();
  let width = PREFIX_COLUMNS_MIN;
  return ({ service, line }) => {
    const paint = paints.get(service) ?? palette[paints.size % palette.length] ?? colors.cyan;
    paints.set(service, paint);
    width = Math.max(width, service.length);
    return `${paint(`${pad(service, width)} |`)} ${printable(line)}`;
  };
}
