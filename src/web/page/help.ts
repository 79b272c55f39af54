import type { Hono } from "hono";
import { HelpPage, ShortcutList } from "../../../views/help.tsx";
import { writeCookie } from "../cookie.ts";
import { wantsFragment } from "../error.ts";
import { readForm } from "../form.ts";
import { type Kit, SHORTCUTS_COOKIE, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";

const CHOICE_MS = 365 * 24 * 60 * 60 * 1000;

export function registerHelp(app: Hono<WebEnv>, kit: Kit): void {
  app.get(PATTERNS.help, (c) => {
    if (wantsFragment(c)) return html(c, ShortcutList());
    const { dataDir, databasePath } = kit.deps;
    return html(c, HelpPage({ shell: kit.shell(c, "Help"), dataDir, databasePath }));
  });

  app.post(PATTERNS.helpShortcuts, async (c) => {
    const value = (await readForm(c)).text("shortcuts") === "off" ? "off" : "on";
    writeCookie(c, SHORTCUTS_COOKIE, { value, maxAgeMs: CHOICE_MS });
    return c.redirect(`${pathTo.help()}#shortcuts-h`, 303);
  });
}
