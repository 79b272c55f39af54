/** The settings, the password, and a new start. */
import { AppError } from "../../../domain/error.ts";
import type { Kit } from "../../kit.ts";
import { isPassword } from "../../page/login.ts";
import { removalsBy } from "../../page/settings-values.ts";
import { addressOf } from "../../remote-address.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { invalidRequest } from "../request.ts";
import { presentRestart, RestartSchema } from "../schema/maintenance.ts";
import {
  PasswordSchema,
  presentSetting,
  SettingListSchema,
  SettingsChangeSchema,
} from "../schema/system.ts";

export function settingOperations(kit: Kit): Operation[] {
  return [...valueOperations(kit), ...processOperations(kit)];
}

function presentSettings({ deps }: Kit) {
  return {
    items: deps.values().map(presentSetting),
    data_dir: deps.dataDir,
    password_set: deps.adminPasswordHash() !== undefined,
    needs_restart: deps.needsRestart(),
  };
}

function valueOperations(kit: Kit): Operation[] {
  const { deps } = kit;
  return [
    defineOperation({
      id: "listSettings",
      method: "GET",
      path: "/settings",
      tag: "system",
      summary: "List the settings in force and where they came from",
      scope: "admin",
      answer: {
        status: 200,
        description: "The settings, without secrets.",
        schema: SettingListSchema,
      },
      handle: () => Promise.resolve({ body: presentSettings(kit) }),
    }),
    defineOperation({
      id: "changeSettings",
      method: "PATCH",
      path: "/settings",
      tag: "system",
      summary: "Change settings, or put them back to their defaults",
      description:
        "All or none. They are saved in the `.env` of the data folder; each says in `editable` when it counts.",
      scope: "admin",
      body: SettingsChangeSchema,
      bodyExample: { values: { AGENTS_WORKERS: "4", AGENTS_MODEL: null } },
      answer: { status: 200, description: "The settings now.", schema: SettingListSchema },
      refusals: [409],
      async handle({ body: { values, confirm } }) {
        const entries = Object.entries(values).map(
          ([name, value]): [string, string | undefined] => [
            name,
            value === null || value === "" ? undefined : value,
          ],
        );
        const changes = Object.fromEntries(entries);
        const removals = confirm ? [] : await removalsBy(deps, changes);
        if (removals.length > 0) {
          const count = Math.max(...removals.map((removal) => removal.count));
          throw new AppError("conflict", `At least ${count} runs would be removed for good.`, {
            fix: "Send `confirm: true` with it if that is wanted.",
          });
        }
        const faults = Object.entries(await deps.saveSettings(changes));
        if (faults.length > 0) throw invalidRequest(faults.map(toProblem));
        return { body: presentSettings(kit) };
      },
    }),
  ];
}

function toProblem([name, message]: [string, string]) {
  return { in: "body", field: `/values/${name}`, message } as const;
}

function processOperations({ deps, throttle }: Kit): Operation[] {
  return [
    defineOperation({
      id: "restart",
      method: "POST",
      path: "/restarts",
      tag: "system",
      summary: "Start agents anew, with the settings as they are now",
      description: "Runs that are under way go on where they are, a moment later.",
      scope: "admin",
      answer: { status: 202, description: "It starts anew now.", schema: RestartSchema },
      handle() {
        deps.restart();
        return Promise.resolve({ body: presentRestart(deps.startedAt) });
      },
    }),
    defineOperation({
      id: "setPassword",
      method: "PUT",
      path: "/password",
      tag: "system",
      summary: "Set the administrator password",
      description: "Ends every session; tokens stay.",
      scope: "admin",
      body: PasswordSchema,
      answer: { status: 204, description: "It is set." },
      refusals: [409],
      async handle({ c, body }) {
        const hash = deps.adminPasswordHash();
        if (hash !== undefined) {
          const check = () => isPassword(body.current, hash);
          if (!(await throttle.attempt(addressOf(c), check))) {
            const message = "The current password is wrong.";
            throw invalidRequest([{ in: "body", field: "/current", message }]);
          }
        }
        await deps.setPassword(await Bun.password.hash(body.password, "argon2id"));
        return {};
      },
    }),
  ];
}
