import type { Hono } from "hono";
import { AppError } from "../../domain/error.ts";
import type { DatabaseHealth, ServiceStatus } from "../../domain/service.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { PATTERNS } from "../routes.ts";

/** Health for people and probes, in JSON. Probes have no session, so they see states and no details. */
export function registerHealth(app: Hono<WebEnv>, { deps, access }: Kit): void {
  app.get(PATTERNS.health, async (c) => {
    const database = await probeDatabase(deps);
    const services = deps.services();
    const isOk = database.state === "ok" && services.every(isWell);
    const isDetailed = access.isAllowed(c);
    return c.json({
      status: isOk ? "ok" : "degraded",
      version: deps.version,
      database: isDetailed ? database : { state: database.state },
      services: services.map((service) =>
        isDetailed ? service : { name: service.name, state: service.state },
      ),
    });
  });

  app.get(PATTERNS.liveness, (c) => c.json({ status: "ok" }));

  app.get(PATTERNS.readiness, async (c) => {
    const database = await probeDatabase(deps);
    if (database.state === "ok") return c.json({ status: "ok" });
    const { code, message, fix } = database;
    const details = access.isAllowed(c) ? { code, reason: message, fix } : {};
    return c.json({ status: "unavailable", ...details }, 503);
  });
}

export function isWell(service: ServiceStatus): boolean {
  return service.state === "running" || service.state === "disabled";
}

/** What the store says of itself, and whether it really answers. */
export async function probeDatabase(deps: Kit["deps"]): Promise<DatabaseHealth> {
  const health = deps.health();
  if (health.state === "degraded") return health;
  try {
    await deps.system.session();
    return health;
  } catch (error) {
    const { code, message, fix } = AppError.from(error);
    return { state: "degraded", code, message, fix: fix ?? "Run `agents doctor`." };
  }
}
