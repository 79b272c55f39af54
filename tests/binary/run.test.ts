/**
 * Real workflow files on the real executable, through the real HTTP client of every provider kind,
 * against a model server that is not ours. Tokens and prices are known beforehand, so what a run is
 * said to have cost is compared with what was worked out by hand.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  type CommandOptions,
  createHome,
  eventsOf,
  type Finished,
  type Home,
  PATIENCE_MS,
  queryDatabase,
  runAgents,
  type RunEvent,
  skipLoudly,
  spawnAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import {
  MOCK_USAGE,
  type MockedProvider,
  type ModelServer,
  startModelServer,
} from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

const EXAMPLES = join(import.meta.dir, "../../examples");
const CA_MAIN = join(import.meta.dir, "../../../shared/workflows/ca-main");
const GREETING = join(EXAMPLES, "greeting.yaml");
const PROVIDERS = ["openai", "anthropic", "google", "ollama", "openai-compatible"] as const;
/** Between two pieces of an answer: longer than the log waits to join what arrives together. */
const PIECE_PAUSE_MS = 150;
const PROCESSES_MAX = 6;

/** The published prices, in dollars for a million tokens, and what a call of the mock costs by them. */
const PRICES: Record<string, { readonly input: number; readonly output: number }> = {
  "gpt-6-luna": { input: 0.1, output: 0.5 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6 },
  "claude-haiku-4-5": { input: 1, output: 5 },
  "claude-sonnet-4-5": { input: 3, output: 15 },
  "gemini-3.5-flash-lite": { input: 0.3, output: 2.5 },
  "gemini-2.5-flash-lite": { input: 0.1, output: 0.4 },
  // On this machine: free.
  "llama3.2:latest": { input: 0, output: 0 },
  "llama3.2": { input: 0, output: 0 },
  "local-model": { input: 0, output: 0 },
};
const DEFAULT_MODEL: Record<MockedProvider, string> = {
  openai: "gpt-6-luna",
  anthropic: "claude-haiku-4-5",
  google: "gemini-3.5-flash-lite",
  ollama: "llama3.2:latest",
  "openai-compatible": "local-model",
};

const TEXT = "mock text";
const TEXTS = [TEXT, TEXT];
/** What the mock writes where free text is asked for. */
const said = (start: string) => new RegExp(`^The mock server was asked: ${start}`);

interface Case {
  readonly file: string;
  readonly inputs: readonly string[];
  /** Values, and patterns of texts. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Model calls; one number for each model that the file itself names, else for the default. */
  readonly calls: number;
  /** The models that answer where the file's own choice agrees with `--provider`. */
  readonly models?: Partial<Record<MockedProvider, readonly string[]>>;
}

const gemini = (count: number) => ({ google: Array<string>(count).fill("gemini-2.5-flash-lite") });

const CA_CASES: readonly Case[] = [
  {
    file: join(CA_MAIN, "article_writer.yaml"),
    inputs: ["topic=Tidal power"],
    outputs: { research: said("Research the following topic"), article: TEXT, word_count: 42 },
    // The first step searches, then answers.
    calls: 3,
    models: gemini(3),
  },
  {
    file: join(CA_MAIN, "nested_state.yaml"),
    inputs: ["name=Ada", 'interests=["chess", "sailing"]'],
    outputs: {
      profile: {
        bio: TEXT,
        personality_traits: TEXTS,
        recommended_topics: TEXTS,
        engagement_score: 42,
      },
    },
    calls: 1,
    models: gemini(1),
  },
  {
    file: join(CA_MAIN, "type_enforcement.yaml"),
    inputs: ["topic=Tides"],
    outputs: {
      score: 42,
      is_trending: true,
      keywords: TEXTS,
      categories: { first: 42 },
      analysis: { summary: TEXT, sentiment: TEXT, confidence: 0.5, tags: TEXTS },
    },
    calls: 1,
    models: gemini(1),
  },
  {
    file: join(CA_MAIN, "echo.yaml"),
    inputs: ["message=Hello there"],
    outputs: { result: said("Simply repeat this message exactly: Hello there") },
    calls: 1,
  },
  {
    file: join(CA_MAIN, "simple_workflow.yaml"),
    inputs: ["name=Ada"],
    outputs: { greeting: said("Generate a warm and friendly greeting for Ada") },
    calls: 1,
  },
];

