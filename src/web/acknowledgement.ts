/** Alerts that somebody has read and put away: the state of each that was seen. One list for all people. */
import { AppError } from "../domain/error.ts";
import type { SystemStore } from "../domain/service.ts";

const SETTING = "alerts.acknowledged";
/** The oldest is forgotten, and its alert shows again. */
const ACKNOWLEDGED_COUNT_MAX = 100;
const CHARS_MAX = 2_000;

type Settings = Pick<SystemStore, "setting" | "setSetting">;

export async function readAcknowledged(system: Settings): Promise<Record<string, string>> {
  return Object.fromEntries(await readPairs(system));
}

/** @param text As the button has it: name and state of the alert. @throws AppError `invalid`. */
export async function acknowledge(system: Settings, text: string): Promise<void> {
  const pair = text.length > CHARS_MAX ? undefined : toPair(parse(text));
  if (pair === undefined)
    throw new AppError("invalid", "This is no alert.", { fix: "Reload the status page." });
  const [name] = pair;
  const others = (await readPairs(system)).filter(([other]) => other !== name);
  const kept = [...others, pair].slice(-ACKNOWLEDGED_COUNT_MAX);
  await system.setSetting(SETTING, JSON.stringify(kept));
}

async function readPairs(system: Settings): Promise<[string, string][]> {
  const kept = parse((await system.setting(SETTING)) ?? "[]");
  if (!Array.isArray(kept)) return [];
  return kept.map(toPair).filter((pair) => pair !== undefined);
}

function toPair(value: unknown): [string, string] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [name, state]: unknown[] = value;
  return typeof name === "string" && typeof state === "string" ? [name, state] : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
