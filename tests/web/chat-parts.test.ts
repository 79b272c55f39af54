/** What the chat's answers are made of: the prompt, the context, the workflow in a text, the templates. */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { EXAMPLES } from "../../examples/index.ts";
import type { AnswerMessage, Message } from "../../src/domain/conversation.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { workflowJsonSchema } from "../../src/language/schema-json.ts";
import {
  buildContext,
  type ContextOptions,
  REQUEST_TOKENS_MAX,
  repairRequest,
  requestTokensMax,
} from "../../src/web/chat/context.ts";
import { systemPrompt } from "../../src/web/chat/prompt.ts";
import { createAnswerReader, hasErrors } from "../../src/web/chat/reading.ts";
import { outlinePaths } from "../../src/web/chat/schema-outline.ts";
import { templateText } from "../../src/web/chat/template-answer.ts";
import { GREETING } from "./world.ts";

const reader = createAnswerReader(() => Promise.resolve([]));
const yaml = (text: string, mark = "yaml") => `\`\`\`${mark}\n${text}\n\`\`\``;

describe("the outline of the format", () => {
  const paths = new Set(outlinePaths(workflowJsonSchema()));

  test("has no key that this version refuses or ignores", async () => {
    const folder = `${import.meta.dir}/../golden/language`;
    const seen = new Set<string>();
    for (const name of new Glob("*.txt").scanSync(folder)) {
      const [source = ""] = (await Bun.file(`${folder}/${name}`).text()).split(/^-{10}$/m);
      const { problems } = parseWorkflow(source, { format: "yaml", knownTools: [] });
      for (const { code, path } of problems)
        if (["unsupported", "ignored-key", "no-effect"].includes(code))
          seen.add(path.replaceAll(/\[\d+\]/g, "[]"));
    }
    expect(seen.size).toBeGreaterThan(15);
    // Refused for some values, or of no use to some kinds of nodes.
    const used = new Set(EXAMPLES.flatMap(({ source }) => pathsIn(Bun.YAML.parse(source))));
    const under = [...seen].filter((path) => paths.has(path) && !used.has(path));
    expect(under).toEqual([]);
  });

  test("has every key that the examples use", () => {
    const missing = EXAMPLES.flatMap(({ source }) =>
      pathsIn(Bun.YAML.parse(source)).filter((path) => !isKnown(path, paths)),
    );
    expect(missing).toEqual([]);
  });
});

/** Maps whose keys authors choose. */
const FREE = new Set([
  "state.fields",
  "nodes[].inputs",
  "nodes[].arguments",
  "nodes[].workflow.inputs",
  "nodes[].http.headers",
  "nodes[].http.query",
  "nodes[].agent.headers",
  "nodes[].cli.env",
  "config.mcp_servers",
]);

/** Paths of a value in the words of the outline: names that authors choose are `{}`. */
function pathsIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path === "" ? key : `${path}.${key}`;
    return FREE.has(path) ? pathsIn(inner, `${path}{}`) : [here].concat(pathsIn(inner, here));
  });
}

function isKnown(path: string, paths: ReadonlySet<string>): boolean {
  // What is below a `schema` or a `default` is the author's own.
  return paths.has(path) || /\.(?:schema|default|config)\b./.test(path);
}

describe("systemPrompt()", () => {
  test("names the tools with what they do, and its own example is valid", () => {
    const prompt = systemPrompt({
      tools: [{ name: "serper_search", description: "Searches the web." }],
      providers: [],
      workflows: [],
    });
    expect(prompt).toContain("- serper_search: Searches the web.");
    const example = prompt.split("```yaml\n").at(-1)?.split("\n```")[0] ?? "";
    const { workflow, problems } = parseWorkflow(example, { format: "yaml", knownTools: [] });
    expect([workflow?.name, problems]).toEqual(["review_digest", []]);
  });
});

const inItem = (text: string) => text.replaceAll(/^(?=.)/gm, "   ");

async function kinds(text: string): Promise<string[]> {
  return (await reader.readText(text)).parts.map(({ kind }) => kind);
}

