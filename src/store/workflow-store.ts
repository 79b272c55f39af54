import { and, desc, eq, like, lt, max, or, sql } from "drizzle-orm";
import { AppError } from "../domain/error.ts";
import {
  WORKFLOW_COUNT_MAX,
  WORKFLOW_SOURCE_BYTES_MAX,
  type WorkflowMark,
  type WorkflowRecord,
  type WorkflowStore,
  type WorkflowVersion,
} from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { Connection } from "./connection.ts";
import type { Db } from "./database.ts";
import { runs, workflowVersions, workflows } from "./schema.ts";
import { listWorkflows, readFigures } from "./workflow-figures.ts";

type SaveInput = Parameters<WorkflowStore["save"]>[0];

export function createWorkflowStore(connection: Connection, clock: Clock): WorkflowStore {
  return {
    async save(input) {
      if (Buffer.byteLength(input.source) > WORKFLOW_SOURCE_BYTES_MAX) {
        throw new AppError("too_large", `The workflow "${input.name}" is too large.`, {
          fix: `Keep the file under ${WORKFLOW_SOURCE_BYTES_MAX / 1024} KiB.`,
        });
      }
      return await connection.write(({ db }) => save(db, input, clock.now()));
    },
    get: (idOrName) =>
      connection.read(({ db }) => find(db, { id: idOrName }) ?? find(db, { name: idOrName })),
    list: ({ limit, search, before }) =>
      connection.read(({ db }) => {
        const words = (search ?? "").split(/\s+/).filter((word) => word !== "");
        return selectRecords(db)
          .where(and(...words.map(nameHas), before === undefined ? undefined : isBefore(before)))
          .orderBy(desc(workflows.updatedAt), desc(workflows.id))
          .limit(Math.max(0, Math.min(limit, WORKFLOW_COUNT_MAX)))
          .all()
          .map(toRecord);
      }),
    listings: (filter) => connection.read(({ client }) => listWorkflows(client, filter)),
    figures: (ids, sinceMs) =>
      connection.read(({ client }) => ids.map((id) => readFigures(client, id, sinceMs))),
    version: (workflowId, hash) =>
      connection.read(({ db }) =>
        db.select().from(workflowVersions).where(isVersion(workflowId, hash)).get(),
      ),
    versions: (workflowId) =>
      connection.read(({ db }) =>
        db
          .select()
          .from(workflowVersions)
          .where(eq(workflowVersions.workflowId, workflowId))
          .orderBy(desc(workflowVersions.number))
          .all(),
      ),
    remove: (id, expected) => connection.write(({ db }) => remove(db, id, expected)),
  };
}

function isBefore({ updatedAt, id }: { updatedAt: number; id: string }) {
  const older = lt(workflows.updatedAt, updatedAt);
  return or(older, and(eq(workflows.updatedAt, updatedAt), lt(workflows.id, id)));
}

function nameHas(word: string) {
  const pattern = `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return sql`${like(workflows.name, pattern)} ESCAPE '\\'`;
}

function isVersion(workflowId: string, hash: string) {
  return and(eq(workflowVersions.workflowId, workflowId), eq(workflowVersions.hash, hash));
}

function selectRecords(db: Db) {
  return db
    .select({ workflow: workflows, version: workflowVersions })
    .from(workflows)
    .innerJoin(
      workflowVersions,
      and(
        eq(workflowVersions.workflowId, workflows.id),
        eq(workflowVersions.hash, workflows.versionHash),
      ),
    )
    .$dynamic();
}

function toRecord(row: {
  workflow: typeof workflows.$inferSelect;
  version: WorkflowVersion;
}): WorkflowRecord {
  const { versionHash: _, ...workflow } = row.workflow;
  return { ...workflow, version: row.version };
}

function find(db: Db, by: { id: string } | { name: string }): WorkflowRecord | undefined {
  const condition = "id" in by ? eq(workflows.id, by.id) : eq(workflows.name, by.name);
  const row = selectRecords(db).where(condition).get();
  return row === undefined ? undefined : toRecord(row);
}

/** A text that was saved before, even if not last, is the version it was then, and the present one. */
function save(db: Db, input: SaveInput, now: number): WorkflowRecord {
  const hash = new Bun.CryptoHasher("sha256").update(input.source).digest("hex");
  const known = find(db, { name: input.name });
  requireUnchanged(known, input.expected);
  if (known?.version.hash === hash && known.description === input.description) return known;
  // Whoever has saved this very text has done what is asked for.
  if (known?.version.hash !== hash) requireBase(input, known);
  const id = known?.id ?? newId(now);
  const fields = { description: input.description, versionHash: hash, updatedAt: now };
  db.insert(workflows)
    .values({ id, name: input.name, createdAt: now, ...fields })
    .onConflictDoUpdate({ target: workflows.id, set: fields })
    .run();
  const last = db
    .select({ number: max(workflowVersions.number) })
    .from(workflowVersions)
    .where(eq(workflowVersions.workflowId, id))
    .get();
  db.insert(workflowVersions)
    .values({
      workflowId: id,
      hash,
      number: (last?.number ?? 0) + 1,
      format: input.format,
      createdAt: now,
      source: input.source,
    })
    .onConflictDoNothing()
    .run();
  const saved = find(db, { id });
  // Both rows were written above, in this transaction.
  if (saved === undefined) throw new AppError("internal", "Internal error.");
  return saved;
}

function requireBase({ name, base }: SaveInput, known: WorkflowRecord | undefined): void {
  if (base === undefined || base === (known?.version.hash ?? null)) return;
  throw new AppError("conflict", conflictText(name, base, known), {
    fix: "Look at what is there now, then save again.",
  });
}

function conflictText(
  name: string,
  base: string | null,
  known: WorkflowRecord | undefined,
): string {
  if (known === undefined) return `The workflow "${name}" has been deleted meanwhile.`;
  const { number } = known.version;
  return base === null
    ? `There is a workflow "${name}" already, in version ${number}.`
    : `The workflow "${name}" was changed meanwhile: version ${number} is newer than the one you began with.`;
}

/** Asked in the transaction that writes, so that of two at the same time one is refused. */
function requireUnchanged(known: WorkflowRecord | undefined, expected?: WorkflowMark): void {
  if (expected === undefined) return;
  const isSame = known?.version.hash === expected.hash && known.updatedAt === expected.updatedAt;
  if (isSame) return;
  throw new AppError("conflict", "The workflow was changed meanwhile.", {
    fix: "Read it again, then make your change anew.",
  });
}

function remove(db: Db, id: string, expected?: WorkflowMark): void {
  const known = find(db, { id });
  if (known === undefined) {
    throw new AppError("not_found", `There is no workflow ${id}.`, {
      fix: "Choose one from the list of workflows.",
    });
  }
  requireUnchanged(known, expected);
  const run = db.select({ id: runs.id }).from(runs).where(eq(runs.workflowId, id)).limit(1).get();
  if (run !== undefined) {
    throw new AppError("conflict", `The workflow "${known.name}" has runs and is kept with them.`, {
      fix: "Keep the workflow; it does nothing unless it is started.",
    });
  }
  db.delete(workflows).where(eq(workflows.id, id)).run();
}
