import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../src/domain/error.ts";
import { evaluateCondition, isTruthy, parseCondition } from "../../src/language/condition.ts";
import type { Json } from "../../src/lib/json.ts";

const scope = {
  locals: { item: { id: 7, tags: ["new"] }, index: 0, status: "local" },
  values: {
    score: 0.9,
    limit: 0.8,
    count: 3,
    zero: 0,
    status: "approved",
    other: "approved",
    name: "a or b",
    phrase: "needs review",
    model: "gpt-4.1",
    date: "2026-11-20",
    quote: `it's "so"`,
    flag: true,
    off: false,
    items: ["a", "b"],
    numbers: [3, 1, [2]],
    empty: [],
    blank: "",
    nothing: null,
    obj: { a: 1, "a b": { c: [10, 20] }, none: null, "0": "zero" },
    important: true,
    executed: false,
    eval_score: 0.9,
    x: 1,
    y: 2,
    z: 1,
    and: "keyword",
    größe: 1.8,
    items2: [{ price: 5 }, { price: 7 }],
  },
};

/** What `ORIGINALS` of the replaced system lists: its results where it had a right one. */
const REPLACED: readonly (readonly [text: string, expected: boolean | string])[] = [
  ["state.score > 0.8", true],
  ["state.score>0.8", true],
  ["state.status == approved", true],
  ['state.status == "approved"', true],
  ["state.status == 'approved'", true],
  ["state.flag", true],
  ["not state.flag", false],
  ["state.items", true],
  ["state.flag and state.off", false],
  ["state.flag or state.off", true],
  ["state.flag and off", false],
  // There `and` was split off first: x and (y or z).
  ["state.x == 1 and state.y == 1 or state.z == 1", true],
  ["state.x == 2 and state.y == 1 or state.z == 1", true],
  ["(state.x == 1)", true],
  ["(state.flag and state.off) or state.x", true],
  ["not state.x == 1", false],
  ["0.8 < state.score", true],
  ["state.score in [0.9, 1]", true],
  ["len(state.items) > 0", true],
  ["state.obj.a == 1", true],
  ["{state.score} > 0.8", true],
  ["state.flag AND NOT state.off OR state.zero", true],
  ["state.score > state.limit", true],
  ["state.missing == 1", "1:`state.missing` has no value."],
  ["state.nothing == None", true],
  ["state.flag == None", false],
  ["state.name == 'a or b'", true],
  ["state.important", true],
  ["state.eval_score > 0.8", true],
  ["state.executed", false],
];