const CUSTOMER = {
  name: TEXT,
  age: 42,
  home: { city: TEXT, kind: TEXT },
  hobbies: [
    { name: TEXT, hours_a_week: 0.5 },
    { name: TEXT, hours_a_week: 0.5 },
  ],
};
const EXAMPLE_CASES: readonly Case[] = [
  {
    file: GREETING,
    inputs: ["name=Ada"],
    outputs: { greeting: said("Greet Ada in one warm, short sentence.") },
    calls: 1,
  },
  {
    file: join(EXAMPLES, "two-step-article.yaml"),
    inputs: ["topic=Tidal power", "words=250"],
    outputs: { title: TEXT, outline: TEXTS, article: said(`Write the article "${TEXT}"`) },
    calls: 2,
  },
  {
    file: join(EXAMPLES, "nested-profile.yaml"),
    inputs: ["product=a folding bicycle"],
    outputs: { customer: CUSTOMER, letter: said("Write three friendly sentences") },
    calls: 2,
  },
  {
    file: join(EXAMPLES, "typed-review.yaml"),
    inputs: ["review=Great sound, but the strap broke in a week."],
    outputs: {
      stars: 42,
      confidence: 0.5,
      recommended: true,
      summary: TEXT,
      defects: TEXTS,
      scores: { first: 42 },
    },
    calls: 1,
  },
  {
    file: join(EXAMPLES, "models-per-node.yaml"),
    inputs: ["notes=met Ana, agreed on May, budget still open"],
    outputs: {
      draft: said("Turn these notes"),
      mail: said("Make this mail shorter"),
      subject: said("A subject line"),
    },
    calls: 3,
    models: {
      openai: ["gpt-4.1-mini", "gpt-6-luna", "gpt-6-luna"],
      anthropic: ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"],
      ollama: ["llama3.2:latest", "llama3.2:latest", "llama3.2"],
    },
  },
  {
    file: join(EXAMPLES, "retries-and-timeouts.yaml"),
    inputs: ["text=Der Zug hat Verspätung."],
    outputs: { translation: said("Translate into English"), faithful: true },
    calls: 2,
  },
  {
    file: join(EXAMPLES, "inputs-mapping.yaml"),
    inputs: ['customer={"name": "Ada Okoye", "city": "Lagos"}', 'items=["lamp", "desk"]'],
    outputs: { confirmation: said("Confirm to Ada Okoye from Lagos") },
    calls: 1,
  },
  {
    file: join(EXAMPLES, "search-and-answer.yaml"),
    inputs: ["question=Who won?"],
    outputs: { answer: TEXT, sources: TEXTS },
    calls: 2,
  },
];

function environmentFor(server: ModelServer): Record<string, string> {
  return {
    OPENAI_API_KEY: "test-openai",
    OPENAI_BASE_URL: server.baseUrlFor("openai"),
    ANTHROPIC_API_KEY: "test-anthropic",
    ANTHROPIC_BASE_URL: server.baseUrlFor("anthropic"),
    GOOGLE_API_KEY: "test-google",
    GOOGLE_BASE_URL: server.baseUrlFor("google"),
    OLLAMA_BASE_URL: server.baseUrlFor("ollama"),
    OPENAI_COMPATIBLE_BASE_URL: server.baseUrlFor("openai-compatible"),
    SERPER_API_KEY: "test-serper",
    SERPER_BASE_URL: server.serperUrl,
    AGENTS_MLFLOW: "off",
  };
}

const withInputs = (inputs: readonly string[]) => inputs.flatMap((input) => ["--input", input]);

/** What a call of the mock costs, in nano-dollars, so that sums are exact. */
function nanoUsdOf(model: string): number {
  const price = PRICES[model];
  if (price === undefined) throw new Error(`no price was worked out for ${model}`);
  return Math.round((price.input * MOCK_USAGE.input + price.output * MOCK_USAGE.output) * 1_000);
}

