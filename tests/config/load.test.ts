import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings, loadConfig } from "../../src/config/load.ts";
import type { Origin } from "../../src/config/config.ts";
import type { ConfigSources } from "../../src/config/source.ts";
import { AppError } from "../../src/domain/error.ts";

let root: string;
let working: string;
let data: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-config-"));
  working = join(root, "working");
  data = join(root, "data");
  await mkdir(working);
  await mkdir(data);
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given {
  flag?: Record<string, string>;
  environment?: Record<string, string>;
  working?: string;
  data?: string;
}

async function sourcesOf(given: Given): Promise<ConfigSources> {
  if (given.working !== undefined) await writeFile(join(working, ".env"), given.working);
  if (given.data !== undefined) await writeFile(join(data, ".env"), given.data);
  const flags = Object.entries({ AGENTS_DATA_DIR: data, ...given.flag }).map(([name, value]) => [
    name,
    { flag: `--${name.replace("AGENTS_", "").toLowerCase().replaceAll("_", "-")}`, value },
  ]);
  return {
    flags: Object.fromEntries(flags),
    environment: given.environment ?? {},
    workingDir: working,
    homeDir: join(root, "home"),
    os: "linux",
  };
}

async function settingsOf(given: Given) {
  return await readSettings(await sourcesOf(given));
}

async function workflowsDirOf(given: Given): Promise<string> {
  const { workflowsDir } = await settingsOf(given);
  return workflowsDir;
}

async function failureOf(given: Given): Promise<{ message: string; fix: string | undefined }> {
  const failure = await settingsOf(given).catch((error: unknown) => error);
  if (!(failure instanceof AppError)) throw new Error("expected an AppError");
  expect(failure.code).toBe("config_invalid");
  return { message: failure.message.replaceAll(root, "ROOT"), fix: failure.fix };
}

describe("precedence", () => {
  const all = {
    flag: { AGENTS_PORT: "1" },
    environment: { AGENTS_PORT: "2" },
    working: "AGENTS_PORT=3\n",
    data: "# first line\nAGENTS_PORT=4\n",
  };
  const table: [string, Given, { port: number; origin: Origin }][] = [
    ["flag", all, { port: 1, origin: { kind: "flag", place: "--port" } }],
    [
      "environment",
      { ...all, flag: {} },
      { port: 2, origin: { kind: "environment", place: "AGENTS_PORT" } },
    ],
    [
      ".env in the working folder",
      { ...all, flag: {}, environment: {} },
      { port: 3, origin: { kind: "working_env_file", place: "ROOT/working/.env:1" } },
    ],
    [
      ".env in the data folder",
      { data: all.data },
      { port: 4, origin: { kind: "data_env_file", place: "ROOT/data/.env:2" } },
    ],
    ["default", {}, { port: 7861, origin: { kind: "default", place: "7861" } }],
    [
      "an empty variable, which means the default and hides what is below",
      { environment: { AGENTS_PORT: "" }, working: "AGENTS_PORT=3" },
      { port: 7861, origin: { kind: "environment", place: "AGENTS_PORT" } },
    ],
  ];
  test.each(table)("readSettings() takes the port from %s", async (_, given, { port, origin }) => {
    const settings = await settingsOf(given);
    expect(settings.port).toBe(port);
    const found = settings.origins["AGENTS_PORT"];
    expect(found && { ...found, place: found.place.replaceAll(root, "ROOT") }).toEqual(origin);
  });

  test("another tool's name counts in its place, below the product's own", async () => {
    const both = await settingsOf({
      environment: { GOOGLE_API_KEY: "own", GEMINI_API_KEY: "other" },
    });
    expect(both.llm.google.apiKey).toBe("own");
    const above = await settingsOf({
      environment: { GEMINI_API_KEY: "other" },
      working: "GOOGLE_API_KEY=own",
    });
    expect(above.llm.google.apiKey).toBe("other");
  });

  test("a password in the environment wins over a hash in a file, and the reverse", async () => {
    const password = "correct horse";
    const hash = "$argon2id$v=19$fixed";
    const fromPassword = await settingsOf({
      environment: { AGENTS_ADMIN_PASSWORD: password },
      data: `AGENTS_ADMIN_PASSWORD_HASH='${hash}'`,
    });
    expect(await Bun.password.verify(password, fromPassword.adminPasswordHash ?? "")).toBe(true);
    const fromHash = await settingsOf({
      environment: { AGENTS_ADMIN_PASSWORD_HASH: hash },
      data: `AGENTS_ADMIN_PASSWORD="${password}"`,
    });
    expect(fromHash.adminPasswordHash).toBe(hash);
  });
});

