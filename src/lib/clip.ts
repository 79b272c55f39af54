/** Text of at most `length` characters, with an ellipsis where it was longer; no character is cut in half. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
