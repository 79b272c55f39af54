const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  /"(?:[ !#-[\]-\u{10FFFF}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{},:]/uy;

type Expected = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or end" | "end";

/**
 * Where a text stops being JSON, and what was expected there; undefined when it is JSON. For error
 * messages: `JSON.parse` does not say the place.
 */
export function findJsonFault(text: string): { offset: number; expected: Expected } | undefined {
  const open: string[] = [];
  let expected: Expected = "value";
  let offset = skipSpace(text, 0);
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(text)?.[0];
    const next: Expected | undefined =
      token === undefined ? undefined : step(expected, token, open);
    if (token === undefined || next === undefined) return { offset, expected };
    expected = next;
    offset = skipSpace(text, offset + token.length);
  }
  return expected === "end" ? undefined : { offset, expected };
}

function skipSpace(text: string, from: number): number {
  SPACE.lastIndex = from;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

/** What may follow `token`; undefined when it may not stand here. Keeps the stack of open brackets. */
function step(expected: Expected, token: string, open: string[]): Expected | undefined {
  switch (token) {
    case "}":
    case "]":
      return close(expected, token, open);
    case ":":
      return expected === "colon" ? "value" : undefined;
    case ",":
      if (expected !== "comma or end") return undefined;
      return open.at(-1) === "{" ? "key" : "value";
    default:
      if (expected === "key" || expected === "key or }")
        return token.startsWith('"') ? "colon" : undefined;
      return expected === "value" || expected === "value or ]" ? begin(token, open) : undefined;
  }
}

function begin(token: string, open: string[]): Expected {
  if (token !== "{" && token !== "[") return open.length === 0 ? "end" : "comma or end";
  open.push(token);
  return token === "{" ? "key or }" : "value or ]";
}

function close(expected: Expected, token: string, open: string[]): Expected | undefined {
  const list = token === "]";
  const allowed = expected === "comma or end" || expected === (list ? "value or ]" : "key or }");
  if (!allowed || open.at(-1) !== (list ? "[" : "{")) return undefined;
  open.pop();
  return open.length === 0 ? "end" : "comma or end";
}
