import type { Hono } from "hono";
import { LoginPage } from "../../../views/login.tsx";
import type { ErrorRecord } from "../../domain/error.ts";
import { readForm } from "../form.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { addressOf } from "../remote-address.ts";
import { html } from "../render.ts";
import { localPath, pathTo, PATTERNS } from "../routes.ts";

const TITLE = "Log in";

/** Login and logout. On a loopback address there is nothing to log in to. */
export function registerLogin(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, access, throttle } = kit;

  app.get(PATTERNS.login, async (c) => {
    const next = localPath(c.req.query("next"));
    if (access.isAllowed(c)) return c.redirect(next, 303);
    return html(c, LoginPage({ shell: kit.shell(c, TITLE), error: undefined, next }));
  });

  app.post(PATTERNS.login, async (c) => {
    const form = await readForm(c);
    const next = localPath(form.text("next"));
    if (!access.needsLogin) return c.redirect(next, 303);
    const hash = deps.adminPasswordHash();
    const ok = await throttle.attempt(addressOf(c), () => isPassword(form.text("password"), hash));
    if (ok) {
      access.begin(c);
      return c.redirect(next, 303);
    }
    const error: ErrorRecord = { code: "unauthorized", message: "This password is wrong." };
    return html(c, LoginPage({ shell: kit.shell(c, TITLE), error, next }), 401);
  });

  app.post(PATTERNS.logout, (c) => {
    access.end(c);
    return c.redirect(access.needsLogin ? pathTo.login() : pathTo.status(), 303);
  });
}

/** @param hash Undefined when none is set: then no password is right. */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  if (hash === undefined || password === "") return false;
  return Bun.password.verify(password, hash);
}
