import { z } from "zod";
import { AppError } from "../../../domain/error.ts";
import type { Kit } from "../../kit.ts";
import { isWell, probeDatabase } from "../../page/health.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { IdParam, JsonObjectSchema } from "../schema/common.ts";
import {
  CheckSchema,
  ExampleListSchema,
  HealthSchema,
  KeySchema,
  presentDatabase,
  presentProvider,
  presentService,
  presentStats,
  ProviderListSchema,
  ServiceListSchema,
  StatusSchema,
  ToolListSchema,
} from "../schema/system.ts";

const SPANS = { "1h": 1, "6h": 6, "24h": 24, "7d": 7 * 24 } as const;
const HOUR_MS = 60 * 60 * 1000;
const BUCKET_COUNT = 48;
const INTERRUPTED_COUNT_MAX = 100;

/** Whole buckets: those of the past stay as they are from one answer to the next. */
function bucketsUpTo(nowMs: number, range: keyof typeof SPANS) {
  const lengthMs = SPANS[range] * HOUR_MS;
  const bucketMs = lengthMs / BUCKET_COUNT;
  const untilMs = Math.ceil((nowMs + 1) / bucketMs) * bucketMs;
  return { sinceMs: untilMs - lengthMs, untilMs, bucketCount: BUCKET_COUNT };
}

export function systemOperations(kit: Kit): Operation[] {
  return [...stateOperations(kit), ...providerOperations(kit), ...listOperations(kit)];
}

function stateOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "getStatus",
      method: "GET",
      path: "/status",
      tag: "system",
      summary: "Read the state of everything: runs by state, sums over time, services, memory",
      scope: "read",
      query: z.strictObject({
        range: z.enum(["1h", "6h", "24h", "7d"]).default("24h").describe("What `buckets` go over."),
      }),
      answer: { status: 200, description: "The state.", schema: StatusSchema },
      async handle({ query }) {
        const [runs, stats] = await Promise.all([
          deps.runs.counts(),
          deps.runs.stats(bucketsUpTo(deps.clock.now(), query.range)),
        ]);
        return {
          body: {
            version: deps.version,
            started_at: new Date(deps.startedAt).toISOString(),
            demo: deps.demo(),
            runs,
            interrupted: deps.interrupted.slice(0, INTERRUPTED_COUNT_MAX),
            ...presentStats(stats),
            memory_bytes: deps.memoryBytes(),
            database_bytes: deps.databaseBytes(),
            services: deps.services().map(presentService),
          },
        };
      },
    }),
    defineOperation({
      id: "listServices",
      method: "GET",
      path: "/services",
      tag: "system",
      summary: "List the processes of the product",
      scope: "read",
      answer: { status: 200, description: "The services.", schema: ServiceListSchema },
      handle: () => Promise.resolve({ body: { items: deps.services().map(presentService) } }),
    }),
    defineOperation({
      id: "getHealth",
      method: "GET",
      path: "/health",
      tag: "system",
      summary: "Read whether everything works",
      scope: "read",
      answer: { status: 200, description: "What works and what does not.", schema: HealthSchema },
      async handle() {
        const database = await probeDatabase(deps);
        const services = deps.services();
        const isOk = database.state === "ok" && services.every(isWell);
        const status: "ok" | "degraded" = isOk ? "ok" : "degraded";
        return {
          body: {
            status,
            version: deps.version,
            database: presentDatabase(database),
            services: services.map(presentService),
          },
        };
      },
    }),
  ];
}

const NameParams = z.strictObject({ name: IdParam.describe("Name of the provider.") });

function providerOperations({ deps }: Kit): Operation[] {
  const requireProvider = (name: string) => {
    const provider = deps.providers().find((one) => one.name === name);
    if (provider !== undefined) return provider;
    throw new AppError("not_found", `There is no provider ${name}.`, {
      fix: "Choose one from the list of providers.",
    });
  };
  return [
    defineOperation({
      id: "listProviders",
      method: "GET",
      path: "/providers",
      tag: "system",
      summary: "List model providers and whether they are set up",
      scope: "read",
      answer: { status: 200, description: "The providers.", schema: ProviderListSchema },
      handle: () => Promise.resolve({ body: { items: deps.providers().map(presentProvider) } }),
    }),
    defineOperation({
      id: "setProviderKey",
      method: "PUT",
      path: "/providers/:name/key",
      tag: "system",
      summary: "Save the key of a provider",
      description: "It can be written, never read.",
      scope: "admin",
      params: NameParams,
      body: KeySchema,
      bodyExample: { key: "sk-0123456789" },
      answer: { status: 204, description: "It is saved, and used from the next call on." },
      refusals: [409],
      async handle({ params, body }) {
        const { variable, label } = requireProvider(params.name);
        if (variable === "") throw new AppError("conflict", `${label} needs no key.`);
        await deps.saveKey(variable, body.key);
        return {};
      },
    }),
    defineOperation({
      id: "checkProvider",
      method: "POST",
      path: "/providers/:name/checks",
      tag: "system",
      summary: "Ask a provider whether it answers and takes the key",
      scope: "admin",
      params: NameParams,
      answer: { status: 200, description: "What it said.", schema: CheckSchema },
      async handle({ params }) {
        const { ok, message } = await deps.checkProvider(requireProvider(params.name).name);
        return { body: { ok, message } };
      },
    }),
  ];
}

function listOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "getWorkflowSchema",
      method: "GET",
      path: "/workflow-schema",
      tag: "workflows",
      summary: "Read the JSON Schema of workflow files",
      scope: "read",
      answer: { status: 200, description: "A JSON Schema.", schema: JsonObjectSchema },
      isTagged: true,
      async handle() {
        const { workflowJsonSchema } = await import("../../../language/schema-json.ts");
        return { body: { ...workflowJsonSchema() } };
      },
    }),
    defineOperation({
      id: "listTools",
      method: "GET",
      path: "/tools",
      tag: "workflows",
      summary: "List the tools that workflows may name",
      scope: "read",
      answer: { status: 200, description: "The tools.", schema: ToolListSchema },
      handle: () => Promise.resolve({ body: { items: deps.knownTools.map((name) => ({ name })) } }),
    }),
    defineOperation({
      id: "listExamples",
      method: "GET",
      path: "/examples",
      tag: "workflows",
      summary: "List the workflows that come with the product, with their sources",
      scope: "read",
      answer: { status: 200, description: "The examples.", schema: ExampleListSchema },
      handle: () =>
        Promise.resolve({
          body: {
            items: deps.examples.map(({ name, description, source }) => ({
              name,
              description,
              source,
            })),
          },
        }),
    }),
  ];
}
