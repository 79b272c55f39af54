/** Tools that nodes name: built in, or of an MCP server. */
import type { ToolUse } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json } from "../lib/json.ts";
import { reportDuplicate } from "./output-schema.ts";
import { listOf, member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";
import { readTimeoutMs } from "./settings.ts";

export interface ToolContext {
  readonly reporter: Reporter;
  readonly knownTools: readonly string[];
  /** Names of the file's MCP servers. */
  readonly serverNames: readonly string[];
}

/** `tools` of a node. @param path Of the node. */
export function readTools(raw: Json, path: Path, context: ToolContext): ToolUse[] {
  const tools: ToolUse[] = [];
  for (const [index, entry] of listOf(member(raw, "tools")).entries()) {
    const entryPath = [...path, "tools", index];
    const tool = readTool(entry, entryPath, context);
    if (tool === undefined) continue;
    const server = serverOf(tool.name);
    const isSame = ({ name }: ToolUse) =>
      name === tool.name || (server !== undefined && name === `${server}.*`);
    if (tools.some(isSame))
      reportDuplicate(namePath(entry, entryPath), `The tool \`${tool.name}\``, context.reporter);
    tools.push(tool);
  }
  return tools;
}

/** One tool: its name, or a map with `name` and more. */
export function readTool(entry: Json, path: Path, context: ToolContext): ToolUse | undefined {
  const name = textOf(entry) ?? textOf(member(entry, "name"));
  if (name === undefined) return undefined;
  checkName(name, namePath(entry, path), context);
  return {
    name,
    onError: member(entry, "on_error") === "continue" ? "continue" : "fail",
    config: member(entry, "config") ?? {},
    ...defined({ timeoutMs: readTimeoutMs(entry) }),
  };
}

function namePath(entry: Json, path: Path): Path {
  return typeof entry === "string" ? path : [...path, "name"];
}

/** The server of `server.tool`; undefined for a tool that is built in. */
function serverOf(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(0, dot);
}

function checkName(
  name: string,
  path: Path,
  { reporter, knownTools, serverNames }: ToolContext,
): void {
  const server = serverOf(name);
  if (server === undefined) {
    if (knownTools.includes(name)) return;
    const known = knownTools.length === 0 ? "none" : knownTools.join(", ");
    reporter.error(path, {
      code: "unknown-tool",
      message: `There is no tool \`${name}\`.`,
      fix: serverNames.includes(name)
        ? `Write \`${name}.*\` for all tools of that server.`
        : `Use one of: ${known}.`,
      ...(serverNames.includes(name) ? {} : { word: name, among: knownTools }),
    });
    return;
  }
  const tool = name.slice(server.length + 1);
  if (!serverNames.includes(server)) {
    reporter.error(path, {
      code: "unknown-tool",
      message: `\`${name}\` needs an MCP server \`${server}\`, and the file has none of that name.`,
      fix: `Add \`${server}\` to \`config.mcp_servers\`.`,
      word: name,
      among: serverNames.map((each) => `${each}.${tool}`),
    });
  } else if (tool === "") {
    reporter.error(path, {
      code: "unknown-tool",
      message: `\`${name}\` names no tool of the server.`,
      fix: `Write \`${server}.\` and the tool's name, or \`${server}.*\` for all of them.`,
    });
  }
}