describe("values", () => {
  test("defaults are those that are documented", async () => {
    const { origins: _, ...settings } = await settingsOf({});
    expect(settings).toEqual({
      texts: { AGENTS_DATA_DIR: data },
      host: "127.0.0.1",
      port: 7861,
      refresh: {
        queueMs: 500,
        workflowsMs: 2_000,
        agentsMs: 5_000,
        systemMs: 5_000,
        pollMs: 5_000,
      },
      chat: { enabled: true, port: 7860 },
      mlflow: { enabled: true, port: 5000 },
      workerCount: 2,
      workerConcurrency: 16,
      open: false,
      verbose: false,
      dataDir: data,
      databasePath: join(data, "agents.db"),
      keep: { runsDays: 0, runsCount: 0, logsDays: 0, logsMb: 0, deadAgentsHours: 24 },
      workflowsDir: join(data, "workflows"),
      llm: {
        provider: undefined,
        model: undefined,
        openai: { apiKey: undefined, baseUrl: undefined },
        anthropic: { apiKey: undefined, baseUrl: undefined },
        google: { apiKey: undefined, baseUrl: undefined },
        ollama: { baseUrl: "http://127.0.0.1:11434" },
        openaiCompatible: { apiKey: undefined, baseUrl: undefined },
        limits: {},
        own: {},
      },
      tools: {
        search: {
          provider: undefined,
          serper: { apiKey: undefined, baseUrl: undefined },
          tavily: { apiKey: undefined, baseUrl: undefined },
          brave: { apiKey: undefined, baseUrl: undefined },
          searxng: { baseUrl: undefined },
        },
        workspace: join(data, "workspace"),
        allowedPaths: [],
        allowedCommands: ["claude", "codex", "gemini", "opencode"],
        allowedAddresses: [],
        variables: {},
      },
      adminPasswordHash: undefined,
    });
  });

  test.each([
    ["sqlite:///a/b.db", "/a/b.db"],
    ["sqlite:////a/b.db", "/a/b.db"],
    ["sqlite:///a b%20?.db", "/a b%20?.db"],
  ])("AGENTS_DB_URL %s is the file %s", async (url, path) => {
    expect((await settingsOf({ environment: { AGENTS_DB_URL: url } })).databasePath).toBe(path);
  });

  test.each([
    ["192.168.1.5", "http://192.168.1.5:11434"],
    ["0.0.0.0:1234", "http://127.0.0.1:1234"],
    ["https://models.example/", "https://models.example"],
  ])("OLLAMA_HOST %s is %s", async (text, url) => {
    const settings = await settingsOf({ environment: { OLLAMA_HOST: text } });
    expect(settings.llm.ollama.baseUrl).toBe(url);
  });

  test("a provider has its own model and limits, and those of all where it has none", async () => {
    const { llm } = await settingsOf({
      environment: {
        AGENTS_MODEL_CONCURRENCY: "8",
        AGENTS_OPENAI_CONCURRENCY: "0",
        AGENTS_GOOGLE_REQUESTS_PER_MINUTE: "60",
        AGENTS_OPENAI_COMPATIBLE_MODEL: "qwen3",
      },
    });
    expect(llm.limits).toEqual({ concurrency: 8 });
    expect(llm.own).toEqual({
      openai: { limits: {} },
      google: { limits: { concurrency: 8, requestsPerMinute: 60 } },
      "openai-compatible": { model: "qwen3" },
    });
  });

  test("relative paths start where they are written, ~ is the home folder", async () => {
    expect(await workflowsDirOf({ environment: { AGENTS_WORKFLOWS_DIR: "flows" } })).toBe(
      join(working, "flows"),
    );
    expect(await workflowsDirOf({ data: "AGENTS_WORKFLOWS_DIR=flows" })).toBe(join(data, "flows"));
    expect(await workflowsDirOf({ environment: { AGENTS_WORKFLOWS_DIR: "~/flows" } })).toBe(
      join(root, "home", "flows"),
    );
  });

  test.each([
    ["linux", {}, ".local/share/agents"],
    ["linux", { XDG_DATA_HOME: "/xdg" }, "/xdg/agents"],
    ["linux", { XDG_DATA_HOME: "relative" }, ".local/share/agents"],
    ["darwin", {}, "Library/Application Support/agents"],
    ["win32", { LOCALAPPDATA: "/local" }, "/local/agents"],
  ])("the data folder on %s with %o is %s", async (os, environment, expected) => {
    const sources = { ...(await sourcesOf({ environment })), flags: {}, os };
    const { dataDir } = await readSettings(sources);
    expect(dataDir).toBe(expected.startsWith("/") ? expected : join(root, "home", expected));
  });
});

