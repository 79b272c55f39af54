import type { Database, SQLQueryBindings } from "bun:sqlite";
import { oncePer } from "../lib/once-per.ts";

/**
 * A statement that is prepared once on each connection: on the hot paths parsing would cost more than
 * running. (`Database.query` keeps only twenty.) Closing the connection finalizes it.
 */
export function defineStatement<Row, Params extends SQLQueryBindings[]>(text: string) {
  return oncePer((client: Database) => client.prepare<Row, Params>(text));
}
