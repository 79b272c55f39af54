import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMcpHandler,
  type McpHttpHandler,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { AppError } from "../../src/domain/error.ts";
import type { McpPort } from "../../src/domain/mcp.ts";
import type { McpServer } from "../../src/domain/workflow.ts";
import { createFetchFunction } from "../../src/http/guarded-fetch.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import type { ConnectDeps } from "../../src/mcp/connect.ts";
import { createMcpPort } from "../../src/mcp/port.ts";
import { IDLE_MS } from "../../src/mcp/session-keeper.ts";
import { startPipedProgram } from "../../src/process/piped-program.ts";
import { createTestServer, type Watch } from "./fixture/server.ts";

const FIXTURE = join(import.meta.dir, "fixture");
let folder: string;
let started: string[][] = [];
let log: string[] = [];
const ports: McpPort[] = [];

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "agents-mcp-")));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(async () => {
  await Promise.all(ports.splice(0).map((port) => port.close()));
  started = [];
  log = [];
});

function open(deps: Partial<ConnectDeps> = {}): McpPort {
  const port = createMcpPort({
    allowedCommands: ["bun", "npx", "none", "/bin/cat", "/bin/false"],
    variables: { MY_TOKEN: "token-from-owner" },
    environment: { ...process.env, OPENAI_API_KEY: "never-passed" },
    folder,
    workspace: join(folder, "workspace"),
    startProgram(request) {
      started.push([...request.command]);
      return startPipedProgram(request);
    },
    which: (program) => Bun.which(program) ?? undefined,
    fetch: createFetchFunction({ allowedAddresses: ["127.0.0.1"] }),
    onLog: (server, line) => log.push(`${server}: ${line}`),
    version: "0.0.0",
    clock: systemClock,
    ...deps,
  });
  ports.push(port);
  return port;
}

const signal = () => AbortSignal.timeout(15_000);

const program = (env: Record<string, string> = {}, file = "stdio-server.ts") =>
  ({
    name: "test",
    transport: "stdio",
    command: "bun",
    args: [join(FIXTURE, file)],
    env,
  }) satisfies McpServer & { name: string };

const web = (url: string, headers: Record<string, string> = {}) =>
  ({ name: "web", transport: "http", url, headers }) satisfies McpServer & { name: string };

async function toolOf(port: McpPort, server: McpServer & { name: string }, name: string) {
  const tools = await port.tools(server, signal());
  const found = tools.find((tool) => tool.name === name);
  if (found === undefined) throw new Error(`no tool ${name}`);
  return (input: JsonObject, abort = signal()): Promise<Json> =>
    found.tool.run(input, {
      signal: abort,
      idempotencyKey: "run/step/1.0",
      config: null,
      onOutput: () => {},
    });
}

async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, message: error.message, fix: error.fix };
  }
  throw new Error("did not fail");
}

async function until(condition: () => boolean) {
  while (!condition()) await Bun.sleep(5);
}

const pidOf = (answer: Json) => Number(typeof answer === "string" ? answer.split(" ")[1] : NaN);

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const use = (command: string, args: string[] = []) =>
  failure(open().tools({ ...program(), command, args }, signal()));

