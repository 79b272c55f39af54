/**
 * The wizard, on streams in place of a terminal. Each test waits for a question to be shown before it
 * answers, so the order of the questions is part of what is tested.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalServer, ProviderCheck, ProviderSettings } from "../../src/cli/product.ts";
import { applySetup } from "../../src/cli/setup-apply.ts";
import {
  type SetupAnswers,
  type SetupFound,
  suggestProvider,
  type Suggestion,
} from "../../src/cli/setup-plan.ts";
import { askSetup } from "../../src/cli/setup-questions.ts";
import { readSettings } from "../../src/config/load.ts";
import type { ConfigSources } from "../../src/config/source.ts";
import { AppError } from "../../src/domain/error.ts";
import { createTestTerminal } from "./terminal.ts";

let root: string;
let dataDir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-setup-"));
  dataDir = join(root, "data");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const OLLAMA: LocalServer = {
  name: "Ollama",
  provider: "ollama",
  baseUrl: "http://127.0.0.1:11434",
  models: ["llama3.2", "qwen3"],
};
const GOOD: ProviderCheck = { ok: true, models: ["gpt-5", "gpt-5-mini"] };
const BAD: ProviderCheck = {
  ok: false,
  error: { code: "key_rejected", message: "The key was refused.", fix: "Make a new one." },
};

function sources(environment: Record<string, string> = {}): ConfigSources {
  return {
    flags: { AGENTS_DATA_DIR: { flag: "--data-dir", value: dataDir } },
    environment,
    workingDir: root,
    homeDir: root,
    os: "linux",
  };
}

/** What setup found; `checks` are the answers of the provider, in order. */
async function foundWith(given: {
  environment?: Record<string, string>;
  servers?: readonly LocalServer[];
  mlflow?: boolean;
  checks?: readonly ProviderCheck[];
}): Promise<SetupFound & { readonly asked: ProviderSettings[] }> {
  const settings = await readSettings(sources(given.environment));
  const servers = given.servers ?? [];
  const asked: ProviderSettings[] = [];
  const checks = [...(given.checks ?? [])];
  return {
    settings,
    servers,
    mlflowVersion: given.mlflow ? "3.17.2" : undefined,
    exampleCount: 3,
    suggestion: suggestProvider(settings, servers),
    asked,
    checkProvider: async (tried) => {
      asked.push(tried);
      return checks.shift() ?? GOOD;
    },
  };
}

/** A question and how it is answered. */
type Step = readonly [
  question: string,
  ...keys: ("return" | "up" | "down" | "left" | "right" | { type: string } | "clear")[],
];

async function walk(found: SetupFound, steps: readonly Step[], cancelAt?: number) {
  const session = createTestTerminal();
  const answers = askSetup(session.terminal, found).catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
  for (const [index, [question, ...keys]] of steps.entries()) {
    await session.asks(question);
    if (index === cancelAt) {
      session.cancel();
      break;
    }
    for (const key of keys) {
      if (typeof key === "object") session.type(key.type);
      else if (key === "clear")
        session.terminal.input.emit("keypress", "\u0015", { name: "u", ctrl: true });
      else session.press(key);
    }
  }
  return { answers: await answers, screen: session.written() };
}

const REST: readonly Step[] = [
  ["Run MLflow", "right", "return"],
  ["Folder for your workflow files", "return"],
  ["Put 3 example workflows", "return"],
  ["Open the dashboard", "return"],
];
const REST_ANSWERS = { mlflow: false, installMlflow: false, examples: true, open: true };

