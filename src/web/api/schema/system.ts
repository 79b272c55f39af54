import { z } from "zod";
import type { RunStats } from "../../../domain/run.ts";
import { RUN_STATES } from "../../../domain/run.ts";
import {
  SERVICE_STATES,
  type DatabaseHealth,
  type ServiceStatus,
} from "../../../domain/service.ts";
import type { ProviderStatus, SettingValue } from "../../../../views/settings.tsx";
import { TimeSchema, toIso, toIsoOrNull, toUsd } from "./common.ts";

export const ServiceSchema = z
  .strictObject({
    name: z.string(),
    state: z.enum(SERVICE_STATES),
    pid: z.int().nullable(),
    url: z.string().nullable(),
    restart_count: z.int(),
    since: TimeSchema.nullable(),
    message: z.string().nullable().describe("Why it is not running."),
    fix: z.string().nullable(),
  })
  .meta({ ref: "Service" });
export const ServiceListSchema = z
  .strictObject({ items: z.array(ServiceSchema) })
  .meta({ ref: "ServiceList" });

const DatabaseSchema = z
  .strictObject({
    state: z.enum(["ok", "degraded"]),
    code: z.string().nullable(),
    message: z.string().nullable(),
    fix: z.string().nullable(),
  })
  .meta({ ref: "Database" });

export const HealthSchema = z
  .strictObject({
    status: z.enum(["ok", "degraded"]),
    version: z.string(),
    database: DatabaseSchema,
    services: z.array(ServiceSchema),
  })
  .meta({ ref: "Health" });

const CountsSchema = z
  .strictObject({
    queued: z.int(),
    running: z.int(),
    waiting: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    cancelled: z.int(),
  } satisfies Record<(typeof RUN_STATES)[number], z.ZodType>)
  .meta({ ref: "RunCounts" });

export const StatusSchema = z
  .strictObject({
    version: z.string(),
    started_at: TimeSchema.describe("When it was started; another one after a restart."),
    demo: z.boolean().describe("True: no provider is set up, the demo answers."),
    runs: CountsSchema.describe("All runs by state."),
    interrupted: z
      .array(z.string())
      .describe("Runs that an unclean end had interrupted; they go on."),
    since: TimeSchema,
    bucket_ms: z.int(),
    buckets: z
      .array(
        z.strictObject({
          created: z.int(),
          succeeded: z.int(),
          failed: z.int(),
          tokens: z.int(),
          cost_usd: z.number(),
          cost_nano_usd: z.int(),
        }),
      )
      .describe("Equal spans of time, oldest first."),
    memory_bytes: z.int().nullable(),
    database_bytes: z.int().nullable(),
    services: z.array(ServiceSchema),
  })
  .meta({ ref: "Status" });

export const ProviderSchema = z
  .strictObject({
    name: z.string(),
    label: z.string(),
    configured: z.boolean(),
    variable: z.string().nullable().describe("What holds its key; the key itself is never told."),
    base_url: z.string().nullable(),
    origin: z.string().nullable().describe("Where the key came from."),
    check: z.strictObject({ ok: z.boolean(), message: z.string() }).nullable(),
  })
  .meta({ ref: "Provider" });
export const ProviderListSchema = z
  .strictObject({ items: z.array(ProviderSchema) })
  .meta({ ref: "ProviderList" });
export const CheckSchema = z
  .strictObject({ ok: z.boolean(), message: z.string() })
  .meta({ ref: "Check" });
export const KeySchema = z
  .strictObject({
    key: z
      .string()
      .min(1)
      .max(1_000)
      .regex(/^[\x21-\x7e]+$/, "A key has letters, digits and signs only, without a space."),
  })
  .meta({ ref: "Key" });
export const PasswordSchema = z
  .strictObject({
    password: z.string().min(8).max(1_000),
    current: z.string().max(1_000).default("").describe("Needed when one is set."),
  })
  .meta({ ref: "Password" });

export const SettingListSchema = z
  .strictObject({
    items: z.array(
      z
        .strictObject({
          name: z.string(),
          value: z.string().describe("Of a secret one: `set`, or empty."),
          origin: z.string(),
          description: z.string(),
          secret: z.boolean(),
          default: z.string(),
          editable: z
            .strictObject({
              applies: z.enum(["now", "restart"]).describe("When a change counts."),
              is_saved: z.boolean().describe("It was changed, and can go back to its default."),
              choices: z.array(z.string()).nullable(),
              unit: z.string().nullable(),
              fixed_by: z.string().nullable().describe("What wins over anything that is saved."),
            })
            .nullable()
            .describe("null: it is set in files, flags or the environment only."),
        })
        .meta({ ref: "Setting" }),
    ),
    data_dir: z.string(),
    password_set: z.boolean(),
    needs_restart: z.boolean().describe("Something was saved that a new start takes up."),
  })
  .meta({ ref: "SettingList" });
export const SettingsChangeSchema = z
  .strictObject({
    values: z
      .record(z.string().min(1).max(100), z.string().max(2_000).nullable())
      .describe("By name; null or empty for the default."),
    confirm: z
      .boolean()
      .default(false)
      .describe("Needed where fewer runs are kept than there are: the others are removed."),
  })
  .meta({ ref: "SettingsChange" });

export const ToolListSchema = z
  .strictObject({ items: z.array(z.strictObject({ name: z.string() }).meta({ ref: "Tool" })) })
  .meta({ ref: "ToolList" });
export const ExampleListSchema = z
  .strictObject({
    items: z.array(
      z
        .strictObject({ name: z.string(), description: z.string(), source: z.string() })
        .meta({ ref: "Example" }),
    ),
  })
  .meta({ ref: "ExampleList" });

export function presentService(service: ServiceStatus) {
  const { name, state, pid, url, restartCount, since, message, fix } = service;
  return {
    name,
    state,
    pid,
    url,
    restart_count: restartCount,
    since: toIsoOrNull(since),
    message,
    fix,
  };
}

export function presentDatabase(health: DatabaseHealth) {
  if (health.state === "ok") return { state: health.state, code: null, message: null, fix: null };
  const { state, code, message, fix } = health;
  return { state, code, message, fix };
}

export function presentStats({ sinceMs, bucketMs, buckets }: RunStats) {
  return {
    since: toIso(sinceMs),
    bucket_ms: bucketMs,
    buckets: buckets.map(({ costNanoUsd, ...bucket }) => ({
      ...bucket,
      cost_usd: toUsd(costNanoUsd),
      cost_nano_usd: costNanoUsd,
    })),
  };
}

export function presentProvider({
  name,
  label,
  configured,
  variable,
  baseUrl,
  origin,
  check,
}: ProviderStatus) {
  return {
    name,
    label,
    configured,
    variable: variable === "" ? null : variable,
    base_url: baseUrl,
    origin,
    check: check === null ? null : { ok: check.ok, message: check.message },
  };
}

export function presentSetting(setting: SettingValue) {
  const { name, value, origin, description, secret, control, default: byDefault = "" } = setting;
  const editable =
    control === null || control === undefined
      ? null
      : {
          applies: control.applies,
          is_saved: control.isSaved,
          choices: control.choices === undefined ? null : [...control.choices],
          unit: control.unit ?? null,
          fixed_by: control.fixedBy,
        };
  return { name, value, origin, description, secret, default: byDefault, editable };
}