const EXPRESSIONS: readonly (readonly [text: string, expected: boolean | string])[] = [
  // Unquoted text on the right
  ["state.status != rejected", true],
  ["state.status == approved and state.flag", true],
  ["(state.status == approved)", true],
  ["state.status == other", true],
  ["status == local", true],
  ["state.phrase == needs review", true],
  ["state.phrase == needs review or state.off", true],
  ["state.model == gpt-4.1", true],
  ["state.count == count-0", true],
  ["state.date == 2026-11-20", true],
  ["state.date >= 2026-01-01", true],
  ["state.status in [approved, needs review]", true],
  ["state.status not in [rejected, 'approved']", false],
  ["state.status in [state.x == 1 and state.status, rejected]", true],
  ["state.status >= a", true],
  ["state.status == True", false],
  ["state.blank == ''", true],
  // Logic and precedence
  ["true or false and false", true],
  ["(true or false) and false", false],
  ["not true or true", true],
  ["not (true or true)", false],
  ["not not state.flag", true],
  ["not state.x == 2 and true", true],
  ["True AND FALSE", false],
  ["(state.blank or 'x') == 'x'", true],
  ["(state.items and 5) == 5", true],
  ["state.off and state.missing", false],
  ["state.flag or state.missing", true],
  ["state.nothing", false],
  ["state.zero", false],
  ["state.empty", false],
  ["state.blank", false],
  ["state.obj", true],
  ["'false'", true],
  // Comparisons
  ["state.x == 1.0", true],
  ["state.x == '1'", false],
  ["state.x != '1'", true],
  ["state.flag == 1", true],
  ["state.off < 1", true],
  ["1 < 2 < 3", true],
  ["1 < 3 < 2", false],
  ["0 < state.score <= 1", true],
  ["'a' < 'b'", true],
  ["state.items == ['a', 'b']", true],
  ["state.items == ['b', 'a']", false],
  ["state.numbers == [3, 1, [2]]", true],
  ["state.obj == state.obj", true],
  ["state.items2[0] == state.items2[1]", false],
  ["state.nothing is None", true],
  ["state.x is not null", true],
  ["state.flag is true", true],
  ["state.x is true", false],
  ["-1 < 0", true],
  ["--1 == +1", true],
  ["007 == 7", true],
  ["1e3 == 1000 and .5 == 0.5 and 5. == 5", true],
  ["state.quote == 'it\\'s \"so\"'", true],
  ['state.quote == "it\'s \\"so\\""', true],
  ["len('a\\n\\t\\\\') == 4", true],
  ["'\\d' == '\\\\d'", true],
  // Names
  ["score > 0.8", true],
  ["item.id == 7", true],
  ["state.and == 'keyword'", true],
  ["größe > 1.7", true],
  ["{ score } == {state.score}", true],
  ["item.tags.0 == new", true],
  ["state.items[0] == 'a'", true],
  ["state.items[-1] == b", true],
  ["state.items.1 == b", true],
  ["items[index] == 'a'", true],
  ["state.items2[1].price > 6", true],
  ["state.obj['a b'].c[1] == 20", true],
  ["state.obj[0] == 'zero'", true],
  ["['x', 'y'][1] == 'y'", true],
  ["(state.items)[0] == 'a'", true],
  // in
  ["'a' in state.items", true],
  ["'c' not in state.items", true],
  ["NOT 'c' IN state.items", true],
  ["'a' in state.obj", true],
  ["'constructor' in state.obj", false],
  ["0 in state.obj", true],
  ["'prov' in state.status", true],
  ["'' in ''", true],
  ["[2] in state.numbers", true],
  ["1 in []", false],
  ["state.x in [1, 2,]", true],
  // Functions and sums
  ["len('größe😀') == 6", true],
  ["len(state.obj) == 4", true],
  ["lower('ABC') == 'abc' and upper('ß') == 'SS'", true],
  ["len(state.items) == state.y", true],
  ["1 + 2 * 3 == 7", true],
  ["(1 + 2) * 3 == 9", true],
  ["10 - 2 - 3 == 5", true],
  ["7 / 2 == 3.5", true],
  ["-7 % 3 == 2 and 7 % -3 == -2", true],
  ["state.count * 2 > state.count + 2", true],
  ["- state.x == -1", true],
  ["  state.x\n== 1  ", true],
];

/** Errors of the text itself: column and message. */
const WRONG_TEXTS: readonly (readonly [text: string, problem: string, fix?: string])[] = [
  ["", "1:The condition is empty."],
  ["   ", "1:The condition is empty."],
  ["state.x = 1", "9:`=` is not understood here.", "Write `==`."],
  ["state.x === 1", "9:`===` is not understood here.", "Write `==`."],
  ["state.x !== 1", "9:`!==` is not understood here.", "Write `!=`."],
  ["state.x <> 1", "9:`<>` is not understood here.", "Write `!=`."],
  ["state.x => 1", "9:`=>` is not understood here.", "Write `>=`."],
  ["state.x && state.y", "9:`&&` is not understood here.", "Write `and`."],
  ["state.x || state.y", "9:`||` is not understood here.", "Write `or`."],
  ["!state.x", "1:`!` is not understood here; a value is expected.", "Write `not`."],
  ["state.x ==", "11:The condition ends too early; a value is expected."],
  ["(state.x", "9:The condition ends too early; `)` is expected."],
  ["state.x)", "8:`)` is not understood here."],
  ["state.x == 'a", "12:`'` is not understood here; a value is expected.", "Close the quote."],
  [
    "state.x == “a”",
    "12:`“` is not understood here; a value is expected.",
    "Write straight quotes.",
  ],
  ["state.x state.y", "9:`state.y` is not understood here."],
  ["state.score > 0.8 nd state.x", "19:`nd` is not understood here."],
  ["state.status == approved nd state.x", "26:`nd` is not understood here."],
  ["state.status == a@b.c", "18:`@` is not understood here."],
  ["state.x == not 1", "12:`not` is not understood here; a value is expected."],
  ["state.x is 1", "12:`is` compares with None, true and false only.", "Write `==`."],
  ["state.x.", "8:`.` is not understood here."],
  ["state.x.'a'", "8:`.` is not understood here."],
  ["state.items[", "13:The condition ends too early; a value is expected."],
  ["state.items[0", "14:The condition ends too early; `]` is expected."],
  ["[1 2]", "4:`2` is not understood here; `,` is expected."],
  ["{state.x > 1}", "1:`{` is not understood here; a value is expected."],
  [
    "state.x if true else 2",
    "9:`if` is not understood here.",
    "Use several routes, one for each case.",
  ],
  ["size(state.items) > 0", "1:There is no function `size`."],
  ["length(state.items) > 0", "1:There is no function `length`."],
  ["Len(state.items) > 0", "1:There is no function `Len`.", "Write `len(…)`."],
  ["eval('1')", "1:There is no function `eval`."],
  ["__import__('os')", "1:There is no function `__import__`."],
  ["len()", "5:`)` is not understood here; a value is expected."],
  ["len(1, 2)", "6:`,` is not understood here; `)` is expected."],
  [
    "state.name.lower() == 'a'",
    "17:Values have no functions of their own (`lower`).",
    "Write `lower(…)` with the value in the brackets.",
  ],
  ["lambda: 1", "7:`:` is not understood here."],
  ["1.2.3 == 1", "1:`1.2.3` is not understood here; a value is expected."],
  ["2 ** 3 == 8", "4:`*` is not understood here; a value is expected."],
  ["1e999 > 1", "1:The number 1e999 is too large."],
  ["(".repeat(33), "33:The condition nests deeper than 32 levels."],
  ["[".repeat(33), "33:The condition nests deeper than 32 levels."],
  ["1".repeat(4_001), "1:The condition is longer than 4000 characters."],
];

