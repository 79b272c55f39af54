/** Asks a registered agent how it is: its health, else its card. */
import type { Config } from "../config/config.ts";
import { AppError } from "../domain/error.ts";
import type { HttpPort } from "../domain/http.ts";
import { isByHand, type RegisteredAgent } from "../domain/registered-agent.ts";
import { createHttpPort } from "../http/port.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, parseJson } from "../lib/json.ts";
import { withTimeLimit } from "../lib/time-limit.ts";
import type { WebDeps } from "../web/deps.ts";

const CHECK_MS_MAX = 5_000;
const STATUS_LENGTH_MAX = 60;
/** What agents say of themselves that are well; anything else they say is shown and does not count. */
const WELL = new Set(["alive", "healthy", "ok", "up", "pass", "running"]);
const HEALTH_PATH = "/health";
const CARD_PATHS = ["/.well-known/agent-card.json", "/.well-known/agent.json"];

export function createAgentCheck(
  { tools }: Pick<Config, "tools">,
  clock: Clock,
): WebDeps["checkAgent"] {
  const http = createHttpPort({ allowedAddresses: tools.allowedAddresses });
  return async (agent) => {
    const limit = {
      signal: new AbortController().signal,
      clock,
      ms: CHECK_MS_MAX,
      reason: () => new AppError("timeout", `It did not answer within ${CHECK_MS_MAX / 1_000} s.`),
    };
    try {
      return await withTimeLimit(limit, (signal) => ask(http, agent, { clock, signal }));
    } catch (error) {
      const { message, fix } = AppError.from(error);
      return { ok: false, message: [message, fix ?? ""].join(" ").trim(), docs: null };
    }
  };
}

type Check = Awaited<ReturnType<WebDeps["checkAgent"]>>;

async function ask(
  http: HttpPort,
  agent: RegisteredAgent,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Check> {
  const get = async (path: string) => {
    const begun = clock.now();
    // A person has named this address, as in the settings; one that an agent sends may be anybody's.
    const trust = isByHand(agent) ? ({ trusted: true } as const) : {};
    const url = `${agent.url}${path}`;
    const answer = await http.request({ method: "GET", url, signal, ...trust });
    const json = parseJson(new TextDecoder().decode(answer.body));
    return { ...answer, json, tookMs: Math.max(0, Math.round(clock.now() - begun)) };
  };
  const health = await get(HEALTH_PATH);
  if (isFound(health.status)) {
    const said = isJsonObject(health.json) ? health.json["status"] : undefined;
    const status = typeof said === "string" ? said.slice(0, STATUS_LENGTH_MAX) : undefined;
    if (status !== undefined && !WELL.has(status.toLowerCase()))
      return { ok: false, message: `It answers, and says: ${status}.`, docs: null };
    const word = status === undefined ? "" : ` and is ${status}`;
    return {
      ok: true,
      message: `It answers${word} (${health.tookMs} ms).`,
      docs: await cardOf(get),
    };
  }
  const card = await cardOf(get);
  if (card !== null) return { ok: true, message: "Its agent card was read.", docs: card };
  return {
    ok: false,
    message: `It answers with status ${health.status} at ${HEALTH_PATH}, and has no agent card.`,
    docs: null,
  };
}

/** The address of its card, where it has one. */
async function cardOf(
  get: (path: string) => Promise<{ status: number; json: unknown; url: string }>,
): Promise<string | null> {
  for (const path of CARD_PATHS) {
    // The older place is looked at only when there is none at the newer one.
    // oxlint-disable-next-line no-await-in-loop
    const { status, json, url } = await get(path);
    if (isFound(status) && isJsonObject(json)) return url;
  }
  return null;
}

function isFound(status: number): boolean {
  return status >= 200 && status < 300;
}
