/** The tables of bulk jobs, as in schema.ts; the runs of a job are WITHOUT ROWID. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { BulkAction, BulkJob } from "../domain/bulk-job.ts";

/** What is done with many runs at once. */
export const bulkJobs = sqliteTable("bulk_jobs", {
  id: text().primaryKey(),
  action: text().$type<BulkAction>().notNull(),
  state: text().$type<BulkJob["state"]>().notNull(),
  createdAt: integer().notNull(),
  count: integer().notNull(),
  isMore: integer({ mode: "boolean" }).notNull(),
  doneCount: integer().notNull().default(0),
  refusedCount: integer().notNull().default(0),
  /** The job that takes it back. */
  undoneBy: text(),
});

/** The runs of a job, in its order. */
export const bulkItems = sqliteTable(
  "bulk_items",
  {
    jobId: text()
      .notNull()
      .references(() => bulkJobs.id, { onDelete: "cascade" }),
    position: integer().notNull(),
    state: text({ enum: ["begun", "left", "done", "refused"] }).notNull(),
    runId: text().notNull(),
    /** The run that was changed or made. */
    changedRunId: text(),
    message: text(),
    fix: text(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.position] })],
);