/** Errors of the values: column and message. */
const FAILURES: readonly (readonly [text: string, failure: string])[] = [
  ["state.missing", "1:`state.missing` has no value."],
  ["approved == state.status", "1:`approved` has no value."],
  ["state.item.id == 7", "1:`state.item.id` has no value."],
  ["state.x == 1 and missing > 1", "18:`missing` has no value."],
  ["constructor", "1:`constructor` has no value."],
  ["state.__proto__", "1:`state.__proto__` has no value."],
  ["state.obj.constructor", '1:There is no key "constructor" in the map.'],
  ["state.obj['__proto__']", '11:There is no key "__proto__" in the map.'],
  ["state.obj.b == 1", '1:There is no key "b" in the map.'],
  ["state.obj.none.x", '1:There is nothing inside nothing; "x" cannot be read.'],
  [
    "state.status.length > 1",
    '1:There is nothing inside text "approved"; "length" cannot be read.',
  ],
  ["state.items[2] == 'c'", "13:The list has 2 items and none at 2."],
  ["state.items[-3] == 'c'", "13:The list has 2 items and none at -3."],
  ["state.items.length > 1", '1:The list has 2 items and none at "length".'],
  ["state.items[0.5]", "13:the number 0.5 is neither a key nor a whole number."],
  ["state.items[None]", "13:nothing is neither a key nor a whole number."],
  ["state.status > 1", '14:`>` cannot compare text "approved" with the number 1.'],
  ["state.nothing < 1", "15:`<` cannot compare nothing with the number 1."],
  ["state.items <= state.items", "13:`<=` cannot compare a list with a list."],
  ["1 in state.status", '3:`in` cannot look for the number 1 in text "approved".'],
  ["1 not in state.nothing", "3:`in` cannot look for the number 1 in nothing."],
  ["[] in state.obj", "4:`in` cannot look for a list in a map."],
  ["len(state.count) > 1", "1:`len` takes text, a list or a map, and was given the number 3."],
  ["lower(state.items) == 'a'", "1:`lower` takes text, and was given a list."],
  ["'a' + 'b' == 'ab'", '1:`+` takes numbers, and was given text "a".'],
  ["1 + state.flag > 1", "3:`+` takes numbers, and was given true."],
  ["-state.status == 1", '1:`-` takes numbers, and was given text "approved".'],
  ["1 / state.zero > 1", "3:This divides by 0."],
  ["1 % 0 == 1", "3:This divides by 0."],
  ["1e300 * 1e300 > 1", "7:The number is too large."],
];

test("the tables together cover what they must", () => {
  const texts = [...REPLACED, ...EXPRESSIONS, ...WRONG_TEXTS, ...FAILURES].map(([text]) => text);
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.length).toBeGreaterThanOrEqual(150);
});

