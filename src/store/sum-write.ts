/**
 * Sums that many writes of one transaction add to: they are gathered while it runs and written once, just before
 * it is committed (group-commit.ts). So they are kept or lost with what they count, and cost a row for a group.
 */
import type { Database } from "bun:sqlite";
import { oncePer } from "../lib/once-per.ts";
import { defineStatement } from "./statement.ts";

/** Adds a row of sums: its parameters are the key, then the sums. */
export interface SumTable {
  readonly upsert: ReturnType<typeof defineStatement<unknown, (string | number)[]>>;
  readonly columns: readonly string[];
}

interface Addition {
  readonly table: SumTable;
  readonly key: readonly (string | number)[];
  /** In the order of the columns. */
  readonly sums: readonly number[];
}

const pendingOf = oncePer<Database, Addition[]>(() => []);

/** @param insert Begins the statement, up to where the row may be there already. */
export function defineSums(insert: string, columns: readonly string[]): SumTable {
  const added = columns.map((column) =>
    isMost(column)
      ? `${column} = max(${column}, excluded.${column})`
      : `${column} = ${column} + excluded.${column}`,
  );
  return {
    upsert: defineStatement(`${insert} ON CONFLICT DO UPDATE SET ${added.join(", ")}`),
    columns,
  };
}

/** To be called within a write of the connection, which alone writes it. */
export function addToSums(client: Database, addition: Addition): void {
  pendingOf(client).push(addition);
}

/** What has been added so far in this transaction. */
export function countSums(client: Database): number {
  return pendingOf(client).length;
}

/** Forgets what was added after `count`. */
export function forgetSums(client: Database, count = 0): void {
  pendingOf(client).length = count;
}

export function writeSums(client: Database): void {
  const rows = new Map<string, { table: SumTable; key: Addition["key"]; sums: number[] }>();
  const tables = new Map<SumTable, number>();
  for (const { table, key, sums } of pendingOf(client)) {
    if (!tables.has(table)) tables.set(table, tables.size);
    const place = `${tables.get(table)} ${key.join(" ")}`;
    const row = rows.get(place);
    if (row === undefined) rows.set(place, { table, key, sums: [...sums] });
    else addUp(row.sums, sums, table);
  }
  for (const { table, key, sums } of rows.values()) table.upsert(client).run(...key, ...sums);
  forgetSums(client);
}

function addUp(into: number[], sums: readonly number[], { columns }: SumTable): void {
  for (const [index, column] of columns.entries()) {
    const [before, more] = [into[index] ?? 0, sums[index] ?? 0];
    into[index] = isMost(column) ? Math.max(before, more) : before + more;
  }
}

function isMost(column: string): boolean {
  return column.endsWith("_max");
}
