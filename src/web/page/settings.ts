import type { Hono } from "hono";
import type { ProviderStatus } from "../../../views/settings.tsx";
import { AppError } from "../../domain/error.ts";
import { readForm } from "../form.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { type Checks, settingsPage } from "../settings-page.ts";
import { registerBackups } from "./backups.ts";
import { registerRestart } from "./restart.ts";
import { registerValues } from "./settings-values.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { addressOf } from "../remote-address.ts";
import { isPassword } from "./login.ts";

export const PASSWORD_LENGTH_MIN = 8;
const PASSWORD_LENGTH_MAX = 1_000;
const KEY_LENGTH_MAX = 1_000;

export function registerSettings(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, access, throttle } = kit;
  /** Results of the checks of this session, by provider. */
  const checks: Checks = new Map();

  const page = (c: WebContext, error?: AppError) =>
    settingsPage(c, { kit, checks }, error === undefined ? {} : { error });

  app.get(PATTERNS.settings, (c) => page(c));

  app.post(PATTERNS.settingsKeys, async (c) => {
    const form = await readForm(c);
    const provider = requireProvider(deps.providers(), form.text("provider"));
    const key = form.text("key").trim();
    const problem = keyProblem(provider, key);
    if (problem !== undefined) return page(c, problem);
    await deps.saveKey(provider.variable, key);
    checks.delete(provider.name);
    return c.redirect(`${pathTo.settings()}?done=key`, 303);
  });

  app.post(PATTERNS.settingsKeyRemovals, async (c) => {
    const form = await readForm(c);
    const provider = requireProvider(deps.providers(), form.text("provider"));
    if (provider.variable === "") return page(c, keyProblem(provider, ""));
    await deps.removeKey(provider.variable);
    checks.delete(provider.name);
    return c.redirect(`${pathTo.settings()}?done=key-removed`, 303);
  });

  app.post(PATTERNS.settingsChecks, async (c) => {
    const form = await readForm(c);
    const { name } = requireProvider(deps.providers(), form.text("provider"));
    checks.set(name, await deps.checkProvider(name));
    return c.redirect(pathTo.settings(), 303);
  });

  app.post(PATTERNS.settingsPassword, async (c) => {
    const form = await readForm(c);
    const hash = deps.adminPasswordHash();
    const password = form.text("password");
    if (hash !== undefined) {
      const ok = await throttle.attempt(addressOf(c), () => isPassword(form.text("current"), hash));
      if (!ok) return page(c, new AppError("invalid", "The current password is wrong."));
    }
    if (password.length < PASSWORD_LENGTH_MIN || password.length > PASSWORD_LENGTH_MAX) {
      const fix = `Choose one of ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters.`;
      return page(c, new AppError("invalid", "The new password cannot be used.", { fix }));
    }
    await deps.setPassword(await Bun.password.hash(password, "argon2id"));
    // The new password has ended every session, this one too.
    if (access.needsLogin) access.begin(c);
    return c.redirect(`${pathTo.settings()}?done=password`, 303);
  });

  registerSessions(app, kit);
  registerValues(app, kit, checks);
  registerBackups(app, kit, checks);
  registerRestart(app, kit);
}

function registerSessions(app: Hono<WebEnv>, { deps, access }: Kit): void {
  app.post(PATTERNS.settingsSessions, async (c) => {
    await deps.endSessions();
    return c.redirect(access.needsLogin ? pathTo.login() : pathTo.settings(), 303);
  });
}

function requireProvider(providers: readonly ProviderStatus[], name: string): ProviderStatus {
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined) throw new AppError("not_found", `There is no provider ${name}.`);
  return provider;
}

/** A key goes into a file of lines, so it must be one word. */
function keyProblem(provider: ProviderStatus, key: string): AppError | undefined {
  if (provider.variable === "") {
    return new AppError("invalid", `${provider.label} needs no key.`);
  }
  if (/^[\x21-\x7e]+$/.test(key) && key.length <= KEY_LENGTH_MAX) return undefined;
  return new AppError("invalid", "This cannot be a key.", {
    fix: "Paste the key alone: letters, digits and signs without a space.",
  });
}
