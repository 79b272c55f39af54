import type { Hono } from "hono";
import { writeCookie } from "../cookie.ts";
import { readForm } from "../form.ts";
import { isTheme, THEME_COOKIE, type WebEnv } from "../kit.ts";
import { localPath, PATTERNS } from "../routes.ts";

const THEME_MS = 365 * 24 * 60 * 60 * 1000;

/** Keeps the chosen theme in a cookie and goes back to the page it was chosen on. */
export function registerTheme(app: Hono<WebEnv>): void {
  app.post(PATTERNS.theme, async (c) => {
    const form = await readForm(c);
    const theme = form.text("theme");
    if (isTheme(theme))
      writeCookie(c, THEME_COOKIE, { value: theme, maxAgeMs: THEME_MS, scripted: true });
    return c.redirect(localPath(form.text("back")), 303);
  });
}