let freeCount = PROCESSES_MAX;
const inLine: (() => void)[] = [];

/** Runs one of many files; so many at a time that the cores are busy and the database is shared. */
async function runInTurn(argv: readonly string[], options: CommandOptions): Promise<Finished> {
  if (freeCount === 0) await new Promise<void>((resolve) => inLine.push(resolve));
  else freeCount -= 1;
  try {
    return await runAgents(argv, options);
  } finally {
    const next = inLine.shift();
    if (next === undefined) freeCount += 1;
    else next();
  }
}

/** Checks what `--json` printed, and returns it. */
function documentOf({ code, stdout, stderr }: Finished) {
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  expect(stdout.trimStart()[0]).toBe("{");
  return JSON.parse(stdout);
}

/** The pieces of each model call, in order, by step and call. */
function pieces(events: readonly RunEvent[]): string[][] {
  const calls = new Map<string, string[]>();
  for (const { type, step, call, text } of events) {
    if (type !== "model.delta" || text === undefined) continue;
    const key = `${step}/${call}`;
    calls.set(key, [...(calls.get(key) ?? []), text]);
  }
  return [...calls.values()];
}

let home: Home;
let server: ModelServer;
beforeAll(async () => {
  home = await createHome();
  server = await startModelServer({ callTools: true });
});
afterAll(async () => {
  await server.stop();
  await home[Symbol.asyncDispose]();
});

if (!existsSync(CA_MAIN))
  skipLoudly("the workflows of configurable-agents", `${CA_MAIN} is not here`);
const ALL_CASES = [...CA_CASES, ...EXAMPLE_CASES];

describe.concurrent.each(PROVIDERS)("--provider %s", (provider) => {
  for (const { file, inputs, outputs, calls, models } of ALL_CASES) {
    test.skipIf(!existsSync(file))(
      `runs ${basename(file)} with valid outputs and the right tokens and cost`,
      async () => {
        const argv = ["run", file, "--provider", provider, ...withInputs(inputs), "--json"];
        const document = documentOf(await runInTurn(argv, { home, env: environmentFor(server) }));
        const events = eventsOf(home, document.id);
        const wanted = models?.[provider] ?? Array<string>(calls).fill(DEFAULT_MODEL[provider]);
        expect(
          events.flatMap((event) =>
            event.type === "model.started" ? [`${event.provider} ${event.model}`] : [],
          ),
        ).toEqual(wanted.map((model) => `${provider} ${model}`));
        const nanoUsd = wanted.reduce((sum, model) => sum + nanoUsdOf(model), 0);
        expect(document).toMatchObject({
          state: "succeeded",
          error: null,
          outputs: matching(outputs),
          usage: {
            input_tokens: calls * MOCK_USAGE.input,
            output_tokens: calls * MOCK_USAGE.output,
            total_tokens: calls * (MOCK_USAGE.input + MOCK_USAGE.output),
          },
          cost_usd: nanoUsd / 1e9,
          cost_complete: true,
          demo: false,
        });
        expect(Object.keys(document.outputs).toSorted()).toEqual(Object.keys(outputs).toSorted());
        // All that the calls answered came as a stream, but for what called a tool.
        const answered = events.filter(({ type }) => type === "model.finished").length;
        const used = events.filter(({ type }) => type === "tool.finished").length;
        expect(pieces(events)).toHaveLength(answered - used);
      },
    );
  }
});