describe("a server on stdio", () => {
  test("is started once for all of its users, and its tools are those of the server", async () => {
    const port = open();
    const [tools, again] = await Promise.all([
      port.tools(program(), signal()),
      port.tools({ ...program(), name: "other" }, signal()),
    ]);
    expect(tools.map(({ name, tool }) => [name, tool.spec.name])).toEqual([
      ["add", "test__add"],
      ["data", "test__data"],
      ["fail", "test__fail"],
      ["mixed.parts", expect.stringMatching(/^test__mixed_parts_[0-9a-f]{6}$/)],
      ["env", "test__env"],
      ["spell", "test__spell"],
      ["complain", "test__complain"],
      ["where", "test__where"],
      ["die", "test__die"],
      ["wait", "test__wait"],
    ]);
    expect(again[0]?.tool.spec.name).toBe("other__add");
    expect(tools[0]?.tool.spec).toMatchObject({
      description: "Adds two numbers.",
      parameters: {
        type: "object",
        properties: { a: { type: "number" }, b: { type: "number" } },
        required: ["a", "b"],
      },
    });
    expect(started).toHaveLength(1);
    expect(log).toContain("test: test server is up");
  });

  test("answers: text, data, several parts, failures, wrong arguments", async () => {
    const port = open();
    const run = async (name: string, input: JsonObject = {}) =>
      (await toolOf(port, program(), name))(input);
    expect(await run("add", { a: 2, b: 3 })).toBe("5");
    expect(await run("data")).toEqual({ list: [1, 2] });
    expect(await run("mixed.parts")).toBe(
      "Look:\n[image, image/png, 3 bytes]\n[doc](file:///doc.md)\ninside",
    );
    expect(await failure(run("fail"))).toEqual({
      code: "tool_failed",
      message: "The moon is not in reach.",
      fix: undefined,
    });
    expect((await failure(run("add", { a: "x" }))).message).toContain("a: ");
  });

  test("gets its own variables and none of our keys, and starts in our folder", async () => {
    const port = open();
    const server = program({ TOKEN: "<${MY_TOKEN}>" });
    const spell = await toolOf(port, server, "spell");
    expect(await spell({ name: "TOKEN" })).toBe(Array.from("<token-from-owner>").join(" "));
    const env = await toolOf(port, server, "env");
    expect(await env({ name: "OPENAI_API_KEY" })).toBe("not set");
    expect(await env({ name: "PATH" })).toBe(process.env["PATH"] ?? "");
    const where = await toolOf(port, program({ TOKEN: "<${MY_TOKEN}>" }), "where");
    expect(await where({})).toStartWith(`${folder} `);
    expect(await failure(port.tools(program({ TOKEN: "${HOME}" }), signal()))).toEqual({
      code: "missing_key",
      message: "`${HOME}` stands for nothing here.",
      fix: "Set HOME in the environment and add it to ALLOWED_VARIABLES.",
    });
  });

  test("says nothing of the owner's variables, in answers and in failures", async () => {
    const port = open();
    const server = program({ TOKEN: "<${MY_TOKEN}>" });
    const env = await toolOf(port, server, "env");
    expect(await env({ name: "TOKEN" })).toBe("<[redacted]>");
    const complain = await toolOf(port, server, "complain");
    expect(await failure(complain({ name: "TOKEN" }))).toMatchObject({
      message: "<[redacted]> is not valid.",
    });
  });

  test("that was killed is started again, also when it dies in a call", async () => {
    const port = open();
    const where = await toolOf(port, program(), "where");
    const pid = pidOf(await where({}));
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid));
    const second = pidOf(await where({}));
    expect(second).not.toBe(pid);
    const die = await toolOf(port, program(), "die");
    expect(await failure(die({}))).toEqual({
      code: "tool_failed",
      message: "The MCP server `test` ended while it was asked.",
      fix: "Look at the log for what the server has written.",
    });
    const add = await toolOf(port, program(), "add");
    expect(await add({ a: 1, b: 1 })).toBe("2");
    expect(started).toHaveLength(3);
  });

  test("is told of a cancelled call, and stays for the others", async () => {
    const port = open();
    const wait = await toolOf(port, program(), "wait");
    const file = join(folder, "stdio-wait");
    const controller = new AbortController();
    const reason = new Error("over");
    const work = wait({ file }, controller.signal);
    await until(() => existsSync(`${file}.started`));
    controller.abort(reason);
    expect(await work.catch((error: unknown) => error)).toBe(reason);
    await until(() => existsSync(file));
    expect(await readFile(file, "utf8")).toBe("cancelled");
    expect(await (await toolOf(port, program(), "add"))({ a: 1, b: 2 })).toBe("3");
    expect(started).toHaveLength(1);
  });

  test("is ended with the port, whatever it is doing", async () => {
    const port = open();
    const where = await toolOf(port, program(), "where");
    const pid = pidOf(await where({}));
    const wait = await toolOf(port, program(), "wait");
    const file = join(folder, "close-wait");
    const work = failure(wait({ file }));
    await until(() => existsSync(`${file}.started`));
    await port.close();
    expect((await work).code).toBe("tool_failed");
    expect(isAlive(pid)).toBe(false);
    expect((await failure(port.tools(program(), signal()))).code).toBe("unavailable");
  });

  test("that nobody uses for a while is ended, and started when it is needed again", async () => {
    const idle: (() => void)[] = [];
    const clock: Clock = {
      now: () => systemClock.now(),
      sleep: (ms, abort) =>
        ms === IDLE_MS
          ? new Promise((resolve) => {
              idle.push(resolve);
              abort?.addEventListener("abort", () => resolve(), { once: true });
            })
          : systemClock.sleep(ms, abort),
    };
    const port = open({ clock });
    const where = await toolOf(port, program(), "where");
    const pid = pidOf(await where({}));
    for (const wake of idle) wake();
    await until(() => !isAlive(pid));
    expect(pidOf(await where({}))).not.toBe(pid);
  });

  test("that speaks only the protocol of 2026 is understood", async () => {
    const add = await toolOf(open(), program({}, "modern-server.ts"), "add");
    expect(await add({ a: 4, b: 4 })).toBe("8");
  });

  test("that cannot be used fails with its reason", async () => {
    expect(await use("rm")).toEqual({
      code: "forbidden",
      message: "The MCP server `test` is the program `rm`, which may not be run here.",
      fix: "Add rm to ALLOWED_COMMANDS if you trust what workflows start with it.",
    });
    expect(await use("none")).toEqual({
      code: "tool_failed",
      message: "The program `none` of the MCP server `test` is not installed.",
      fix: "Install none, or give its full path as `command`.",
    });
    const loader = { ...program({ NODE_OPTIONS: "--require=x" }), command: "bun" };
    expect(await failure(open().tools(loader, signal()))).toMatchObject({
      code: "forbidden",
      message: "The MCP server `test` may not be given `NODE_OPTIONS`.",
    });
    await mkdir(join(folder, "workspace"), { recursive: true });
    const planted = join(folder, "workspace", "bun");
    await writeFile(planted, "");
    const which = () => planted;
    expect(await failure(open({ which }).tools(program(), signal()))).toMatchObject({
      code: "forbidden",
      message: "The program `bun` lies in the workspace.",
    });
    const allowedCommands = ["./server"];
    const relative = { ...program(), command: "./server" };
    expect(await failure(open({ allowedCommands }).tools(relative, signal()))).toMatchObject({
      code: "forbidden",
      fix: "Give the name of the program or its full path.",
    });
    expect(started).toEqual([]);
    expect(await use("/bin/false")).toMatchObject({ code: "tool_failed" });
    expect(
      (await use("bun", ["-e", "console.error('no database'); process.exit(2)"])).message,
    ).toBe("The MCP server `test` cannot be used: it wrote: no database.");
  });

  test("that never answers is given up by who waits, and ended with the port", async () => {
    const port = open();
    const silent = { ...program(), command: "/bin/cat", args: ["/dev/zero"] };
    const controller = new AbortController();
    const reason = new Error("over");
    const work = port.tools(silent, controller.signal);
    await until(() => started.length === 1);
    controller.abort(reason);
    expect(await work.catch((error: unknown) => error)).toBe(reason);
    await port.close();
  });

  test("runs with our own executable where npx is not installed", async () => {
    const port = open({ which: () => undefined });
    const server = { ...program(), command: "npx", args: ["-y", "--help"] };
    await failure(port.tools(server, signal()));
    expect(started[0]).toEqual([process.execPath, "x", "--help"]);
  });
});

