/**
 * What a statement costs, the same on every machine and at every time: the steps that SQLite's virtual machine
 * takes for it. bun:sqlite does not tell them; the same SQLite, compiled to WebAssembly, does.
 */
import { spyOn } from "bun:test";
import { Database, type Statement } from "bun:sqlite";
import openSqlite, { type BindableValue } from "@sqlite.org/sqlite-wasm";

export interface SentStatement {
  readonly text: string;
  readonly params: readonly BindableValue[];
  /** So many were taken; Infinity when it was read to its end. */
  readonly rowCount: number;
}

/** Notes what databases that are opened from now on are asked for. */
export function recordStatements() {
  let sent: SentStatement[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- Called on the right object below.
  const prepare = Database.prototype.prepare;
  const spy = spyOn(Database.prototype, "prepare").mockImplementation(function (
    this: Database,
    text: string,
    ...rest: never[]
  ) {
    const statement: Statement = prepare.call(this, text, ...rest);
    for (const [name, rowCount] of [
      ["all", Infinity],
      ["values", Infinity],
      ["get", 1],
    ] as const) {
      const ask: (...params: never[]) => unknown = statement[name].bind(statement);
      Object.assign(statement, {
        [name](...params: never[]) {
          sent.push({ text, params, rowCount });
          return ask(...params);
        },
      });
    }
    const iterate: (...params: never[]) => Iterable<unknown> = statement.iterate.bind(statement);
    Object.assign(statement, {
      *iterate(...params: never[]) {
        const one = { text, params, rowCount: 0 };
        sent.push(one);
        for (const row of iterate(...params)) {
          one.rowCount += 1;
          yield row;
        }
        one.rowCount = Infinity;
      },
    });
    return statement;
  } as typeof prepare);
  return {
    /** What has been sent since it was asked last. */
    take(): readonly SentStatement[] {
      const taken = sent;
      sent = [];
      return taken;
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}

/** @param path A database that nobody has open; it is read into memory. */
export async function createStepCounter(path: string) {
  const { capi, oo1, wasm } = await openSqlite();
  const bytes = await Bun.file(path).bytes();
  // A database in memory can have no write-ahead log: the file says that it has none.
  bytes[18] = bytes[19] = 1;
  const database = new oo1.DB(":memory:");
  const { pointer } = database;
  if (pointer === undefined) throw new Error("it has just been opened");
  const [at, size] = [wasm.allocFromTypedArray(bytes), bytes.byteLength];
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE;
  database.checkRc(capi.sqlite3_deserialize(pointer, "main", at, size, size, flags));
  return {
    /** Nothing for what writes, or tells of the connection. */
    stepsOf({ text, params, rowCount }: SentStatement): number {
      if (!/^\s*(SELECT|WITH)\b/i.test(text)) return 0;
      const statement = database.prepare(text);
      try {
        if (statement.pointer === undefined) throw new Error("it has just been prepared");
        if (params.length > 0) statement.bind([...params]);
        for (let row = 0; row < rowCount && statement.step(); row += 1);
        return capi.sqlite3_stmt_status(statement.pointer, capi.SQLITE_STMTSTATUS_VM_STEP, 0);
      } finally {
        statement.finalize();
      }
    },
    [Symbol.dispose]: () => database.close(),
  };
}