describe("askSetup()", () => {
  test("offers a local server with its models first, and needs no key", async () => {
    const found = await foundWith({ servers: [OLLAMA] });
    const { answers, screen } = await walk(found, [
      ["Which model provider?", "return"],
      ["Which model,", "down", "return"],
      ...REST,
    ]);
    expect(answers).toEqual({
      ...REST_ANSWERS,
      provider: "ollama",
      apiKey: undefined,
      baseUrl: OLLAMA.baseUrl,
      model: "qwen3",
      workflowsDir: join(dataDir, "workflows"),
    });
    expect(found.asked).toEqual([]);
    expect(screen).toContain("Ollama (running on this machine, 2 models)");
  });

  test("tells where a server is that is on another machine, and counts one model as one", async () => {
    const remote = { ...OLLAMA, baseUrl: "http://gpu:11434", models: ["llama3.2"] };
    const { screen } = await walk(
      await foundWith({ servers: [remote] }),
      [["Which model provider?"], ["Never asked"]],
      0,
    );
    expect(screen).toContain("Ollama (at http://gpu:11434, 1 model)");
  });

  test("uses a key that is set, after one real request, without asking for it", async () => {
    const found = await foundWith({ environment: { OPENAI_API_KEY: "sk-set" }, mlflow: true });
    const { answers } = await walk(found, [
      ["Which model provider?", "return"],
      ["Use the key that is set in OPENAI_API_KEY?", "return"],
      ["Which model,", "return"],
      ["Run MLflow", "return"],
      ...REST.slice(1),
    ]);
    expect(answers).toEqual({
      ...REST_ANSWERS,
      mlflow: true,
      provider: "openai",
      apiKey: undefined,
      baseUrl: undefined,
      model: "gpt-5",
      workflowsDir: join(dataDir, "workflows"),
    });
    expect(found.asked).toEqual([{ provider: "openai", apiKey: "sk-set" }]);
  });

  test("masks a typed key; a refused one can be tried again, replaced, and kept", async () => {
    const found = await foundWith({ checks: [BAD, BAD, BAD] });
    const { answers, screen } = await walk(found, [
      ["Which model provider?", ...Array<"up">(5).fill("up"), "return"],
      ["Key for OpenAI", { type: "sk-first" }, "return"],
      ["How to go on?", "return"],
      ["How to go on?", "down", "return"],
      ["Key for OpenAI", { type: "sk-second" }, "return"],
      ["How to go on?", "down", "down", "return"],
      ["Model, where a workflow names none", { type: "gpt-5" }, "return"],
      ...REST,
    ]);
    expect(answers).toMatchObject({ provider: "openai", apiKey: "sk-second", model: "gpt-5" });
    expect(found.asked.map(({ apiKey }) => apiKey)).toEqual(["sk-first", "sk-first", "sk-second"]);
    expect(screen).not.toContain("sk-first");
    expect(screen).not.toContain("sk-second");
    expect(screen).toContain("The key was refused.");
    expect(screen).toContain("Fix: Make a new one.");
  });

  test("a refused key can be left out", async () => {
    const found = await foundWith({ environment: { GOOGLE_API_KEY: "set" }, checks: [BAD] });
    const { answers } = await walk(found, [
      ["Which model provider?", "return"],
      ["Use the key that is set in GOOGLE_API_KEY?", "right", "return"],
      ["Key for Google Gemini", { type: "AIza-new" }, "return"],
      ["How to go on?", "up", "return"],
      ["Model, where a workflow names none", "return"],
      ...REST,
    ]);
    expect(answers).toMatchObject({ provider: "google", apiKey: undefined, model: undefined });
  });

  test("asks any other server for its address, and for a key when it wants one", async () => {
    const found = await foundWith({});
    const { answers } = await walk(found, [
      ["Which model provider?", "up", "return"],
      ["Address of the server", { type: "http://gpu:8000/v1" }, "return"],
      ["Does the server want a key?", "left", "return"],
      ["Key for Another server", { type: "token" }, "return"],
      ["Which model,", ...Array<"down">(2).fill("down"), "return"],
      ["Model, where a workflow names none", { type: "mine" }, "return"],
      ...REST,
    ]);
    expect(answers).toMatchObject({
      provider: "openai-compatible",
      apiKey: "token",
      baseUrl: "http://gpu:8000/v1",
      model: "mine",
    });
    expect(found.asked).toEqual([
      { provider: "openai-compatible", apiKey: "token", baseUrl: "http://gpu:8000/v1" },
    ]);
  });

  test("a server that cannot be reached can be given another address", async () => {
    const found = await foundWith({ checks: [BAD] });
    const { answers, screen } = await walk(found, [
      ["Which model provider?", "up", "return"],
      ["Address of the server", { type: "http://wrong:8000/v1" }, "return"],
      ["Does the server want a key?", "return"],
      ["How to go on?", "down", "return"],
      ["Address of the server", "clear", { type: "http://right:8000/v1" }, "return"],
      ["Which model,", "return"],
      ...REST,
    ]);
    expect(answers).toMatchObject({ baseUrl: "http://right:8000/v1", model: "gpt-5" });
    expect(found.asked.map(({ baseUrl }) => baseUrl)).toEqual([
      "http://wrong:8000/v1",
      "http://right:8000/v1",
    ]);
    expect(screen).not.toContain("Go on without a key");
  });

  test("Ollama, which takes no key, is not asked for another one", async () => {
    const found = await foundWith({ checks: [BAD] });
    const { screen } = await walk(found, [
      ["Which model provider?", "up", "up", "return"],
      ["Address of the server", { type: "http://gpu:11434" }, "return"],
      ["How to go on?", "down", "down", "return"],
      ["Model, where a workflow names none", "return"],
      ...REST,
    ]);
    expect(screen).toContain("Enter another address");
    expect(screen).not.toContain("Enter another key");
  });

  test("the demo needs nothing; MLflow can be installed; other answers are kept", async () => {
    const { answers } = await walk(await foundWith({}), [
      ["Which model provider?", "return"],
      ["Run MLflow", "return"],
      ["MLflow is not installed. Install it now", "return"],
      ["Folder for your workflow files", "clear", { type: "/flows" }, "return"],
      ["Put 3 example workflows", "right", "return"],
      ["Open the dashboard", "right", "return"],
    ]);
    expect(answers).toEqual({
      provider: "demo",
      apiKey: undefined,
      baseUrl: undefined,
      model: undefined,
      mlflow: true,
      installMlflow: true,
      workflowsDir: "/flows",
      examples: false,
      open: false,
    });
  });

  const LONGEST: readonly Step[] = [
    ["Which model provider?", "up", "return"],
    ["Address of the server", { type: "http://gpu:8000/v1" }, "return"],
    ["Does the server want a key?", "left", "return"],
    ["Key for Another server", { type: "token" }, "return"],
    ["How to go on?", "return"],
    ["Which model,", "down", "down", "return"],
    ["Model, where a workflow names none", { type: "mine" }, "return"],
    ["Run MLflow", "return"],
    ["MLflow is not installed. Install it now", "return"],
    ["Folder for your workflow files", "return"],
    ["Put 3 example workflows", "return"],
    ["Open the dashboard", "return"],
  ];
  test.each(LONGEST.map(([question], index): [string, number] => [question, index]))(
    "Ctrl-C at %p ends setup and leaves the folder untouched",
    async (_, index) => {
      const found = await foundWith({ checks: [BAD] });
      const { answers } = await walk(found, LONGEST, index);
      expect(answers).toBeInstanceOf(AppError);
      expect(answers).toMatchObject({
        code: "cancelled",
        message: "Setup was cancelled; nothing was changed.",
      });
      expect(await readdir(root)).toEqual([]);
    },
  );
});

