import { expect } from "bun:test";
import { join } from "node:path";

/** Compares with tests/cli/golden/NAME; `UPDATE=1` writes it. */
export async function expectGolden(name: string, text: string): Promise<void> {
  const path = join(import.meta.dir, "golden", name);
  if (process.env["UPDATE"] === "1") await Bun.write(path, text);
  expect(text).toBe(await Bun.file(path).text());
}

/** Fails with the line when one is wider than a terminal of 80 columns. */
export function expectNarrow(text: string): void {
  const wide = text.split("\n").filter((line) => Bun.stringWidth(line) > 80);
  expect(wide).toEqual([]);
}
