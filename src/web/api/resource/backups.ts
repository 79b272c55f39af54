import { z } from "zod";
import type { Backup } from "../../../domain/backup.ts";
import { AppError } from "../../../domain/error.ts";
import type { Kit } from "../../kit.ts";
import { API_PREFIX } from "../../routes.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { IdParam } from "../schema/common.ts";
import {
  BACKUP_TYPE,
  BackupListSchema,
  BackupSchema,
  presentBackup,
  RestartSchema,
  presentRestart,
} from "../schema/maintenance.ts";

const NameParams = z.strictObject({ name: IdParam.describe("Name of its file.") });

export function backupOperations(kit: Kit): Operation[] {
  return [...readingOperations(kit), ...writingOperations(kit), restoreOperation(kit)];
}

function readingOperations({ deps: { backups } }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listBackups",
      method: "GET",
      path: "/backups",
      tag: "backups",
      summary: "List backups, the newest first",
      scope: "admin",
      answer: { status: 200, description: "The backups.", schema: BackupListSchema },
      handle: async () => ({ body: { items: (await backups.list()).map(presentBackup) } }),
    }),
    defineOperation({
      id: "downloadBackup",
      method: "GET",
      path: "/backups/:name",
      tag: "backups",
      summary: "Download a backup",
      scope: "admin",
      params: NameParams,
      answer: { status: 200, description: "An SQLite database.", mediaType: BACKUP_TYPE },
      handle: async ({ params }) => ({ file: await backups.open(params.name) }),
    }),
  ];
}

function writingOperations({ deps: { backups } }: Kit): Operation[] {
  return [
    defineOperation({
      id: "createBackup",
      method: "POST",
      path: "/backups",
      tag: "backups",
      summary: "Make a backup",
      description: "Answers when it is whole, which takes long for a large database.",
      scope: "admin",
      answer: { status: 201, description: "The backup.", schema: BackupSchema, hasLocation: true },
      repetition: "once",
      async handle() {
        const backup = await find(await backups.create());
        const headers = { Location: `${API_PREFIX}/backups/${encodeURIComponent(backup.name)}` };
        return { body: presentBackup(backup), headers };
      },
    }),
    defineOperation({
      id: "deleteBackup",
      method: "DELETE",
      path: "/backups/:name",
      tag: "backups",
      summary: "Delete a backup",
      scope: "admin",
      params: NameParams,
      answer: { status: 204, description: "It is gone." },
      async handle({ params }) {
        await backups.remove(params.name);
        return {};
      },
    }),
  ];

  async function find(name: string): Promise<Backup> {
    const found = (await backups.list()).find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new AppError("not_found", `There is no backup ${name}.`);
  }
}

function restoreOperation({ deps }: Kit): Operation {
  return defineOperation({
    id: "restoreBackup",
    method: "POST",
    path: "/backups/:name/restorations",
    tag: "backups",
    summary: "Put a backup in the place of the database",
    description:
      "It is checked, then `agents` starts anew with it. The database before it is kept.",
    scope: "admin",
    params: NameParams,
    answer: { status: 202, description: "It starts anew now.", schema: RestartSchema },
    refusals: [409],
    async handle({ params }) {
      await deps.backups.stage(params.name);
      deps.restart();
      return { body: presentRestart(deps.startedAt) };
    },
  });
}