test("texts show what was written, without secrets", async () => {
  const { texts } = await settingsOf({
    environment: { OPENAI_API_KEY: "sk-secret", OPENAI_BASE_URL: "http://me:hidden@proxy/v1" },
    data: "AGENTS_WORKERS=3",
  });
  expect(texts).toEqual({
    AGENTS_DATA_DIR: data,
    OPENAI_BASE_URL: "http://***@proxy/v1",
    AGENTS_WORKERS: "3",
  });
});

describe("faults", () => {
  test("one names the variable, its place, what was expected and the fix", async () => {
    expect(await failureOf({ data: "\nexport AGENTS_PORT='80 80'\n" })).toEqual({
      message:
        'AGENTS_PORT is "80 80" (ROOT/data/.env:2); expected a whole number from 0 to 65535.',
      fix: "Correct or remove this setting.",
    });
  });

  test("all are told at once, secrets and passwords in addresses are not shown", async () => {
    const failure = await failureOf({
      flag: { AGENTS_PORT: "70000" },
      environment: {
        AGENTS_HOST: "not a host",
        AGENTS_DB_URL: "postgres://me:hidden@db/agents",
        AGENTS_PROVIDER: "opnai",
        GEMINI_API_KEY: "two words",
        SECRET_KEY: "short",
      },
      working: "AGENTS_MLFLOW=maybe\nAGENTS_WORKERS 3\nOTHER TOOL'S LINE\n",
      data: "AGENTS_ADMIN_PASSWORD=1234\nAGENTS_DATA_DIR=/elsewhere\nOPENAI_BASE_URL=ftp://x\n",
    });
    expect(failure).toEqual({
      message: `11 settings are not valid:
  ROOT/working/.env:2 cannot be read; expected NAME=value, with quotes that are closed.
  AGENTS_DATA_DIR (ROOT/data/.env:2) cannot be set there: that file is found by way of the data folder.
  AGENTS_HOST is "not a host" (environment); expected an address or host name to listen on, such as 127.0.0.1.
  AGENTS_PORT is "70000" (--port); expected a whole number from 0 to 65535.
  AGENTS_MLFLOW is "maybe" (ROOT/working/.env:1); expected on or off.
  AGENTS_DB_URL is "postgres://***@db/agents" (environment); expected sqlite:///path: Postgres is not supported by this version, which keeps its data in SQLite.
  AGENTS_PROVIDER is "opnai" (environment); expected one of openai, anthropic, google, ollama, openai-compatible, demo.
  OPENAI_BASE_URL is "ftp://x" (ROOT/data/.env:3); expected an address that begins with http:// or https://.
  GEMINI_API_KEY (environment); expected a key without spaces.
  SECRET_KEY (environment); expected at least 16 characters.
  AGENTS_ADMIN_PASSWORD (ROOT/data/.env:1); expected at least 8 characters.`,
      fix: "Correct or remove these settings.",
    });
  });

  test.each(["sqlite:///:memory:", "sqlite://relative.db", "mysql://x"])(
    "AGENTS_DB_URL %s is refused",
    async (url) => {
      const { message } = await failureOf({ environment: { AGENTS_DB_URL: url } });
      expect(message).toContain("expected sqlite:/// and the absolute path of a file");
    },
  );
});

test("readSettings() makes nothing; loadConfig() makes the folder 0700 and the key 0600", async () => {
  const folder = join(root, "fresh");
  const sources = await sourcesOf({ flag: { AGENTS_DATA_DIR: folder } });
  await readSettings(sources);
  expect(await readdir(root)).not.toContain("fresh");
  const config = await loadConfig(sources);
  expect(config.secretKey).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.isFrozen(config)).toBe(true);
  expect(await readdir(folder)).toEqual(["secret.key"]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "secret.key"))).mode & 0o777).toBe(0o600);
  expect((await loadConfig(sources)).secretKey).toBe(config.secretKey);
});

test("loadConfig() takes SECRET_KEY from the environment and keeps none", async () => {
  const config = await loadConfig(
    await sourcesOf({ environment: { SECRET_KEY: "0123456789abcdef" } }),
  );
  expect(config.secretKey).toBe("0123456789abcdef");
  expect(await readdir(data)).toEqual([]);
});

test("loadConfig() refuses a damaged key file and leaves it as it is", async () => {
  await writeFile(join(data, "secret.key"), "cut\n");
  const failure = await loadConfig(await sourcesOf({})).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "config_invalid",
    message: `The secret key in ${join(data, "secret.key")} is damaged.`,
  });
  expect(await Bun.file(join(data, "secret.key")).text()).toBe("cut\n");
});