describe.each(PROVIDERS)("one answer of %s", (provider) => {
  const argv = ["run", GREETING, "--provider", provider, "--input", "name=Ada", "--json"];

  test("is in the log while it is still being written", async () => {
    await using own = await createHome();
    await using plays = await startModelServer();
    plays.next({ kind: "stall", pieces: ["Good ", "morning"] });
    const spawned = spawnAgents(argv, { home: own, env: environmentFor(plays) });
    await waitFor(() => plays.requests().length === 1, "the request");
    const [run] = queryDatabase<{ id: string }>(own.databasePath, "SELECT id FROM runs");
    const id = run?.id ?? "";
    await waitFor(
      () => pieces(eventsOf(own, id)).flat().join("") === "Good morning",
      () => `the pieces in the log; there is ${JSON.stringify(eventsOf(own, id))}`,
    );
    spawned.child.kill("SIGINT");
    expect(await spawned.child.exited).toBe(130);
    await spawned.closed;
    expect(JSON.parse(spawned.stdout())).toMatchObject({ id, state: "cancelled" });
    expect(plays.requests()).toHaveLength(1);
  });

  test("that ends in the grace of SIGTERM is the result", async () => {
    await using own = await createHome();
    await using plays = await startModelServer();
    const words = ["Good ", "morning ", "to ", "you, ", "dear ", "Ada."];
    plays.next({ kind: "answer", pieces: words, delayMs: 300 });
    const spawned = spawnAgents(argv, { home: own, env: environmentFor(plays) });
    await waitFor(() => plays.requests().length === 1, "the request");
    spawned.child.kill("SIGTERM");
    expect(await spawned.child.exited).toBe(0);
    await spawned.closed;
    expect(JSON.parse(spawned.stdout())).toMatchObject({
      state: "succeeded",
      outputs: { greeting: words.join("") },
    });
  });

  test("comes in pieces, and costs what its cached, written and reasoning tokens cost", async () => {
    await using plays = await startModelServer();
    const anthropic = provider === "anthropic";
    const usage = {
      input: 10_000,
      output: 2_000,
      cacheRead: 4_000,
      ...(anthropic ? { cacheWrite: 1_000 } : { reasoning: 500 }),
    };
    const words = ["Good ", "morning ", "to ", "you, ", "dear ", "Ada."];
    plays.next({ kind: "answer", pieces: words, usage, delayMs: PIECE_PAUSE_MS });
    const document = documentOf(await runAgents(argv, { home, env: environmentFor(plays) }));
    expect(document).toMatchObject({
      outputs: { greeting: words.join("") },
      usage: {
        input_tokens: 10_000,
        output_tokens: 2_000,
        cache_read_tokens: 4_000,
        cache_write_tokens: anthropic ? 1_000 : 0,
        reasoning_tokens: anthropic ? 0 : 500,
        total_tokens: 12_000,
      },
      cost_usd: CACHED_COST_USD[provider],
      cost_complete: true,
    });
    const [seen = []] = pieces(eventsOf(home, document.id));
    expect(seen.join("")).toBe(words.join(""));
    expect(seen.length).toBeGreaterThan(1);
  });
});

/** By hand, in millionths of a dollar: fresh input, cached input, written cache, output. */
const CACHED_COST_USD: Record<MockedProvider, number> = {
  openai: (6_000 * 0.1 + 4_000 * 0.01 + 2_000 * 0.5) / 1e6,
  anthropic: (5_000 * 1 + 4_000 * 0.1 + 1_000 * 1.25 + 2_000 * 5) / 1e6,
  google: (6_000 * 0.3 + 4_000 * 0.03 + 2_000 * 2.5) / 1e6,
  ollama: 0,
  "openai-compatible": 0,
};

describe("a price that is not known", () => {
  test("is shown as unknown, not as nothing", async () => {
    const env = environmentFor(server);
    const argv = [
      "run",
      GREETING,
      "--provider",
      "openai",
      "--model",
      "house-model",
      "-i",
      "name=A",
    ];
    const plain = await runAgents(argv, { home, env });
    expect(plain.code).toBe(0);
    expect(plain.stderr).toMatch(/1,500 tokens, .*unknown/);
    expect(plain.stderr).not.toMatch(/\$0(?!\.)/);
    const document = documentOf(await runAgents([...argv, "--json"], { home, env }));
    expect(document).toMatchObject({ cost_usd: 0, cost_complete: false });
  });

  test("of one of several calls is added to those that are", async () => {
    await Bun.write(
      join(home.cwd, "two.yaml"),
      (await Bun.file(join(EXAMPLES, "models-per-node.yaml")).text()).replace(
        "model: claude-sonnet-4-5",
        "model: claude-of-tomorrow",
      ),
    );
    const env = environmentFor(server);
    const document = documentOf(
      await runAgents(["run", "two.yaml", "-i", "notes=x", "--json"], { home, env }),
    );
    expect(document).toMatchObject({
      cost_usd: nanoUsdOf("gpt-4.1-mini") / 1e9,
      cost_complete: false,
    });
  });
});