describe("readText()", () => {
  test("takes the last YAML with a schema_version for the workflow", async () => {
    const other = GREETING.replace("name: greeting", "name: other");
    const text = `A\n${yaml(GREETING)}\nor\n${yaml(other)}\nwith\n${yaml("x: 1")}`;
    expect(await kinds(text)).toEqual(["prose", "code", "prose", "workflow", "prose", "code"]);
    expect((await reader.readText(text)).result?.workflow?.name).toBe("other");
  });

  test("takes any YAML fence, an unmarked one with a schema_version, and bare text", async () => {
    expect(await kinds(yaml("a: 1"))).toEqual(["workflow"]);
    expect(await kinds(yaml("a: 1", "yml"))).toEqual(["workflow"]);
    expect(await kinds(yaml(GREETING, ""))).toEqual(["workflow"]);
    expect(await kinds(yaml("a: 1", ""))).toEqual(["code"]);
    expect(await kinds(yaml(GREETING, "python"))).toEqual(["code"]);
    expect(await kinds(`Here:\n${GREETING}`)).toEqual(["prose", "workflow"]);
    expect((await reader.readText(`Here:\n${GREETING}`)).result?.source).toBe(GREETING);
    expect(await kinds("Only schema_version: words")).toEqual(["prose"]);
  });

  test("leaves code in its list item, and lifts the workflow out of one", async () => {
    const list = `1. Save this:\n\n${inItem(yaml(GREETING.trimEnd()))}\n   and keep it.\n2. Run it:\n${inItem(yaml("agents run x", "sh"))}\n`;
    const { parts, result } = await reader.readText(list);
    expect(result?.source).toBe(GREETING);
    expect(result?.problems).toEqual([]);
    expect(parts).toEqual([
      { kind: "prose", text: "1. Save this:\n" },
      { kind: "workflow", text: GREETING.trimEnd() },
      { kind: "prose", text: "and keep it.\n2. Run it:\n   ```sh\n   agents run x\n   ```" },
    ]);
  });

  test("reports what is wrong at the lines of the workflow", async () => {
    const reading = await reader.readText(
      `Text\n\n${yaml(GREETING.replace("nodes:", "nods:").trimEnd())}`,
    );
    expect(hasErrors(reading)).toBe(true);
    expect(reading.result?.problems[0]).toMatchObject({ line: 12, severity: "error" });
  });

  test("a bomb is refused quickly, not expanded", async () => {
    const aliases = Array.from(
      { length: 30 },
      (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`,
    );
    const startedAt = performance.now();
    const reading = await reader.readText(yaml(["a0: &a0 x", ...aliases].join("\n")));
    expect(hasErrors(reading)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

const person = (ordinal: number, text: string): Message => ({
  conversationId: "c",
  ordinal,
  parent: ordinal === 1 ? null : ordinal - 1,
  siblings: [ordinal],
  role: "person",
  text,
  createdAt: 0,
  files: [],
});
const model = (
  ordinal: number,
  text: string,
  more: Partial<AnswerMessage> = {},
): AnswerMessage => ({
  conversationId: `c${text}`,
  ordinal,
  parent: ordinal - 1,
  siblings: [ordinal],
  thoughts: null,
  calls: [],
  role: "model",
  text,
  createdAt: 0,
  state: "done",
  round: 0,
  provider: "openai",
  model: "gpt",
  omittedCount: 0,
  finish: "stop",
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  costNanoUsd: null,
  error: null,
  finishedAt: 0,
  ...more,
});
const FILE = new TextEncoder().encode("a: 1");
const OPTIONS: ContextOptions = {
  olderCount: 0,
  read: (message) => reader.read(message),
  file: () => Promise.resolve(FILE),
  model: { provider: "openai", model: "gpt" },
  window: undefined,
  fixedTokens: 1_000,
};
const brief = async (
  history: readonly Message[],
  begun = "",
  more: Partial<ContextOptions> = {},
) => {
  const context = await buildContext(history, {
    ...OPTIONS,
    begun,
    ...more,
  });
  return {
    talk: context.messages.map(({ role, text }) => `${role}: ${text.slice(0, 12)}`),
    omittedCount: context.omittedCount,
  };
};

test("requestTokensMax() leaves room for the answer and has an end", () => {
  expect([undefined, 8_192, 32_768, 1_000_000].map(requestTokensMax)).toEqual([
    32_000,
    4_096,
    24_768,
    REQUEST_TOKENS_MAX,
  ]);
});

const omitted = async (history: readonly Message[], window: number) =>
  (await brief(history, "", { window })).omittedCount;

describe("buildContext()", () => {
  test("carries the last answer of each earlier turn, and the repairs of this one", async () => {
    const history = [
      person(1, "one"),
      model(2, "bad one"),
      model(3, "good one", { round: 1 }),
      person(4, "two"),
      model(5, "first try it\n\n```yaml\nflow: 1\n```"),
      model(6, "broken off", { round: 1, state: "interrupted" }),
    ];
    expect(await brief(history)).toEqual({
      talk: [
        "user: one",
        "assistant: good one",
        "user: two",
        "assistant: first try it",
        "user: The workflow",
      ],
      omittedCount: 0,
    });
    const begun = (await brief(history, "broken off")).talk;
    expect(begun.slice(-2)).toEqual(["assistant: broken off", "user: Your answer "]);
  });

  test("carries tool calls with what they gave, and what was not decided", async () => {
    const call = {
      number: 1,
      callId: "x",
      arguments: {},
      link: null,
      approvedAt: null,
      seen: null,
    } as const;
    const asking = model(2, "I look.", {
      finish: "tool_calls",
      calls: [
        { ...call, tool: "list_runs", state: "done", result: "none" },
        { ...call, number: 2, tool: "run", state: "asked", result: null },
      ],
    });
    expect((await brief([person(1, "one"), asking])).talk).toEqual([
      "user: one",
      "assistant: I look.",
      "tool: none",
      "tool: The person w",
    ]);
  });

  test("carries texts that were attached in the message, and images beside it", async () => {
    const about = { number: 1, hash: "h", byteCount: 4 };
    const said = person(1, "See");
    const files = [
      { ...about, name: "a.yaml", mediaType: "application/yaml" },
      { ...about, number: 2, name: "b.png", mediaType: "image/png" },
    ];
    const context = await buildContext([{ ...said, role: "person", files }], OPTIONS);
    expect(context.messages).toEqual([
      {
        role: "user",
        text: "See\n\nThe attached file a.yaml:\n\na: 1",
        files: [{ name: "b.png", mediaType: "image/png", hash: "h", data: FILE }],
      },
    ]);
  });

  /** Some 1,000 tokens. */
  const thousand = "word ".repeat(996);

  test("leaves out the oldest turns that do not fit, never the newest", async () => {
    const history = [
      person(1, thousand),
      model(2, thousand),
      person(3, thousand),
      model(4, thousand),
      person(5, "now"),
    ];
    // Of 8,000 tokens half are for the answer, and 1,000 always go along.
    expect(await brief(history, "", { window: 8_000, olderCount: 7 })).toEqual({
      talk: ["user: word word wo", "assistant: word word wo", "user: now"],
      omittedCount: 9,
    });
    expect((await brief(history, "", { window: 20_000 })).omittedCount).toBe(0);
    const long = [person(1, "x"), model(2, "y"), person(3, thousand.repeat(50))];
    expect(await brief(long)).toEqual({ talk: ["user: word word wo"], omittedCount: 2 });
  });

  test("counts what goes with every request, and each image as 1,600 tokens", async () => {
    const history = [person(1, thousand), model(2, "a"), person(3, "now")];
    expect((await brief(history, "", { window: 8_000 })).omittedCount).toBe(0);
    expect((await brief(history, "", { window: 8_000, fixedTokens: 3_100 })).omittedCount).toBe(2);
    const files = [1, 2].map((number) => ({
      number,
      name: "a.png",
      mediaType: "image/png",
      hash: "h",
      byteCount: 4,
    }));
    const seen: Message = { ...person(1, "See"), role: "person", files };
    const images = [seen, ...history.slice(1)];
    expect((await brief(images, "", { window: 8_400 })).omittedCount).toBe(2);
    expect((await brief(images, "", { window: 8_800 })).omittedCount).toBe(0);
  });

  test("goes by what the provider counted of a former request to the same model", async () => {
    const usage = { output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    const counted = (input: number, name = "gpt-2026-01-01") => [
      person(1, thousand),
      model(2, thousand, { provider: "openai", model: name, usage: { ...usage, input } }),
      person(3, "now"),
    ];
    // The request before the answer is estimated at 2,000 tokens, this one at 3,000; 4,000 fit.
    expect(await omitted(counted(2_000), 8_000)).toBe(0);
    expect(await omitted(counted(2_900), 8_000)).toBe(2);
    expect(await omitted(counted(2_900, "other"), 8_000)).toBe(0);
    // Not the count of this request, whatever it is.
    expect(await omitted(counted(20), 8_000)).toBe(0);
    expect(await omitted(counted(90_000), 8_000)).toBe(0);
    // A smaller count makes room, but not without end.
    expect(await omitted(counted(1_700), 5_600)).toBe(0);
    expect(await omitted(counted(2_000), 5_600)).toBe(2);
    expect(await omitted(counted(1_100), 4_400)).toBe(2);
  });
});

test("repairRequest() names each error with its line, and no more than a model can use", () => {
  const problem = {
    severity: "error",
    code: "x",
    message: "Wrong.",
    fix: "Mend it.",
    suggestion: "name",
    line: 2,
    column: 3,
    path: "",
  } as const;
  const warning = { ...problem, severity: "warning", message: "Doubtful." } as const;
  const { text } = repairRequest([problem, warning], "a\n  nmae: 1\n");
  expect(text).toContain("1 error.");
  expect(text).toContain(
    "- line 2, column 3: Wrong. Did you mean `name`? Fix: Mend it.\n    nmae: 1",
  );
  expect(text).not.toContain("Doubtful");
  const many = repairRequest(
    Array.from({ length: 50 }, () => problem),
    "a\n",
  );
  expect(many.text).toContain("… and 30 more.");
});

test("templateText() chooses by name, else by words, and its file is the example itself", () => {
  expect(templateText("show me typed-review please", EXAMPLES)).toContain("is typed-review.");
  expect(templateText("two step article", EXAMPLES)).toContain("is two-step-article.");
  const searched = templateText("Search the web for sources", EXAMPLES);
  expect(searched).toContain("is search-and-answer.");
  const source = EXAMPLES.find(({ name }) => name === "search-and-answer")?.source ?? "";
  expect(searched).toContain(source.trimEnd());
  for (const { name } of EXAMPLES) expect(searched).toContain(`- ${name}: `);
  expect(templateText("anything", [])).toContain("This is the demo");
});
