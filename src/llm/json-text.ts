/**
 * The JSON in a model's answer. Models that are only asked in words wrap it in a Markdown fence, in
 * thoughts or in a sentence; the answer is then cut down to the JSON. Text without JSON stays as it is.
 */
export function extractJson(text: string): string {
  const spoken = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "").trim();
  if (isJson(spoken)) return spoken;
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n?\s*```/i.exec(spoken)?.[1]?.trim();
  if (fenced !== undefined && isJson(fenced)) return fenced;
  for (const [open, close] of [
    ["{", "}"],
    ["[", "]"],
  ] as const) {
    const inner = spoken.slice(spoken.indexOf(open), spoken.lastIndexOf(close) + 1);
    if (inner.length > 1 && isJson(inner)) return inner;
  }
  return text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The question is whether it parses; why it does not is of no use here.
    return false;
  }
}
