/** What pages read and save of the settings. */
import { describePlace, type Settings } from "../config/load.ts";
import type { Config } from "../config/config.ts";
import { saveEnvFile } from "../config/save.ts";
import { isVariableName, VARIABLES } from "../config/schema.ts";
import { AppError } from "../domain/error.ts";
import { createTurns } from "../lib/in-turn.ts";
import { withoutCredentials } from "../lib/without-credentials.ts";
import type { WebDeps } from "../web/deps.ts";
import { controlOf, isRestartDue, settingFault } from "./editable-settings.ts";
import type { LiveSettings } from "./live-settings.ts";
import { hasRealProvider, providerStatuses } from "./provider-status.ts";

type SettingsDeps = Pick<
  WebDeps,
  | "adminPasswordHash"
  | "demo"
  | "providers"
  | "saveKey"
  | "removeKey"
  | "saveSettings"
  | "needsRestart"
  | "setPassword"
  | "values"
>;

export function createSettingsDeps(
  { dataDir }: Pick<Config, "dataDir">,
  settings: LiveSettings<Settings>,
): SettingsDeps {
  const atStart = settings.current();
  /** A `.env` that was changed by hand shows from the next request on. */
  const current = () => {
    void settings.refresh();
    return settings.current();
  };
  /** The file is read, changed and written: two at the same time would lose what one has changed. */
  const inTurn = createTurns();
  const save = (changes: Parameters<typeof saveEnvFile>[1]) =>
    inTurn(async () => {
      await saveEnvFile(dataDir, changes);
      await settings.refresh();
    });
  const saveKey = async (variable: string, value: string | undefined) => {
    if (!isVariableName(variable))
      throw new AppError("invalid", `There is no setting ${variable}.`);
    refuseShadowed(settings.current(), variable);
    await save({ [variable]: value });
  };
  return {
    adminPasswordHash: () => current().adminPasswordHash,
    demo: () => !hasRealProvider(current().llm),
    providers: () => providerStatuses(current()),
    saveKey,
    removeKey: (variable) => saveKey(variable, undefined),
    async saveSettings(changes) {
      const faults: Record<string, string> = {};
      for (const [name, value] of Object.entries(changes)) {
        const fault = isVariableName(name)
          ? settingFault(settings.current(), name, value)
          : "There is no such setting.";
        if (fault !== undefined) faults[name] = fault;
      }
      if (Object.keys(faults).length === 0) await save(changes);
      return faults;
    },
    needsRestart: () => isRestartDue(atStart, current()),
    setPassword: (hash) => saveKey("AGENTS_ADMIN_PASSWORD_HASH", hash),
    values: () => shownValues(current()),
  };
}

/** A value that the environment sets wins over the file, so saving it there would change nothing. */
function refuseShadowed(settings: Settings, variable: string): void {
  const origin = settings.origins[variable];
  if (origin === undefined || origin.kind === "default" || origin.kind === "data_env_file") return;
  throw new AppError(
    "conflict",
    `${variable} is set by ${describePlace(origin)}, which wins over what is saved here.`,
    { fix: `Change it there, or remove it and restart agents.` },
  );
}

/** The settings as they are in force, without secrets. */
function shownValues(settings: Settings): ReturnType<WebDeps["values"]> {
  return VARIABLES.map(({ name, info }) => {
    const origin = settings.origins[name] ?? { kind: "default", place: "" };
    const isSet = origin.kind !== "default";
    return {
      name,
      value: info.secret
        ? isSet
          ? "set"
          : ""
        : withoutCredentials(settings.texts[name] ?? info.default ?? ""),
      origin: describePlace(origin),
      description: info.description,
      secret: info.secret === true,
      default: info.default ?? "",
      control: controlOf(settings, name) ?? null,
    };
  });
}
