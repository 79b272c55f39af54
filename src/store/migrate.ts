/**
 * Applies migrations to a database.
 *
 * - A migration is known by its name: one that was merged after a later one is applied all the same.
 * - All pending ones are applied in one transaction: a failure leaves the database as it was.
 * - Foreign keys are off from before BEGIN, because SQLite ignores the pragma inside a transaction and
 *   a table rebuild would then delete the children of the rebuilt table; they are checked before COMMIT.
 * - Two processes may do this at once: the second waits for the lock and finds nothing left to do.
 * - Applied migrations never change: the digest recorded with each is compared at every start.
 */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import { assert } from "../lib/assert.ts";

export interface Migration {
  readonly name: string;
  /** Of the text, hex. */
  readonly sha256: string;
  readonly sql: string;
}

export interface MigrateOptions {
  readonly nowMs: number;
  /** Called under the write lock, before existing data is changed. @returns the path of the copy. */
  readonly backUp?: (lastMigration: string) => string;
}

export interface MigrateResult {
  /** Names, in order. */
  readonly migrated: string[];
  readonly backup: string | undefined;
}

interface AppliedRow {
  name: string;
  sha256: string;
}

/** @throws SQLiteError `SQLITE_BUSY` when another process holds the lock; AppError as `pendingMigrations`. */
export function migrate(
  client: Database,
  migrations: readonly Migration[],
  options: MigrateOptions,
): MigrateResult {
  if (pendingMigrations(client, migrations).length === 0) {
    return { migrated: [], backup: undefined };
  }
  client.run("PRAGMA foreign_keys = OFF");
  client.run("BEGIN IMMEDIATE");
  try {
    // Asked again under the lock: another process may have migrated in between.
    const pending = pendingMigrations(client, migrations);
    const last = appliedMigrations(client).at(-1)?.name;
    const backup = pending.length > 0 && last !== undefined ? options.backUp?.(last) : undefined;
    applyAll(client, pending, options.nowMs);
    client.run("COMMIT");
    return { migrated: pending.map((migration) => migration.name), backup };
  } finally {
    if (client.inTransaction) client.run("ROLLBACK");
    client.run("PRAGMA foreign_keys = ON");
  }
}

function applyAll(client: Database, pending: readonly Migration[], nowMs: number): void {
  client.run(
    "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL)",
  );
  for (const migration of pending) {
    assert(migration.sql.length > 0, `empty migration ${migration.name}`);
    client.run(migration.sql);
    client.run("INSERT INTO migrations VALUES (?, ?, ?)", [
      migration.name,
      migration.sha256,
      nowMs,
    ]);
  }
  const orphans = client.query("PRAGMA foreign_key_check").all();
  assert(orphans.length === 0, `migrations leave ${orphans.length} orphans`);
}

/** In the order of their names. Empty for a database that has no tables yet. */
function appliedMigrations(client: Database): AppliedRow[] {
  const tables = client
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map((table) => table.name);
  if (tables.includes("migrations")) {
    return client.query<AppliedRow, []>("SELECT name, sha256 FROM migrations ORDER BY name").all();
  }
  if (tables.length === 0) return [];
  throw new AppError("config_invalid", "The file is a database of another program.", {
    fix: "Choose another file with --db-url, or another folder with --data-dir.",
  });
}

/**
 * What is still to be applied. Reads only.
 * @throws AppError `database_newer` when the database knows migrations that this executable does not;
 * `config_invalid` when the file belongs to another program.
 */
export function pendingMigrations(
  client: Database,
  migrations: readonly Migration[],
): readonly Migration[] {
  const applied = appliedMigrations(client);
  const known = new Map(migrations.map((migration) => [migration.name, migration.sha256]));
  const foreign = applied.filter((row) => known.get(row.name) !== row.sha256);
  if (foreign.length > 0) {
    const names = foreign.map((row) => row.name).join(", ");
    throw new AppError(
      "database_newer",
      `The database was written by a newer version of agents (${names}).`,
      { fix: "Use the newest version of agents, or choose another folder with --data-dir." },
    );
  }
  const done = new Set(applied.map((row) => row.name));
  return migrations.filter((migration) => !done.has(migration.name));
}