function serve(handler: McpHttpHandler, seen: Request[] = []) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      seen.push(request);
      return handler.fetch(request);
    },
  });
}

describe("a server on HTTP", () => {
  test("is called with the headers of the entry", async () => {
    const watch: Watch = { cancelled: 0, calls: [] };
    const seen: Request[] = [];
    using server = serve(
      createMcpHandler(() => createTestServer(watch)),
      seen,
    );
    const entry = web(`http://127.0.0.1:${server.port}/mcp`, {
      authorization: "Bearer ${MY_TOKEN}",
    });
    const add = await toolOf(open(), entry, "add");
    expect(await add({ a: 20, b: 22 })).toBe("42");
    expect(watch.calls).toEqual(["run/step/1.0"]);
    expect(new Set(seen.map((request) => request.headers.get("authorization")))).toEqual(
      new Set(["Bearer token-from-owner"]),
    );
  });

  test("is told of a cancelled call", async () => {
    const watch: Watch = { cancelled: 0, calls: [] };
    using server = serve(createMcpHandler(() => createTestServer(watch)));
    const wait = await toolOf(open(), web(`http://127.0.0.1:${server.port}/mcp`), "wait");
    const file = join(folder, "http-wait");
    const controller = new AbortController();
    const reason = new Error("over");
    const work = wait({ file }, controller.signal);
    await until(() => existsSync(`${file}.started`));
    controller.abort(reason);
    expect(await work.catch((error: unknown) => error)).toBe(reason);
    await until(() => watch.cancelled === 1);
  });

  test("that was started anew and has forgotten the session gets a new one", async () => {
    const watch: Watch = { cancelled: 0, calls: [] };
    let sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const known = sessions.get(request.headers.get("mcp-session-id") ?? "");
        if (known !== undefined) return known.handleRequest(request);
        if (request.headers.has("mcp-session-id")) return new Response("gone", { status: 404 });
        const transport = new WebStandardStreamableHTTPServerTransport({
          sessionIdGenerator: () => crypto.randomUUID(),
          onsessioninitialized: (id) => void sessions.set(id, transport),
        });
        await createTestServer(watch).connect(transport);
        return transport.handleRequest(request);
      },
    });
    const add = await toolOf(open(), web(`http://127.0.0.1:${server.port}/mcp`), "add");
    expect(await add({ a: 1, b: 2 })).toBe("3");
    expect(sessions.size).toBe(1);
    sessions = new Map();
    expect(await add({ a: 3, b: 4 })).toBe("7");
    expect(sessions.size).toBe(1);
  });

  test("that wants another key is told of in words, with the place of the key", async () => {
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("who are you", { status: 401 }),
    });
    expect(await failure(open().tools(web(server.url.href), signal()))).toEqual({
      code: "tool_failed",
      message: "The MCP server `web` cannot be used: the server requires authorization (HTTP 401).",
      fix: "Check the key in the `headers` of its entry in `config.mcp_servers`.",
    });
  });

  test("at a private address, or where nobody is, fails with its reason", async () => {
    expect(await failure(open().tools(web("http://10.0.0.1/mcp"), signal()))).toMatchObject({
      code: "forbidden",
      fix: "Add 10.0.0.1:80 to AGENTS_ALLOWED_ADDRESSES if steps and tools may call it.",
    });
    expect(await failure(open().tools(web("http://127.0.0.1:1/mcp"), signal()))).toEqual({
      code: "tool_failed",
      message: "`127.0.0.1:1` cannot be reached (ECONNREFUSED).",
      fix: "Check the address and the network.",
    });
  });
});

test("a tool of a server takes no config", async () => {
  const [first] = await open().tools(program(), signal());
  expect(await first?.tool.check(null)).toBeUndefined();
  expect(await failure(first?.tool.check({ a: 1 }) ?? Promise.resolve())).toMatchObject({
    code: "invalid",
    message: "The tool `test.add` takes no config.",
  });
});
