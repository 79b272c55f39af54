/** The MCP servers of one process: each definition is started once, whoever uses it. */
import type { Tool as ServerTool } from "@modelcontextprotocol/client";
import { AppError } from "../domain/error.ts";
import type { McpPort, McpTool } from "../domain/mcp.ts";
import type { McpServer } from "../domain/workflow.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import type { Mask } from "../lib/mask.ts";
import { type ConnectDeps, createConnect } from "./connect.ts";
import { type Connection, createConnection } from "./connection.ts";
import { maskedFailure } from "./failure.ts";
import { maskOf } from "./program.ts";
import { createSessionKeeper } from "./session-keeper.ts";
import { modelToolName } from "./tool-name.ts";

/** A server that offers more is cut: no model can choose from as many. */
const TOOL_COUNT_MAX = 256;
const DESCRIPTION_CHARS_MAX = 4_000;

export function createMcpPort(deps: ConnectDeps): McpPort {
  const connections = new Map<string, Connection>();
  let isClosed = false;
  const connectionOf = (server: McpServer & { readonly name: string }): Connection => {
    if (isClosed) throw new AppError("unavailable", "The MCP servers were closed.");
    const { name, ...definition } = server;
    const key = JSON.stringify(definition);
    const known = connections.get(key);
    if (known !== undefined) return known;
    const connection = createConnection(
      name,
      createSessionKeeper(name, createConnect(server, deps), deps.clock),
    );
    connections.set(key, connection);
    return connection;
  };
  return {
    async tools(server, signal) {
      const values = server.transport === "http" ? server.headers : server.env;
      const connection = withoutSecrets(connectionOf(server), maskOf(values, deps.variables));
      const tools = await connection.listTools(signal);
      return tools
        .slice(0, TOOL_COUNT_MAX)
        .map((tool) => ({ name: tool.name, tool: toolOf(server.name, tool, connection) }));
    },
    async close() {
      isClosed = true;
      await Promise.all([...connections.values()].map((connection) => connection.close()));
      connections.clear();
    },
  };
}

/** The same, with nothing of the variables in what the server says. */
function withoutSecrets(connection: Connection, mask: Mask): Connection {
  if (!mask.hides) return connection;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw maskedFailure(error, mask);
    }
  };
  return {
    listTools: (signal) => told(connection.listTools(signal)),
    call: async (call): Promise<Json> => mask.value(await told(connection.call(call))),
    close: () => connection.close(),
  };
}

function toolOf(server: string, tool: ServerTool, connection: Connection): McpTool["tool"] {
  const words = tool.description ?? tool.title ?? tool.name;
  const schema: unknown = JSON.parse(JSON.stringify(tool.inputSchema));
  return {
    spec: {
      name: modelToolName(server, tool.name),
      description: words.slice(0, DESCRIPTION_CHARS_MAX).toWellFormed(),
      parameters: isJsonObject(schema) ? schema : { type: "object" },
    },
    async check(config) {
      if (config === null || (isJsonObject(config) && Object.keys(config).length === 0)) return;
      throw new AppError("invalid", `The tool \`${server}.${tool.name}\` takes no config.`, {
        fix: "Remove `config` from the tool; a server gets its settings from `config.mcp_servers`.",
      });
    },
    run: (input, { signal, idempotencyKey }) =>
      connection.call({ tool: tool.name, input, signal, idempotencyKey }),
  };
}
