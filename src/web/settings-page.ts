/** The settings page, which several forms answer with. */
import {
  SettingsPage,
  type ProviderStatus,
  type SettingsPageProps,
} from "../../views/settings.tsx";
import type { Backup } from "../domain/backup.ts";
import type { AppError } from "../domain/error.ts";
import { type Kit, readOr, type WebContext } from "./kit.ts";
import { BACKUP_BYTES_MAX } from "./middleware/body-limit.ts";
import { html } from "./render.ts";

/** What the page says after a form was taken; the address carries only the word. */
const NOTICES: Readonly<Record<string, string>> = {
  key: "The key was saved.",
  "key-removed": "The key was removed.",
  password: "The password was saved.",
  saved: "The settings were saved.",
  reset: "The setting is back at its default.",
  backup: "A backup was made.",
  uploaded: "The backup was uploaded.",
  deleted: "The backup was deleted.",
  restarted: "agents has started anew.",
};

/** What is beside the usual on this page: a refusal with what was sent. */
export type Refusal = Pick<SettingsPageProps, "draft" | "faults" | "removals"> & {
  readonly error?: AppError;
};

export type Checks = Map<string, { readonly ok: boolean; readonly message: string }>;

export async function settingsPage(
  c: WebContext,
  { kit, checks }: { kit: Kit; checks: Checks },
  { error, ...refusal }: Refusal = {},
): Promise<Response> {
  const { deps } = kit;
  const backups = await readOr<Backup[]>(c, deps.backups.list(), []);
  const view = SettingsPage({
    shell: kit.shell(c, "Settings"),
    providers: deps.providers().map((provider) => withCheck(provider, checks)),
    values: deps.values(),
    dataDir: deps.dataDir,
    databasePath: deps.databasePath,
    databaseBytes: deps.databaseBytes(),
    commit: deps.commit,
    passwordSet: deps.adminPasswordHash() !== undefined,
    services: deps.services(),
    needsRestart: deps.needsRestart(),
    backups,
    isBackupBusy: deps.backups.isBusy(),
    backupFolder: deps.backups.folder,
    uploadBytesMax: BACKUP_BYTES_MAX,
    notice: NOTICES[c.req.query("done") ?? ""],
    error: error?.toRecord(),
    ...refusal,
  });
  const isRefused = error !== undefined || Object.keys(refusal).length > 0;
  return html(c, view, isRefused ? 422 : 200);
}

/** The newest check is one made here, else what the product knows. */
function withCheck(provider: ProviderStatus, checks: Checks): ProviderStatus {
  return { ...provider, check: checks.get(provider.name) ?? provider.check };
}
