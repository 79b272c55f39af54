import { Database } from "bun:sqlite";

/** Every row of every table, as text: equal dumps mean that nothing was changed. */
export function dumpDatabase(path: string): Record<string, string[]> {
  using client = new Database(path, { readonly: true });
  const tables = client
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all();
  return Object.fromEntries(
    tables.map(({ name }) => [
      name,
      client
        .query(`SELECT * FROM "${name}"`)
        .all()
        .map((row) => JSON.stringify(row))
        .toSorted(),
    ]),
  );
}
