/** Reads SQLite databases with SELECT. */
import { parse as parsePath } from "node:path";
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { StartProgram } from "../domain/program.ts";
import type { Tool } from "../domain/tool.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { defineTool } from "./define-tool.ts";
import type { FileAccess } from "./file-access.ts";
import { SQL_READER, type SqlRequest } from "./sql-reader.ts";

const QUERY_CHARS_MAX = 20_000;
const ROW_COUNT_MAX = 1_000;
const ANSWER_CHARS_MAX = 500_000;
/** Above what the reader can answer with. */
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;

const input = z.object({
  query: z.string().min(1).max(QUERY_CHARS_MAX).describe("One SELECT statement."),
  connection_string: z
    .string()
    .optional()
    .describe(
      "The SQLite file: sqlite:/// and its path, or the path alone, relative to the workspace. Needed unless the workflow names a database.",
    ),
});
const config = z.strictObject({ database: z.string().min(1).optional() });

/** The tool `sql_query`. */
export function createSqlQuery(files: FileAccess, startProgram: StartProgram): Tool {
  return defineTool({
    name: "sql_query",
    description: `Runs one SELECT statement on a SQLite file and returns the rows, at most ${ROW_COUNT_MAX}.`,
    input,
    config,
    async run({ query, connection_string: given }, { signal, config: { database } }) {
      assertSelect(query);
      const path = await databasePath(given ?? database, files);
      const request: SqlRequest = {
        path,
        query,
        rowCountMax: ROW_COUNT_MAX,
        charsMax: ANSWER_CHARS_MAX,
      };
      const answer = await readDatabase(request, startProgram, signal);
      const problem = answer["error"];
      if (typeof problem === "string") {
        throw new AppError("tool_failed", `The query failed: ${problem.replace(/\.$/, "")}.`, {
          fix: "Correct the statement; SELECT name, sql FROM sqlite_schema shows the tables.",
        });
      }
      const { columns = [], rows = [], cut } = answer;
      return { columns, rows, ...(cut === true ? { note: cutNote(rows) } : {}) };
    },
  });
}

function cutNote(rows: Json): string {
  return `Cut: the first ${Array.isArray(rows) ? rows.length : 0} rows. Use LIMIT and OFFSET, or aggregate.`;
}

const COMMENTS_AND_TEXTS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?(?:\*\/|$)/g;

/**
 * One statement that begins as a query does. That it only reads is for SQLite to say; this keeps out what SQLite
 * calls reading and is not (ATTACH, PRAGMA), and a second statement that would silently be left out.
 */
function assertSelect(query: string): void {
  const bare = query
    .replace(COMMENTS_AND_TEXTS, (found) => (/^(?:--|\/\*)/.test(found) ? " " : "x"))
    .trim()
    .replace(/(?:\s*;)+$/, "");
  if (bare.includes(";")) {
    throw new AppError("invalid", "The query holds more than one statement.", {
      fix: "Call the tool once for each statement.",
    });
  }
  if (!/^(?:select|with|values)\b/i.test(bare)) {
    throw new AppError("invalid", "Only SELECT statements can be run.", {
      fix: "Begin the statement with SELECT or WITH.",
    });
  }
}

/** @throws AppError `invalid`, `forbidden`, `tool_failed` (no such file). */
async function databasePath(given: string | undefined, files: FileAccess): Promise<string> {
  if (given === undefined) {
    throw new AppError("invalid", "No database is named.", {
      fix: "Give connection_string, such as sqlite:///data.db for the file data.db in the workspace.",
    });
  }
  const [, scheme, rest] = /^([a-z][\w+.-]+):\/\/\/?(.*)$/is.exec(given) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== "sqlite") {
    throw new AppError("invalid", `\`${scheme}\` databases cannot be read.`, {
      fix: "Use a SQLite file: sqlite:/// and its path.",
    });
  }
  const path = scheme === undefined ? given : (rest ?? "");
  // Only to see that it is a file which may be read: SQLite opens it by itself.
  const real = await files.resolve(path);
  await files.read(path, async () => undefined);
  return real;
}

async function readDatabase(
  request: SqlRequest,
  startProgram: StartProgram,
  signal: AbortSignal,
): Promise<JsonObject> {
  signal.throwIfAborted();
  const program = startProgram({
    command: [process.execPath, "--no-env-file", "-e", SQL_READER],
    // The executable is Bun then. No other variable and no folder with settings reaches it.
    env: { BUN_BE_BUN: "1" },
    cwd: parsePath(process.execPath).root,
    stdin: JSON.stringify(request),
    lifeline: true,
    outputBytesMax: OUTPUT_BYTES_MAX,
    onOutput: () => {},
  });
  const onAbort = () => program.kill();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { stdout, stderr } = await program.exited;
    signal.throwIfAborted();
    const answer: unknown = stdout === "" ? undefined : JSON.parse(stdout);
    if (isJsonObject(answer)) return answer;
    throw new AppError("tool_failed", "The query ended without an answer.", {
      fix: "Make the query smaller.",
      cause: new Error(stderr.slice(-1_000)),
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