test.each([...REPLACED, ...EXPRESSIONS])("evaluateCondition of %j is %j", (text, expected) => {
  if (typeof expected === "boolean") return expect(evaluateCondition(text, scope)).toBe(expected);
  const [column, message] = splitColumn(expected);
  return expect(failureOf(text).message).toEndWith(`at column ${column}: ${message}`);
});

test.each(FAILURES)("evaluateCondition of %j fails: %s", (text, failure) => {
  const [column, message] = splitColumn(failure);
  expect(parseCondition(text)).toContainKey("references");
  expect(failureOf(text)).toEqual({
    code: "condition_failed",
    message: `The condition \`${text}\` cannot be evaluated at column ${column}: ${message}`,
    hasFix: true,
  });
});

const wrong = WRONG_TEXTS.map(([text, problem, fix]) => ({ text, problem, fix }));
test.each(wrong)("parseCondition of $text finds: $problem", ({ text, problem, fix }) => {
  const [column, message] = splitColumn(problem);
  const found = { message, column, fix: fix ?? expect.stringMatching(/^[A-Z].*\.$/) };
  expect(parseCondition(text)).toEqual({ problem: found });
  const failure = failureOf(text);
  expect(failure.code).toBe("condition_failed");
  expect(failure.message).toEndWith(`at column ${column}: ${message}`);
});

test("parseCondition lists the names that must have a value, in order", () => {
  expect(
    parseCondition("state.a.b > 1 and (c == d or len({state.e}) in [f, x]) and g[h].i == 'j'"),
  ).toEqual({
    references: [
      { text: "state.a.b", column: 1, path: ["a", "b"], fromState: true },
      { text: "c", column: 20, path: ["c"], fromState: false },
      { text: "state.e", column: 34, path: ["e"], fromState: true },
      { text: "g", column: 60, path: ["g"], fromState: false },
      { text: "h", column: 62, path: ["h"], fromState: false },
    ],
  });
});

test("evaluateCondition answers by the values of each call", () => {
  const values = [1, 2, 3].map((x) => evaluateCondition("x == 2", { locals: {}, values: { x } }));
  expect(values).toEqual([false, true, false]);
});

test("evaluateCondition compares deep values up to a limit and shortens what it quotes", () => {
  const nested = (depth: number): Json => (depth === 0 ? [] : [nested(depth - 1)]);
  const deep = { locals: {}, values: { a: nested(300), b: nested(300), c: nested(100) } };
  expect(evaluateCondition("c == c", deep)).toBe(true);
  expect(() => evaluateCondition("a == b", deep)).toThrow("nest deeper than 200 levels");
  const long = `${"state.x == 1 and ".repeat(50)}state.missing`;
  expect(failureOf(long).message).toHaveLength(
    "The condition `` cannot be evaluated at column 851: `state.missing` has no value.".length +
      200,
  );
});

