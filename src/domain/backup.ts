/** Copies of the database. */

/** Made by a person; before an update; what a restore has put aside. */
export type BackupKind = "made" | "update" | "replaced";

export interface Backup {
  readonly name: string;
  readonly kind: BackupKind;
  readonly bytes: number;
  readonly at: number;
}

/** All methods @throws AppError; those that name one `not_found`. One at a time is made or staged: else `conflict`. */
export interface Backups {
  /** A file that is put there is listed too. */
  readonly folder: string;
  isBusy(): boolean;
  /** Newest first. */
  list(): Promise<Backup[]>;
  /** @returns its name. */
  create(): Promise<string>;
  /** Keeps a file that was uploaded; whether it can be put back is seen when that is asked for. @returns its name. */
  take(file: Blob): Promise<string>;
  open(name: string): Promise<Blob>;
  remove(name: string): Promise<void>;
  /** Checks it and has the next start put it in the place of the database, which is kept aside. */
  stage(name: string): Promise<void>;
}
