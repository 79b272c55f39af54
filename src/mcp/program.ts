/** What MCP servers that are programs need of this machine, handed in by the composition root. */
import { realpath } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { AppError } from "../domain/error.ts";
import type { McpServer } from "../domain/workflow.ts";
import { contains } from "../lib/inside-folder.ts";
import { isLoaderVariable } from "../lib/loader-variable.ts";
import { createMask, type Mask } from "../lib/mask.ts";

export interface Places {
  /** The full path of a program; undefined when it is not installed. */
  readonly which: (program: string) => string | undefined;
  /** Absolute, without links. */
  readonly workspace: string;
}

type StdioServer = Extract<McpServer, { transport: "stdio" }> & { readonly name: string };

/** Variables of our environment that reach a server: what programs need to find their way, never a key. */
const ENVIRONMENT_PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|SYSTEMROOT|SYSTEMDRIVE|COMSPEC|PATHEXT|PROGRAMFILES|PROGRAMDATA|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|TEMP|TMP)$/i;

/** What our own executable, which is Bun too, runs in the place of programs that are not installed. */
const STAND_INS = new Map<string, readonly string[]>([
  ["npx", ["x"]],
  ["bunx", ["x"]],
  ["node", []],
  ["bun", []],
]);
/** Of npx: "do not ask". Bun never does, and knows no such flags. */
const NPX_FLAGS = new Set(["-y", "--yes"]);

/**
 * The owner of the machine decides which programs run outside of the sandbox, and nothing in the file may turn them
 * into others. @throws AppError `forbidden`.
 */
export function assertAllowed(server: StdioServer, allowedCommands: readonly string[]): void {
  const { name, command, env } = server;
  // A relative path would be looked for in whatever folder this process was started in.
  const isRelative = /[/\\]/.test(command) && !isAbsolute(command);
  if (isRelative || !allowedCommands.includes(command)) {
    throw new AppError(
      "forbidden",
      `The MCP server \`${name}\` is the program \`${command}\`, which may not be run here.`,
      {
        fix: isRelative
          ? "Give the name of the program or its full path."
          : `Add ${command} to ALLOWED_COMMANDS if you trust what workflows start with it.`,
      },
    );
  }
  const loader = Object.keys(env).find(isLoaderVariable);
  if (loader !== undefined) {
    throw new AppError("forbidden", `The MCP server \`${name}\` may not be given \`${loader}\`.`, {
      fix: `Remove ${loader} from its \`env\`: it would make the program run other code.`,
    });
  }
}

/**
 * The command line, and variables that it needs, of a server. @throws AppError `tool_failed` when the program is not
 * installed, `forbidden` when it lies in the workspace, where models write.
 */
export async function commandOf(
  { name, command, args }: StdioServer,
  { which, workspace }: Pick<Places, "which" | "workspace">,
): Promise<{
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}> {
  const path = which(command);
  if (path !== undefined) {
    const places = [path, await realpath(path)];
    if (places.some((place) => contains(workspace, place))) {
      throw new AppError("forbidden", `The program \`${command}\` lies in the workspace.`, {
        fix: "Install it elsewhere: what is in the workspace may have been written by a model.",
      });
    }
    return { command: [path, ...args], env: {} };
  }
  const standIn = STAND_INS.get(command);
  if (standIn === undefined) {
    throw new AppError(
      "tool_failed",
      `The program \`${command}\` of the MCP server \`${name}\` is not installed.`,
      { fix: `Install ${command}, or give its full path as \`command\`.` },
    );
  }
  const rest = command === "npx" ? withoutLeading(args, NPX_FLAGS) : args;
  return { command: [process.execPath, ...standIn, ...rest], env: { BUN_BE_BUN: "1" } };
}

function withoutLeading(args: readonly string[], dropped: ReadonlySet<string>): readonly string[] {
  const first = args.findIndex((argument) => !dropped.has(argument));
  return first === -1 ? [] : args.slice(first);
}

export function passedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && ENVIRONMENT_PASSED.test(name) ? [[name, value] as const] : [],
    ),
  );
}

const VARIABLE = /\$\{([A-Za-z_]\w*)\}/g;

/** Blanks out the variables that a server is given: what it says goes to models and is kept. */
export function maskOf(
  values: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Mask {
  const names = Object.values(values).flatMap((text) =>
    Array.from(text.matchAll(VARIABLE), (match) => match[1] ?? ""),
  );
  return createMask(
    names.flatMap((name) => (Object.hasOwn(variables, name) ? (variables[name] ?? []) : [])),
  );
}

/** Puts the owner's variables in the place of `${NAME}`. @throws AppError `missing_key`. */
export function fillVariables(
  values: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const fill = (text: string) =>
    text.replaceAll(VARIABLE, (_, name: string) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value !== undefined) return value;
      throw new AppError("missing_key", `\`\${${name}}\` stands for nothing here.`, {
        fix: `Set ${name} in the environment and add it to ALLOWED_VARIABLES.`,
      });
    });
  return Object.fromEntries(Object.entries(values).map(([name, text]) => [name, fill(text)]));
}
