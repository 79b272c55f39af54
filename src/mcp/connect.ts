/** Begins sessions with MCP servers of both kinds. */
import type { Client, Tool as ServerTool, Transport } from "@modelcontextprotocol/client";
import { AppError } from "../domain/error.ts";
import type { StartPipedProgram } from "../domain/program.ts";
import type { McpServer } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { createRing } from "../lib/ring.ts";
import type { Connect, Session } from "./session-keeper.ts";
import { isRefusal } from "./failure.ts";
import {
  assertAllowed,
  commandOf,
  fillVariables,
  passedEnvironment,
  type Places,
} from "./program.ts";
import { createStdioTransport } from "./stdio-transport.ts";

export interface ConnectDeps extends Places {
  /** Programs that may be run outside of the sandbox. */
  readonly allowedCommands: readonly string[];
  /** What `${NAME}` stands for. */
  readonly variables: Readonly<Record<string, string>>;
  /** The environment of this process; only what programs need to find their way reaches a server. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * Absolute, and there: where servers start. Not the workspace, where a model could leave files that change what
   * `npx` runs.
   */
  readonly folder: string;
  readonly startProgram: StartPipedProgram;
  /** Refuses private addresses. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Takes what a server writes beside its answers. */
  readonly onLog: (server: string, line: string) => void;
  /** Of this product, as servers are told. */
  readonly version: string;
  readonly clock: Clock;
}

/** A program may have to be downloaded first. */
const START_MS_MAX = 120_000;
const TOOL_PAGES_MAX = 20;
const LINES_KEPT = 5;
const LINE_CHARS_MAX = 300;

type Library = typeof import("@modelcontextprotocol/client") &
  typeof import("@modelcontextprotocol/client/validators/cf-worker");
type Named = McpServer & { readonly name: string };

export function createConnect(server: Named, deps: ConnectDeps): Connect {
  return server.transport === "http" ? connectHttp(server, deps) : connectStdio(server, deps);
}

/** Programs speak the protocol of 2025; one that does not is asked again, the way of 2026. */
function connectStdio(server: Extract<Named, { transport: "stdio" }>, deps: ConnectDeps): Connect {
  return async (options) => {
    assertAllowed(server, deps.allowedCommands);
    const { command, env } = await commandOf(server, deps);
    const request = {
      command,
      env: {
        ...passedEnvironment(deps.environment),
        ...env,
        ...fillVariables(server.env, deps.variables),
      },
      cwd: deps.folder,
    };
    const library = await loadLibrary();
    const lines = createRing<string>(LINES_KEPT);
    const onLine = (line: string) => {
      lines.push(line.slice(0, LINE_CHARS_MAX));
      deps.onLog(server.name, line);
    };
    const begin = (mode: "legacy" | "auto") => {
      const program = deps.startProgram({ ...request, onLine });
      const transport = createStdioTransport(program, library, deps.clock);
      return beginSession(library, transport, { ...options, mode, version: deps.version });
    };
    try {
      return await begin("legacy").catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        return begin("auto");
      });
    } catch (error) {
      const words = lines.values().join(" ").trim();
      if (error instanceof AppError || words === "") throw error;
      throw new Error(`it wrote: ${words}`, { cause: error });
    }
  };
}

function connectHttp(server: Extract<Named, { transport: "http" }>, deps: ConnectDeps): Connect {
  return async (options) => {
    const headers = fillVariables(server.headers, deps.variables);
    const library = await loadLibrary();
    const transport = new library.StreamableHTTPClientTransport(new URL(server.url), {
      fetch: deps.fetch,
      requestInit: { headers },
    });
    return beginSession(library, transport, { ...options, mode: "auto", version: deps.version });
  };
}

/** Large, and needed only where a workflow names a server. */
async function loadLibrary(): Promise<Library> {
  const [client, validator] = await Promise.all([
    import("@modelcontextprotocol/client"),
    import("@modelcontextprotocol/client/validators/cf-worker"),
  ]);
  return { ...client, ...validator };
}

interface SessionOptions {
  readonly mode: "legacy" | "auto";
  readonly version: string;
  readonly signal: AbortSignal;
  readonly onClose: () => void;
}

async function beginSession(
  { Client: McpClient, CfWorkerJsonSchemaValidator }: Library,
  transport: Transport,
  { mode, version, signal, onClose }: SessionOptions,
): Promise<Session> {
  let tools: readonly ServerTool[] = [];
  const client: Client = new McpClient(
    { name: "agents", version },
    {
      versionNegotiation: { mode },
      // The default makes code of a server's schemas and runs it; build.ts leaves it out.
      jsonSchemaValidator: new CfWorkerJsonSchemaValidator(),
      listMaxPages: TOOL_PAGES_MAX,
      listChanged: {
        tools: {
          onChanged: (error, changed) => {
            // When they cannot be listed, the old ones are the best that is known.
            if (error === null && changed !== null) tools = changed;
          },
        },
      },
    },
  );
  let isOver = false;
  const setOnClose = (action: () => void) => {
    // A plain property of the library: it is no event target.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onclose = action;
  };
  setOnClose(() => {
    isOver = true;
  });
  try {
    const limits = { signal, timeout: START_MS_MAX };
    await client.connect(transport, limits);
    ({ tools } = await client.listTools(undefined, limits));
    if (isOver) throw new Error("it ended at once");
  } catch (error) {
    await client.close();
    await transport.close();
    throw error;
  }
  setOnClose(onClose);
  return { client, tools: () => tools };
}
