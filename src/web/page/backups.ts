import type { Hono } from "hono";
import { AppError } from "../../domain/error.ts";
import { readForm } from "../form.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { type Checks, settingsPage } from "../settings-page.ts";
import { restartPath } from "./restart.ts";

/** Whoever made one waits for it at most so long; then the page says that it is under way. */
const WAIT_MS = 5_000;

export function registerBackups(app: Hono<WebEnv>, kit: Kit, checks: Checks): void {
  const { deps } = kit;
  const { backups } = deps;

  app.post(PATTERNS.backups, async (c) => {
    const made = backups.create().then(() => "made" as const);
    const waited = deps.clock.sleep(WAIT_MS).then(() => "waited" as const);
    try {
      const end = await Promise.race([made, waited]);
      // Nobody waits for it any more: its failure is for the log.
      if (end === "waited") made.catch(deps.reportError);
      return c.redirect(end === "made" ? done("backup") : `${pathTo.settings()}#backups-h`, 303);
    } catch (error) {
      return settingsPage(c, { kit, checks }, { error: AppError.from(error) });
    }
  });

  app.post(PATTERNS.backupUploads, async (c) => {
    const file = (await readForm(c)).file("file");
    if (file === undefined) {
      const error = new AppError("invalid", "No file was chosen.", {
        fix: "Choose the file of a backup.",
      });
      return settingsPage(c, { kit, checks }, { error });
    }
    await backups.take(file);
    return c.redirect(done("uploaded"), 303);
  });

  app.get(PATTERNS.backup, async (c) => {
    const name = c.req.param("name");
    const file = await backups.open(name);
    c.header("Content-Type", "application/vnd.sqlite3");
    c.header("Content-Disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name)}`);
    c.header("Content-Length", String(file.size));
    return c.body(file.stream());
  });

  app.post(PATTERNS.backupDeletion, async (c) => {
    await backups.remove(c.req.param("name"));
    return c.redirect(done("deleted"), 303);
  });

  app.post(PATTERNS.backupRestorations, async (c) => {
    try {
      await backups.stage(c.req.param("name"));
    } catch (error) {
      const failure = AppError.from(error);
      if (failure.code === "internal" || failure.code === "not_found") throw error;
      return settingsPage(c, { kit, checks }, { error: failure });
    }
    deps.restart();
    return c.redirect(restartPath(deps.startedAt), 303);
  });
}

function done(word: string): string {
  return `${pathTo.settings()}?done=${word}#backups-h`;
}