describe("applySetup()", () => {
  const answers: SetupAnswers = {
    provider: "openai",
    apiKey: "sk-secret",
    baseUrl: undefined,
    model: "gpt-5",
    mlflow: false,
    installMlflow: false,
    workflowsDir: "/replaced",
    examples: true,
    open: true,
  };
  const examples = [
    { file: "a.yaml", source: "a" },
    { file: "b.yaml", source: "b" },
  ];

  test("writes a commented .env 0600 that readSettings() reads back", async () => {
    const workflowsDir = join(root, "my flows");
    const applied = await applySetup({ ...answers, workflowsDir }, { dataDir, examples });
    expect(applied).toEqual({ envFile: join(dataDir, ".env"), writtenCount: 2 });
    expect((await stat(applied.envFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual([".env"]);
    const text = await Bun.file(applied.envFile).text();
    expect(text).toStartWith("# Settings of agents.");
    const settings = await readSettings(sources());
    expect({
      provider: settings.llm.provider,
      model: settings.llm.model,
      key: settings.llm.openai.apiKey,
      mlflow: settings.mlflow.enabled,
      open: settings.open,
      workflowsDir: settings.workflowsDir,
    }).toEqual({
      provider: "openai",
      model: "gpt-5",
      key: "sk-secret",
      mlflow: false,
      open: true,
      workflowsDir,
    });
    expect((await readdir(workflowsDir)).toSorted()).toEqual(["a.yaml", "b.yaml"]);
  });

  test("run again, it keeps unknown lines, other keys and edited examples", async () => {
    const workflowsDir = join(root, "flows");
    await mkdir(dataDir);
    await mkdir(workflowsDir);
    await Bun.write(join(workflowsDir, "a.yaml"), "edited");
    await Bun.write(
      join(dataDir, ".env"),
      "# mine\nMY_OWN=1\nAGENTS_PROVIDER=google\nGOOGLE_API_KEY=kept\nOPENAI_API_KEY=old\n",
    );
    const { writtenCount } = await applySetup(
      { ...answers, workflowsDir, model: undefined },
      { dataDir, examples },
    );
    expect(writtenCount).toBe(1);
    expect(await Bun.file(join(workflowsDir, "a.yaml")).text()).toBe("edited");
    expect(await Bun.file(join(dataDir, ".env")).text()).toBe(
      `# mine\nMY_OWN=1\nAGENTS_PROVIDER=openai\nGOOGLE_API_KEY=kept\nOPENAI_API_KEY=sk-secret\n` +
        `AGENTS_MLFLOW=off\nAGENTS_WORKFLOWS_DIR=${workflowsDir}\nAGENTS_OPEN=on\n`,
    );
  });

  test("a folder that cannot be made changes no setting", async () => {
    await Bun.write(join(root, "file"), "");
    const failure = await applySetup(
      { ...answers, workflowsDir: join(root, "file", "flows") },
      { dataDir, examples },
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "invalid" });
    expect(await Bun.file(join(dataDir, ".env")).exists()).toBe(false);
  });
});

describe("suggestProvider()", () => {
  const table: [Record<string, string>, LocalServer[], Partial<Suggestion>][] = [
    [{ AGENTS_PROVIDER: "anthropic" }, [OLLAMA], { provider: "anthropic" }],
    [{ ANTHROPIC_API_KEY: "a", GOOGLE_API_KEY: "g" }, [OLLAMA], { provider: "anthropic" }],
    [{}, [OLLAMA], { provider: "ollama", baseUrl: OLLAMA.baseUrl, model: "llama3.2" }],
    [{}, [{ ...OLLAMA, models: [] }], {}],
  ];
  test.each(table)("with %o and %o is %o", async (environment, servers, expected) => {
    const { suggestion } = await foundWith({ environment, servers });
    expect(suggestion).toEqual({
      provider: undefined,
      baseUrl: undefined,
      model: undefined,
      ...expected,
    });
  });
});
