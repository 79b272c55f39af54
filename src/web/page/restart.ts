import type { Hono } from "hono";
import { RestartPage } from "../../../views/restart.tsx";
import { wantsFragment } from "../error.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";

/** Starts the product anew, and leads whoever asked for it back when it is there again. */
export function registerRestart(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;

  app.post(PATTERNS.settingsRestart, (c) => {
    deps.restart();
    return c.redirect(restartPath(deps.startedAt), 303);
  });

  app.get(PATTERNS.settingsRestart, async (c) => {
    const of = c.req.query("of") ?? "";
    if (of === String(deps.startedAt)) {
      if (wantsFragment(c)) return c.body(null, 204);
      return html(c, RestartPage({ shell: kit.shell(c, "Restarting"), of }));
    }
    const next = `${pathTo.settings()}?done=restarted`;
    if (!wantsFragment(c)) return c.redirect(next, 303);
    c.header("HX-Redirect", next);
    return c.body(null, 200);
  });
}

export function restartPath(startedAt: number): string {
  return `${PATTERNS.settingsRestart}?of=${startedAt}`;
}