test("evaluateCondition takes the longest chains", () => {
  const empty = { locals: {}, values: {} };
  const chains = ["1+".repeat(1_999), "1<=".repeat(1_333), "not ".repeat(998), "-".repeat(3_998)];
  expect(chains.map((chain) => evaluateCondition(`${chain}1`, empty))).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

/** A tree, how it is written, and what it means, said in another way than by the product. */
interface Sample {
  readonly text: string;
  /** Binds tighter the higher it is. */
  readonly level: number;
  readonly value: Json;
}

const LEVEL = {
  or: 0,
  and: 1,
  not: 2,
  compare: 3,
  sum: 4,
  product: 5,
  sign: 6,
  primary: 7,
} as const;

function wrapped(sample: Sample, level: number): string {
  return sample.level >= level ? sample.text : `(${sample.text})`;
}

const constant = fc.constantFrom<Json>(
  0,
  1,
  2.5,
  -3,
  "",
  "a",
  "it's",
  '"',
  "\\n",
  true,
  false,
  null,
);
const leaf: fc.Arbitrary<Sample> = fc.oneof(
  constant.map((value) => ({ text: print(value), level: LEVEL.sign, value })),
  fc
    .constantFrom<readonly [string, Json]>(
      ["state.count", 3],
      ["{state.status}", "approved"],
      ["items[1]", "b"],
      ["state.obj.a", 1],
      ["item.id", 7],
      ["len(state.items)", 2],
    )
    .map(([text, value]) => ({ text, level: LEVEL.primary, value })),
);

function print(value: Json): string {
  if (value === null) return "None";
  if (typeof value !== "string") return JSON.stringify(value);
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

const { sample: samples } = fc.letrec<{ sample: Sample }>((tie) => {
  const number = tie("sample").map((sample) =>
    typeof sample.value === "number" ? sample : { text: "4", level: LEVEL.primary, value: 4 },
  );
  return {
    sample: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      tie("sample").map((of) => ({
        text: `not ${wrapped(of, LEVEL.not)}`,
        level: LEVEL.not,
        value: !truth(of.value),
      })),
      fc.tuple(tie("sample"), tie("sample")).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.and)} and ${wrapped(right, LEVEL.not)}`,
        level: LEVEL.and,
        value: truth(left.value) ? right.value : left.value,
      })),
      fc.tuple(tie("sample"), tie("sample")).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.or)} or ${wrapped(right, LEVEL.and)}`,
        level: LEVEL.or,
        value: truth(left.value) ? left.value : right.value,
      })),
      fc.tuple(tie("sample"), tie("sample")).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.sum)} == ${wrapped(right, LEVEL.sum)}`,
        level: LEVEL.compare,
        value: asNumber(left.value) === asNumber(right.value),
      })),
      fc.tuple(number, number).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.sum)} < ${wrapped(right, LEVEL.sum)}`,
        level: LEVEL.compare,
        value: Number(left.value) < Number(right.value),
      })),
      fc.tuple(number, number).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.sum)} - ${wrapped(right, LEVEL.product)}`,
        level: LEVEL.sum,
        value: Number(left.value) - Number(right.value),
      })),
      fc.tuple(number, number).map(([left, right]) => ({
        text: `${wrapped(left, LEVEL.product)} * ${wrapped(right, LEVEL.sign)}`,
        level: LEVEL.product,
        value: Number(left.value) * Number(right.value),
      })),
      fc.tuple(tie("sample"), tie("sample")).map(([needle, item]) => ({
        text: `${wrapped(needle, LEVEL.sum)} in [${item.text}, 'a']`,
        level: LEVEL.compare,
        value: [item.value, "a"].some((one) => asNumber(one) === asNumber(needle.value)),
      })),
    ),
  };
});

function truth(value: Json): boolean {
  return value !== null && value !== false && value !== 0 && value !== "";
}

function asNumber(value: Json): Json {
  if (value === true) return 1;
  return value === false ? 0 : value;
}

test("evaluateCondition means what the tree means that was written down", () => {
  fc.assert(
    fc.property(samples, ({ text, value }) => {
      expect(evaluateCondition(text, scope)).toBe(truth(value));
    }),
    { numRuns: 2_000 },
  );
});

test("isTruthy is Python's", () => {
  const values: Json[] = [null, false, 0, -0, "", [], {}, true, 1, -1, "0", [0], { a: null }];
  expect(values.map(isTruthy)).toEqual([...Array(7).fill(false), ...Array(6).fill(true)]);
});

const PIECES =
  "state. x items [ ] ( ) { } . , == = < > in not and or is None 'a' \" 1 .5 - + * / % len ! & | ~ 😀 \\ \n";
const soup = fc
  .array(fc.constantFrom(...PIECES.split(" "), " "), { maxLength: 30 })
  .map((pieces) => pieces.join(""));

test("any text is read or refused with a place and a reason, and never runs", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), soup), (text) => {
      const reading = parseCondition(text);
      if ("problem" in reading) {
        expect(reading.problem.column).toBeGreaterThanOrEqual(1);
        expect(reading.problem.column).toBeLessThanOrEqual(text.length + 1);
        expect(reading.problem.fix).not.toBe("");
      }
      try {
        expect(evaluateCondition(text, scope)).toBeBoolean();
      } catch (error) {
        expect(AppError.from(error).code).toBe("condition_failed");
      }
    }),
    { numRuns: 5_000 },
  );
});

function splitColumn(text: string): [column: number, message: string] {
  const at = text.indexOf(":");
  return [Number(text.slice(0, at)), text.slice(at + 1)];
}

function failureOf(text: string): { code: string; message: string; hasFix: boolean } {
  try {
    return { code: "none", message: String(evaluateCondition(text, scope)), hasFix: false };
  } catch (error) {
    const { code, message, fix } = AppError.from(error);
    return { code, message, hasFix: fix !== undefined };
  }
}
