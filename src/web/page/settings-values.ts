import type { Hono } from "hono";
import { SETTING_SECTIONS, type Removal } from "../../../views/part/settings-form.tsx";
import type { SettingValue } from "../../../views/settings.tsx";
import { AppError } from "../../domain/error.ts";
import type { WebDeps } from "../deps.ts";
import { type Form, readForm } from "../form.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { type Checks, settingsPage } from "../settings-page.ts";

const VALUE_LENGTH_MAX = 2_000;
const RUN_COUNT_MAX = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
const KEEP_RUNS = "AGENTS_KEEP_RUNS_DAYS";

/** Settings that are saved in the data folder's `.env`. */
export function registerValues(app: Hono<WebEnv>, kit: Kit, checks: Checks): void {
  const { deps } = kit;

  app.post(PATTERNS.settingsValues, async (c) => {
    const form = await readForm(c);
    const section = SETTING_SECTIONS.find((one) => one === form.text("section"));
    if (section === undefined) throw new AppError("invalid", "There is no such section.");
    const reset = form.text("reset");
    if (reset !== "") {
      const faults = await deps.saveSettings({ [reset]: undefined });
      if (Object.keys(faults).length > 0) return settingsPage(c, { kit, checks }, { faults });
      return c.redirect(`${pathTo.settings()}?done=reset#${section}-h`, 303);
    }
    const own = deps.values().filter(({ control }) => control?.section === section);
    const draft = readDraft(form, own);
    const changes = changesOf(draft, own);
    const removal = form.text("sure") === "yes" ? undefined : await removalBy(deps, changes);
    if (removal !== undefined) return settingsPage(c, { kit, checks }, { draft, removal });
    const faults = await deps.saveSettings(changes);
    if (Object.keys(faults).length > 0) return settingsPage(c, { kit, checks }, { draft, faults });
    return c.redirect(`${pathTo.settings()}?done=saved#${section}-h`, 303);
  });
}

function readDraft(form: Form, own: readonly SettingValue[]): Record<string, string> {
  return Object.fromEntries(
    own
      .filter(({ name }) => form.has(name))
      .map(({ name }) => [name, form.text(name).trim().slice(0, VALUE_LENGTH_MAX)]),
  );
}

/** What differs from what is in force; an empty field goes back to the default. */
function changesOf(
  draft: Readonly<Record<string, string>>,
  own: readonly SettingValue[],
): Record<string, string | undefined> {
  const changed = own.filter(({ name, value }) => (draft[name] ?? value) !== value);
  return Object.fromEntries(
    changed.map(({ name }) => [name, draft[name] === "" ? undefined : draft[name]]),
  );
}

/** What would go by these changes; undefined when nothing would. */
async function removalBy(
  { runs, clock }: WebDeps,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<Removal | undefined> {
  const days = Number(changes[KEEP_RUNS]);
  if (!(days > 0)) return undefined;
  // Created before is ended before, for all but those that took longer than that.
  const found = await runs.list({
    states: ["succeeded", "failed", "cancelled"],
    untilMs: clock.now() - days * DAY_MS,
    limit: RUN_COUNT_MAX + 1,
  });
  if (found.length === 0) return undefined;
  const isMore = found.length > RUN_COUNT_MAX;
  return { days, count: Math.min(found.length, RUN_COUNT_MAX), isMore };
}
