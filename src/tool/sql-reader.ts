/**
 * The program that reads a database for `sql_query`, run by Bun (`-e`) in a process of its own: SQLite has no
 * way here to stop a query that runs for ever, but a process can be ended. It takes one line of
 * JSON and answers with one.
 */
import type { JsonObject } from "../lib/json.ts";

export interface SqlRequest extends JsonObject {
  /** Real path: it may hold no link. */
  readonly path: string;
  readonly query: string;
  readonly rowCountMax: number;
  readonly charsMax: number;
}

/** Memory that SQLite may take for one query. */
const HEAP_BYTES_MAX = 256 * 1024 * 1024;

/** SQLITE_OPEN_READONLY and SQLITE_OPEN_NOFOLLOW. */
const OPEN_FLAGS = 0x0000_0001 | 0x0100_0000;

export const SQL_READER = `
import { Database } from "bun:sqlite";
const { path, query, rowCountMax, charsMax } = await Bun.stdin.json();
const plain = (value) => {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Uint8Array) return "<" + value.length + " bytes>";
  return value;
};
const answer = () => {
  const database = new Database(path, ${OPEN_FLAGS});
  database.run("PRAGMA query_only = ON");
  database.run("PRAGMA trusted_schema = OFF");
  database.run("PRAGMA hard_heap_limit = ${HEAP_BYTES_MAX}");
  const statement = database.prepare(query);
  if (!statement.readonly || !statement.reader) return { error: "The statement does not only read." };
  if (statement.paramsCount > 0) return { error: "The statement has parameters that nobody gives." };
  statement.safeIntegers(true);
  const columns = statement.columnNames;
  const rows = [];
  let chars = 0;
  for (const row of statement.iterate()) {
    const shown = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
    chars += JSON.stringify(shown).length;
    if (rows.length === rowCountMax || chars > charsMax) return { columns, rows, cut: true };
    rows.push(shown);
  }
  return { columns, rows, cut: false };
};
let result;
try {
  result = answer();
} catch (error) {
  result = { error: error instanceof Error ? error.message : String(error) };
}
await Bun.write(Bun.stdout, JSON.stringify(result));
`;
