/**
 * Fills a database with a history: copies of template runs, spread evenly over a period, written by SQL straight
 * through the schema of an older version; then the sums that it would have kept meanwhile, and the migrations.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { MIGRATIONS } from "../../../drizzle/index.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/id.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { reversed } from "../../../src/store/run-search.ts";
import { openStore, type Store } from "../../../src/store/store.ts";
import { KINDS, type Template } from "./templates.ts";

const PERIOD_MS = 90 * 24 * 60 * 60 * 1000;
const RUNS_PER_COMMIT = 20_000;
const RUNS_PER_MEMORY = 10;
const RUNS_PER_CONVERSATION = 100;
const SAVES_AT_ONCE = 500;
const SAMPLE_COUNT_MAX = 200;
const MEMORY_AGENT_COUNT = 2;
/** What is copied whole, and what is copied for each run. */
const SHARED_TABLES = ["workflows", "workflow_versions"];
const RUN_TABLES = ["runs", "steps", "step_calls", "signals", "events"];
/** Runs are written before it: from here on migrations fill their tables from the runs that are there. */
const FIRST_BACKFILL = "0003_add_dashboard";
const WORD_COUNT = 5_000;

export interface History {
  readonly path: string;
  readonly runCount: number;
  readonly eventCount: number;
  readonly bytes: number;
  /** Of the one that most runs are of. */
  readonly workflowId: string;
  /** Ids of runs of each kind, from all over the period. */
  readonly samples: ReadonlyMap<string, readonly string[]>;
}

export async function seedHistory(
  folder: string,
  templates: readonly Template[],
  options: { readonly templatePath: string; readonly runCount: number },
): Promise<History> {
  const { templatePath, runCount } = options;
  const path = join(folder, "agents.db");
  const nowMs = Date.now();
  const migrations = MIGRATIONS.slice(
    0,
    MIGRATIONS.findIndex(({ name }) => name === FIRST_BACKFILL),
  );
  openDatabase({ path, nowMs, readOnly: false, migrations }).client.close(true);
  const database = new Database(path, { readwrite: true, strict: true });
  // Nothing is lost with this file but time.
  for (const pragma of ["journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"])
    database.run(`PRAGMA ${pragma}`);
  database.run("ATTACH ? AS made", [templatePath]);
  for (const table of SHARED_TABLES)
    database.run(`INSERT INTO main.${table} SELECT * FROM made.${table}`);
  const samples = copyRuns(database, templates, runCount);
  sumUp(database);
  migrate(database, MIGRATIONS, { nowMs });
  const { count } = database
    .query<{ count: number }, []>("SELECT count(*) AS count FROM events")
    .get() ?? { count: 0 };
  const { id: workflowId } = database
    .query<{ id: string }, []>("SELECT id FROM workflows WHERE name = 'greeting'")
    .get() ?? { id: "" };
  database.run("PRAGMA journal_mode = WAL");
  database.close(true);
  await withStore(path, (store) => addTheRest(store, runCount));
  return { path, runCount, eventCount: count, bytes: Bun.file(path).size, workflowId, samples };
}

function copyRuns(
  database: Database,
  templates: readonly Template[],
  runCount: number,
): ReadonlyMap<string, readonly string[]> {
  const copy = createCopier(database);
  const plan = planOf(templates, runCount);
  const startedAt = Date.now() - PERIOD_MS;
  const samples = new Map(templates.map(({ kind }) => [kind, createSample()]));
  database.run("BEGIN");
  for (let index = 0; index < runCount; index += 1) {
    const template = plan(index);
    const at = Math.floor(startedAt + (PERIOD_MS * index) / runCount);
    const id = newId(at);
    copy(template.runId, id, at);
    samples.get(template.kind)?.add(id);
    if (index % RUNS_PER_COMMIT === RUNS_PER_COMMIT - 1) database.run("COMMIT; BEGIN");
  }
  database.run("COMMIT");
  return new Map([...samples].map(([kind, sample]) => [kind, sample.ids()]));
}

/** Some ids from all over the period, however many there are. */
function createSample() {
  let kept: string[] = [];
  let each = 1;
  let seen = 0;
  return {
    add(id: string): void {
      if (seen % each === 0) kept.push(id);
      seen += 1;
      if (kept.length < SAMPLE_COUNT_MAX) return;
      kept = kept.filter((_, index) => index % 2 === 0);
      each *= 2;
    },
    ids: () => kept,
  };
}

