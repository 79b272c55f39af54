import type { Hono } from "hono";
import { SETTING_SECTIONS, type Removal } from "../../../views/part/settings-form.tsx";
import type { SettingValue } from "../../../views/settings.tsx";
import { AppError } from "../../domain/error.ts";
import { RUN_STATES_FINAL } from "../../domain/run.ts";
import type { WebDeps } from "../deps.ts";
import { type Form, readForm } from "../form.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { type Checks, settingsPage } from "../settings-page.ts";

const VALUE_LENGTH_MAX = 2_000;
const RUN_COUNT_MAX = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
const KEEP_DAYS = "AGENTS_KEEP_RUNS_DAYS";
const KEEP_COUNT = "AGENTS_KEEP_RUNS_COUNT";

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
    const removals = form.text("sure") === "yes" ? [] : await removalsBy(deps, changes);
    if (removals.length > 0) return settingsPage(c, { kit, checks }, { draft, removals });
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

/** What would go by these changes. */
export async function removalsBy(
  { runs, clock }: Pick<WebDeps, "runs" | "clock">,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<Removal[]> {
  const states = RUN_STATES_FINAL;
  const limit = RUN_COUNT_MAX + 1;
  const removals: Removal[] = [];
  const add = (beyond: Removal["beyond"], count: number) => {
    const isMore = count > RUN_COUNT_MAX;
    if (count > 0) removals.push({ beyond, count: Math.min(count, RUN_COUNT_MAX), isMore });
  };
  const days = wholeNumber(changes[KEEP_DAYS]);
  if (days > 0) {
    // Created before is ended before, for all but those that took longer than that.
    const untilMs = clock.now() - days * DAY_MS;
    add({ days }, (await runs.list({ states, untilMs, limit })).length);
  }
  const newest = wholeNumber(changes[KEEP_COUNT]);
  const first = newest > 0 ? await runs.findEndedBeyond(newest) : undefined;
  if (first !== undefined) {
    // Itself and those before it.
    const older = await runs.list({ states, before: first, limit: RUN_COUNT_MAX });
    add({ newest }, older.length + 1);
  }
  return removals;
}

/** Zero for what is none: it is refused with its own reason. */
function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