describe.concurrent("--provider demo", () => {
  for (const { file, inputs, outputs } of EXAMPLE_CASES) {
    test(`runs ${basename(file)} offline and says that it is the demo`, async () => {
      await using own = await createHome();
      const argv = ["run", file, "--provider", "demo", ...withInputs(inputs)];
      const { code, stderr } = await runInTurn(argv, { home: own });
      expect(stderr).toContain("demo provider: no real AI is called");
      expect(code).toBe(0);
      const [run] = queryDatabase<{ id: string; cost_nano_usd: number }>(
        own.databasePath,
        "SELECT id, cost_nano_usd FROM runs",
      );
      expect(run?.cost_nano_usd).toBe(0);
      const ended = eventsOf(own, run?.id ?? "").at(-1);
      expect(shapeOf(ended?.outputs)).toEqual(shapeOf(outputs));
    });
  }
});

/** The same with patterns as what Bun's `expect` takes for them. */
function matching(outputs: Case["outputs"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [
      name,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]),
  );
}

/** Names and types, without the values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (value instanceof RegExp) return "string";
  if (typeof value !== "object" || value === null) return typeof value;
  const entries = Object.entries(value);
  // A map has keys of the model's own choice.
  if (entries.every(([, part]) => typeof part === "number")) return { any: "number" };
  return Object.fromEntries(entries.map(([name, part]) => [name, shapeOf(part)]));
}

test("without any provider the demo answers, and says so", async () => {
  await using own = await createHome();
  const { code, stderr } = await runAgents(["run", GREETING, "-i", "name=Ada"], { home: own });
  expect(stderr).toContain("demo provider: no real AI is called");
  expect(code).toBe(0);
});

describe("inputs", () => {
  const file = join(EXAMPLES, "inputs-mapping.yaml");
  const demo = ["run", file, "--provider", "demo", "--json"];

  test("come from a JSON or YAML file, --input wins", async () => {
    const order = { customer: { name: "Ada", city: "Lagos" }, items: ["lamp"], tone: "dry" };
    await Bun.write(join(home.cwd, "order.json"), JSON.stringify(order));
    await Bun.write(
      join(home.cwd, "order.yaml"),
      "customer: {name: Ada, city: Lagos}\nitems: [lamp]\ntone: dry\n",
    );
    for (const name of ["order.json", "order.yaml"]) {
      const argv = [...demo, "--input-file", name, "--input", "tone=warm"];
      const document = documentOf(await runAgents(argv, { home }));
      expect(document.inputs).toEqual({ ...order, tone: "warm" });
    }
  });

  test("are read as the types that the file states", async () => {
    const review = join(EXAMPLES, "two-step-article.yaml");
    const argv = ["run", review, "--provider", "demo", "--json", "-i", "topic=42", "-i", "words=7"];
    const document = documentOf(await runAgents(argv, { home }));
    expect(document.inputs).toEqual({ topic: "42", words: 7 });
  });

  test.each([
    ["a missing one", ["--input", 'items=["lamp"]'], /customer/],
    ["an unknown one", ["--input", "name=Ada", "--input", "nmae=x"], /nmae[^]*name/],
    ["one of the wrong type", ["--input", "topic=x", "--input", "words=many"], /words/],
  ] as const)("%s is refused with exit code 2 before anything runs", async (what, given, text) => {
    const files = { "a missing one": file, "an unknown one": GREETING };
    const chosen = what in files ? files[what as keyof typeof files] : "two-step-article.yaml";
    const path = chosen.includes("/") ? chosen : join(EXAMPLES, chosen);
    await using own = await createHome();
    const argv = ["run", path, "--provider", "demo", ...given];
    const { code, stdout, stderr } = await runAgents(argv, { home: own });
    expect(stderr).toMatch(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(existsSync(own.databasePath)).toBe(false);
  });
});

describe("a run that fails", () => {
  test("has the exit code of its reason; --json still prints one document", async () => {
    const env = environmentFor(server);
    const argv = ["run", GREETING, "--provider", "openai", "--model", "no-such-1", "-i", "name=A"];
    const { code, stdout } = await runAgents([...argv, "--json"], { home, env });
    expect(code).toBe(14);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ state: "failed", error: { code: "unknown_model" } });
    const shown = await runAgents(["runs", document.id], { home });
    expect(shown.stdout).toContain("failed");
    expect(shown.code).toBe(0);
  });

  test("of an answer that never fits ends with 17 after its tries", async () => {
    await using own = await startModelServer();
    const not = { kind: "answer", pieces: ["This is ", "no JSON."] } as const;
    own.next(not, not, not);
    const argv = ["run", join(EXAMPLES, "typed-review.yaml"), "--provider", "openai", "--json"];
    const { code, stdout } = await runAgents([...argv, "-i", "review=Fine."], {
      home,
      env: environmentFor(own),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      state: "failed",
      error: { code: "output_invalid" },
    });
    expect(code).toBe(17);
    expect(own.requests()).toHaveLength(3);
    expect(JSON.stringify(own.requests()[1]?.body)).toContain("refused");
  });
});

describe("--detach, runs and cancel", () => {
  test("without a server the run waits for the next start, which does it", async () => {
    await using own = await createHome();
    const argv = ["run", GREETING, "--provider", "demo", "-i", "name=Ada", "--detach"];
    const detached = await runAgents(argv, { home: own });
    expect(detached.code).toBe(0);
    expect(detached.stderr).toContain("No server is running");
    const id = detached.stdout.trim();
    const waiting = JSON.parse((await runAgents(["runs", id, "--json"], { home: own })).stdout);
    expect(waiting).toMatchObject({ id, state: "queued", steps: [] });
    await using running = await startAgents({ home: own });
    const watched = await runAgents(["runs", id, "--watch", "--json"], { home: running.home });
    expect(documentOf(watched)).toMatchObject({ id, state: "succeeded" });
  });

  test("with a server its workers do it; runs lists, shows and follows; cancel ends one", async () => {
    await using own = await createHome();
    await using models = await startModelServer();
    await using running = await startAgents({ home: own, env: environmentFor(models) });
    const argv = ["run", GREETING, "--provider", "openai", "-i", "name=Ada"];
    const detached = await runAgents([...argv, "--detach"], { home: own });
    expect(detached).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\w{16}\n$/),
      stderr: "",
    });
    const done = detached.stdout.trim();
    expect((await runAgents(["runs", done, "--watch"], { home: own })).code).toBe(0);

    // Executed by the server: this process has no key.
    const attached = documentOf(await runAgents([...argv, "--json"], { home: own }));
    expect(attached.state).toBe("succeeded");

    models.next({ kind: "silence" });
    const slow = (await runAgents([...argv, "--detach"], { home: own })).stdout.trim();
    await waitFor(() => models.requests().length === 3, "the third call");
    const watching = spawnAgents(["runs", slow.slice(0, 14), "--watch"], { home: own });
    const cancelled = await runAgents(["cancel", slow], { home: own });
    expect(cancelled).toEqual({ code: 0, stdout: expect.stringContaining(slow), stderr: "" });
    expect(await watching.child.exited).toBe(130);
    const again = await runAgents(["cancel", slow], { home: own });
    expect(again).toEqual({
      code: 0,
      stdout: `Run ${slow} had already been cancelled.\n`,
      stderr: "",
    });

    const { runs } = JSON.parse((await runAgents(["runs", "--json"], { home: own })).stdout);
    expect(runs.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`)).toEqual([
      `${slow} cancelled`,
      `${attached.id} succeeded`,
      `${done} succeeded`,
    ]);
    const failed = await runAgents(["runs", "--state", "failed"], { home: own });
    expect(failed.stdout).not.toContain(done);
    const table = await runAgents(["runs"], { home: own });
    expect(table.stdout).toMatch(new RegExp(`^${done} +succeeded +greeting .*\\$0\\.0003`, "m"));
    expect(running.child.exitCode).toBe(null);
  });
});