/** Which kind the run at this place is: the same mix in every thousand, and what still lives at the end. */
function planOf(templates: readonly Template[], runCount: number): (index: number) => Template {
  const byKind = new Map(templates.map((template) => [template.kind, template]));
  const slots = (count: "share" | "live") =>
    KINDS.flatMap((kind) => {
      const template = byKind.get(kind.kind);
      return template === undefined ? [] : Array.from({ length: kind[count] ?? 0 }, () => template);
    });
  const [finished, live] = [slots("share"), slots("live")];
  return (index) => {
    const fromEnd = runCount - 1 - index;
    // Every other of the newest still lives.
    const [list, place] =
      fromEnd < 2 * live.length && fromEnd % 2 === 0
        ? [live, fromEnd / 2]
        : [finished, (index * 7_919) % finished.length];
    const template = list[place];
    if (template === undefined) throw new Error(`no template for run ${index}`);
    return template;
  };
}

/** Copies a run and all that hangs on it to another id and another time. */
function createCopier(database: Database): (from: string, to: string, at: number) => void {
  let count = 0;
  const createdAt = database.query<{ at: number }, [string]>(
    "SELECT created_at AS at FROM made.runs WHERE id = ?",
  );
  const statements = RUN_TABLES.map((table) => {
    const columns = database
      .query<{ name: string }, []>(`PRAGMA main.table_info(${table})`)
      .all()
      .map(({ name }) => name);
    const values = columns.map((name) => {
      if (name === "run_id" || name === "id" || name === "root_id") return "?2";
      if (name === "reversed_id") return "?3";
      // What people search for differs from run to run.
      if (name === "inputs") return `replace(inputs, '"Ada"', '"Ada ' || ?5 || '"')`;
      return name === "at" || name.endsWith("_at") ? `"${name}" + ?4` : `"${name}"`;
    });
    const key = table === "runs" ? "id" : "run_id";
    const sql = `INSERT INTO main.${table} (${columns.map((name) => `"${name}"`).join(", ")})
       SELECT ${values.join(", ")} FROM made.${table} WHERE ${key} = ?1`;
    return {
      isNamed: sql.includes("?5"),
      statement: database.prepare<unknown, (string | number)[]>(sql),
    };
  });
  const born = new Map<string, number>();
  return (from, to, at) => {
    const before = born.get(from) ?? createdAt.get(from)?.at ?? 0;
    born.set(from, before);
    const backwards = reversed(to);
    count += 1;
    const word = wordOf((count * 7_919) % WORD_COUNT);
    for (const { statement, isNamed } of statements) {
      const values = [from, to, backwards, at - before];
      statement.run(...values, ...(isNamed ? [word] : []));
    }
  };
}

/** A name that can be said, another for each number. */
export function wordOf(number: number): string {
  const [consonants, vowels] = ["bdfgklmnprstv", "aeiou"];
  let word = "";
  for (let rest = number + 1; rest > 0; rest = Math.floor(rest / 65))
    word += `${consonants[rest % 13]}${vowels[Math.floor(rest / 13) % 5]}`;
  return `${word}s`;
}

/** What the writes of runs kept up to date in the version that the runs are written for. */
function sumUp(database: Database): void {
  database.run("DELETE FROM run_counts");
  database.run("INSERT INTO run_counts SELECT state, count(*) FROM runs GROUP BY state");
  database.run(
    `INSERT INTO run_minutes (starts_at, created, succeeded, failed, cost_nano_usd, tokens)
     SELECT at / 60000 * 60000, sum(created), sum(succeeded), sum(failed), sum(cost), sum(tokens)
     FROM (
       SELECT created_at AS at, 1 AS created, 0 AS succeeded, 0 AS failed, 0 AS cost, 0 AS tokens
       FROM runs
       UNION ALL SELECT finished_at, 0, state = 'succeeded', state = 'failed', 0, 0
       FROM runs WHERE finished_at IS NOT NULL
       UNION ALL SELECT finished_at, 0, 0, 0, coalesce(cost_nano_usd, 0), input_tokens + output_tokens
       FROM step_calls
     ) GROUP BY 1`,
  );
}

async function addTheRest(store: Store, runCount: number): Promise<void> {
  await inBatches(Math.ceil(runCount / RUNS_PER_MEMORY), (index) =>
    store.memory.save({
      namespace: {
        scope: "workflow",
        agent: `assistant_${index % MEMORY_AGENT_COUNT}`,
        runId: `run-${Math.floor(index / 50)}`,
        nodeId: null,
      },
      key: `fact ${index}`,
      value: `The customer of order ${index} likes tea.`,
      maxEntries: 50,
      expiresAt: null,
    }),
  );
  await inBatches(Math.ceil(runCount / RUNS_PER_CONVERSATION), (index) =>
    store.conversations.create({
      id: newId(Date.now() - index),
      title: `Talk ${index}`,
      text: "Write a workflow that greets somebody.",
    }),
  );
}

async function inBatches(count: number, save: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += SAVES_AT_ONCE) {
    const indexes = Array.from(
      { length: Math.min(SAVES_AT_ONCE, count - from) },
      (_, i) => from + i,
    );
    await Promise.all(indexes.map(save));
  }
}

async function withStore(path: string, use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ path, clock: systemClock });
  await use(store);
  await store.close();
}
