/** `config.mcp_servers`: by name, a program or an address. */
import type { McpServer } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { listOf, mapOf, member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";

/** Models know the tools of a server as `server__tool`, and take no more than 64 characters for that. */
const SERVER_NAME = /^[A-Za-z][A-Za-z0-9-]*(?:_[A-Za-z0-9-]+)*$/;
const SERVER_NAME_CHARS_MAX = 32;

/** Keys that only one of the two kinds of servers has. */
const KEYS = { command: ["args", "env"], url: ["headers"] } as const;

export function readMcpServers(
  config: Json | undefined,
  reporter: Reporter,
): Record<string, McpServer> {
  const servers: [string, McpServer][] = [];
  for (const [name, raw] of Object.entries(mapOf(member(config, "mcp_servers")))) {
    const path = ["config", "mcp_servers", name];
    checkName(name, path, reporter);
    const server = readServer(raw, path, reporter);
    if (server !== undefined) servers.push([name, server]);
  }
  return Object.fromEntries(servers);
}

function checkName(name: string, path: Path, reporter: Reporter): void {
  if (SERVER_NAME.test(name) && name.length <= SERVER_NAME_CHARS_MAX) return;
  reporter.error(path, {
    code: "bad-identifier",
    message: `\`${name}\` cannot be the name of a server: use at most ${SERVER_NAME_CHARS_MAX} letters, digits, - and single _, and a letter first.`,
    fix: "Choose a name such as `github`.",
    at: "key",
  });
}

function readServer(raw: Json, path: Path, reporter: Reporter): McpServer | undefined {
  const command = textOf(member(raw, "command"));
  const url = textOf(member(raw, "url"));
  if ((command === undefined) === (url === undefined)) {
    reporter.error(path, {
      code: command === undefined ? "missing-key" : "bad-value",
      message:
        command === undefined
          ? "The server has neither `command` nor `url`."
          : "The server has both `command` and `url`.",
      fix: "Write `command` for a program, or `url` for an address.",
      at: "key",
    });
    return undefined;
  }
  const kind = command === undefined ? "url" : "command";
  for (const key of KEYS[kind === "url" ? "command" : "url"]) {
    if (member(raw, key) === undefined) continue;
    reporter.error([...path, key], {
      code: "bad-value",
      message: `\`${key}\` is not for a server with \`${kind}\`.`,
      fix: "Remove it.",
      at: "key",
    });
  }
  if (url !== undefined)
    return { transport: "http", url, headers: readTexts(member(raw, "headers")) };
  const args = listOf(member(raw, "args")).flatMap((arg) => (typeof arg === "string" ? [arg] : []));
  const env = readTexts(member(raw, "env"));
  return { transport: "stdio", command: command ?? "", args, env };
}

/** The texts of a map; what is no text has been reported. */
export function readTexts(raw: Json | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapOf(raw)).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value]] : [],
    ),
  );
}
