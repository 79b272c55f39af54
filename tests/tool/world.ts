/** All that tools need: a workspace in a folder of its own, real HTTP, no sandbox. */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../src/domain/error.ts";
import type { McpPort } from "../../src/domain/mcp.ts";
import type { SandboxPort } from "../../src/domain/sandbox.ts";
import type { Tool } from "../../src/domain/tool.ts";
import { createHttpPort } from "../../src/http/port.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { startProgram } from "../../src/process/program.ts";
import { createToolPort, type ToolDeps } from "../../src/tool/registry.ts";
import type { ToolSettings } from "../../src/domain/tool-settings.ts";

const NONE = { apiKey: undefined, baseUrl: undefined };
export const NO_SEARCH: ToolSettings["search"] = {
  provider: undefined,
  serper: NONE,
  tavily: NONE,
  brave: NONE,
  searxng: { baseUrl: undefined },
};

const noSandbox: SandboxPort = {
  check: () => Promise.reject(new AppError("sandbox_unavailable", "There is no sandbox.")),
  run: () => Promise.reject(new AppError("sandbox_unavailable", "There is no sandbox.")),
};
const noServers: McpPort = {
  tools: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

export interface World extends AsyncDisposable {
  /** Below it: `data` (protected) with `workspace` in it, `extra` (allowed), `outside`. */
  readonly base: string;
  readonly workspace: string;
  /** What is on the way out to the tools. */
  readonly deps: ToolDeps;
  open(name: string, config?: Json, deps?: Partial<ToolDeps>): Promise<Tool>;
  /** Opens the tool and calls it. */
  call(name: string, input: JsonObject, options?: CallOptions): Promise<Json>;
}

interface CallOptions {
  readonly config?: Json;
  readonly deps?: Partial<ToolDeps>;
  readonly signal?: AbortSignal;
}

export async function createWorld(settings: Partial<ToolSettings> = {}): Promise<World> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "agents-tool-")));
  const workspace = join(base, "data", "workspace");
  for (const folder of [workspace, join(base, "extra"), join(base, "outside")])
    await mkdir(folder, { recursive: true });
  const deps: ToolDeps = {
    settings: {
      search: NO_SEARCH,
      workspace,
      allowedPaths: [join(base, "extra")],
      variables: {},
      ...settings,
    },
    http: createHttpPort({ allowedAddresses: ["127.0.0.1"] }),
    sandbox: noSandbox,
    mcp: noServers,
    startProgram: (request) => startProgram(request, systemClock),
    environment: {},
    protectedPaths: [join(base, "data")],
    redact: (text) => text,
  };
  const open = async (name: string, config: Json = null, changed: Partial<ToolDeps> = {}) => {
    const [opened] = await createToolPort({ ...deps, ...changed }).open(
      [{ name, onError: "fail", config }],
      { servers: {}, signal: AbortSignal.timeout(15_000) },
    );
    if (opened === undefined) throw new Error(`no tool ${name}`);
    return opened.tool;
  };
  return {
    base,
    workspace,
    deps,
    open,
    async call(name, input, { config = null, deps: changed = {}, signal } = {}) {
      const tool = await open(name, config, changed);
      return tool.run(input, {
        signal: signal ?? AbortSignal.timeout(15_000),
        idempotencyKey: "run/step/1.0",
        config,
        onOutput: () => {},
      });
    },
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

export async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, message: error.message, fix: error.fix };
  }
  throw new Error("did not fail");
}
