/** Copies of the database: made, downloaded, put back. */
import type { Backup, BackupKind } from "../../src/domain/backup.ts";
import { isWritable, type Shell } from "../shell.ts";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";
import { formatBytes } from "./number.ts";
import { Panel } from "./panel.tsx";
import { DateTime } from "./time.tsx";

const KIND: Readonly<Record<BackupKind, string>> = {
  made: "made by hand",
  update: "before an update",
  replaced: "replaced by a restore",
};

export interface BackupsProps {
  readonly shell: Shell;
  readonly backups: readonly Backup[];
  /** One is being made or checked. */
  readonly isBackupBusy: boolean;
  readonly backupFolder: string;
  readonly uploadBytesMax: number;
}

export function BackupsPanel(props: BackupsProps) {
  const { shell, backups, isBackupBusy } = props;
  const canWrite = isWritable(shell);
  return (
    <Panel
      id="backups"
      title="Backup and restore"
      action={
        canWrite ? (
          <PostForm action="/settings/backups" csrf={shell.csrf}>
            <button type="submit" class="btn ghost" disabled={isBackupBusy}>
              <Icon name="copy" size={14} />
              Back up now
            </button>
          </PostForm>
        ) : undefined
      }
    >
      {isBackupBusy ? (
        <p class="quiet" role="status">
          A backup is being made or checked. <a href="/settings#backups-h">Look again</a>
        </p>
      ) : null}
      {backups.length === 0 ? (
        <p class="quiet">
          No backups yet. One is a single file with all workflows, runs, chats and memories; keys
          and settings are in <code>.env</code> beside it and not part of it.
        </p>
      ) : (
        <ul class="backups">
          {backups.map((backup) => (
            <Item backup={backup} shell={shell} />
          ))}
        </ul>
      )}
      {canWrite ? <Upload {...props} /> : null}
      <p class="quiet">
        Files in <code class="path">{props.backupFolder}</code> are listed here. In a terminal:{" "}
        <code>agents backup</code>, <code>agents restore FILE</code>.
      </p>
    </Panel>
  );
}

function Item(props: { backup: Backup; shell: Shell }) {
  const { backup, shell } = props;
  const path = `/settings/backups/${encodeURIComponent(backup.name)}`;
  const id = `backup-${idPart(backup.name)}`;
  return (
    <li class="backup" id={id}>
      <div class="backup-head">
        <span class="backup-name">{backup.name}</span>
        <span class="sub num">
          <DateTime at={backup.at} /> · {formatBytes(backup.bytes)} · {KIND[backup.kind]}
        </span>
      </div>
      <div class="actions">
        <a class="btn ghost small" href={path} hx-boost="false" download={backup.name}>
          <Icon name="download" size={12} />
          Download<span class="sr"> {backup.name}</span>
        </a>
        {isWritable(shell) ? (
          <>
            <details class="fold" id={`${id}-fold`}>
              <summary>
                <Icon name="chevron" size={12} />
                Restore<span class="sr"> {backup.name}</span>
              </summary>
              <PostForm action={`${path}/restorations`} csrf={shell.csrf} class="stack restore">
                <p class="sub">
                  The file is checked, agents restarts, and this file takes the place of the
                  database. What is there now is kept and listed here.
                </p>
                <button type="submit" class="btn danger small">
                  Restore and restart
                </button>
              </PostForm>
            </details>
            <PostForm action={`${path}/deletion`} csrf={shell.csrf}>
              <button type="submit" class="btn ghost small">
                <Icon name="trash" size={12} />
                Delete<span class="sr"> {backup.name}</span>
              </button>
            </PostForm>
          </>
        ) : null}
      </div>
    </li>
  );
}

function Upload(props: BackupsProps) {
  return (
    <PostForm
      action="/settings/backups/uploads"
      csrf={props.shell.csrf}
      class="filters upload-backup"
      multipart
    >
      <label for="backup-file">Upload a backup</label>
      <input id="backup-file" name="file" type="file" class="input" accept=".db" required />
      <button type="submit" class="btn ghost">
        <Icon name="upload" size={14} />
        Upload
      </button>
      <span class="sub">
        At most {formatBytes(props.uploadBytesMax)}; put larger ones into the folder.
      </span>
    </PostForm>
  );
}
