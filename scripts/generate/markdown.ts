/** What the generated pages share. */

export const NOTICE = "<!-- Made by scripts/generate.ts: change the code, then run it. -->";

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Blocks with an empty line between them, and one line break at the end. */
export function page(blocks: readonly string[]): string {
  return `${blocks.join("\n\n")}\n`;
}
