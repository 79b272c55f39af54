/** What an agent sends to register: the body that agents of the replaced system send, and a little more. */
import * as z from "zod";
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import { AppError } from "./error.ts";
import {
  AGENT_CAPABILITY_COUNT_MAX,
  AGENT_CAPABILITY_LENGTH_MAX,
  AGENT_ID_LENGTH_MAX,
  AGENT_METADATA_LENGTH_MAX,
  AGENT_NAME_LENGTH_MAX,
  AGENT_TTL_SECONDS_DEFAULT,
  AGENT_TTL_SECONDS_MAX,
  AGENT_URL_LENGTH_MAX,
  type RegisteredAgent,
} from "./registered-agent.ts";

const PORT_MAX = 65_535;

export type NewAgent = Omit<RegisteredAgent, "registeredAt" | "heartbeatAt">;

const metadata = z.union([z.string(), z.record(z.string(), z.unknown()), z.null()]).optional();
const capability = z.string().trim().min(1).max(AGENT_CAPABILITY_LENGTH_MAX);
const capabilities = z.array(capability).max(AGENT_CAPABILITY_COUNT_MAX);

const registration = z.object({
  // It is a part of addresses, so it holds nothing that would have to be written otherwise there.
  agent_id: z
    .string()
    .regex(/^[\w.:@~-]+$/, "letters, digits and . : @ ~ _ - only")
    .max(AGENT_ID_LENGTH_MAX),
  agent_name: z.string().trim().min(1).max(AGENT_NAME_LENGTH_MAX).optional(),
  url: z.string().trim().max(AGENT_URL_LENGTH_MAX).optional(),
  host: z.string().trim().max(AGENT_URL_LENGTH_MAX).optional(),
  port: z.int().min(1).max(PORT_MAX).optional(),
  ttl_seconds: z.int().min(1).max(AGENT_TTL_SECONDS_MAX).optional(),
  capabilities: capabilities.optional(),
  metadata,
  agent_metadata: metadata,
});

/** Beside them in addresses. */
const IDS_TAKEN: ReadonlySet<string> = new Set([".", "..", "register", "restorations", "stream"]);

/** @throws AppError `invalid` that names every field that is not as it must be. */
export function readRegistration(body: unknown): NewAgent {
  const parsed = registration.safeParse(body);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "body"}: ${message}`,
    );
    throw refused(faults.join("; "));
  }
  const { agent_id: id, agent_name: name = id, ttl_seconds: ttlSeconds } = parsed.data;
  if (IDS_TAKEN.has(id)) throw refused(`agent_id: ${JSON.stringify(id)} is taken`);
  const data = readMetadata(parsed.data.metadata ?? parsed.data.agent_metadata);
  return {
    id,
    name,
    url: readUrl(parsed.data),
    ttlSeconds: ttlSeconds ?? AGENT_TTL_SECONDS_DEFAULT,
    capabilities: [...new Set(parsed.data.capabilities ?? capabilitiesIn(data))],
    metadata: data,
  };
}

function readUrl({ url, host, port }: z.output<typeof registration>): string {
  if (url !== undefined) return readAgentUrl(url);
  if (host === undefined || host === "" || port === undefined)
    throw refused("host and port: both are needed, or url");
  return readAgentUrl(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
}

/** @throws AppError `invalid`. */
export function readAgentUrl(text: string): string {
  const url = URL.parse(text);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isWeb || url.username !== "" || url.password !== "" || url.search !== "")
    throw refused(`url: ${JSON.stringify(text)} is not an address such as http://127.0.0.1:8000`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** Agents of the replaced system send it as JSON in a text. */
function readMetadata(given: z.output<typeof metadata>): JsonObject {
  if (given === undefined || given === null || given === "") return {};
  const text = typeof given === "string" ? given : JSON.stringify(given);
  if (text.length > AGENT_METADATA_LENGTH_MAX)
    throw refused(`metadata: longer than ${AGENT_METADATA_LENGTH_MAX} characters`);
  const value = parseJson(text);
  if (!isJsonObject(value)) return { text };
  // Only a person's hand may say that it was one.
  const { registered_by: _, ...rest } = value;
  return rest;
}

function capabilitiesIn(data: JsonObject): readonly string[] {
  const parsed = capabilities.safeParse(data["capabilities"]);
  return parsed.success ? parsed.data : [];
}

function refused(faults: string): AppError {
  return new AppError("invalid", `The agent cannot be registered: ${faults}.`, {
    fix: "Send agent_id, agent_name, host and port (or url), and ttl_seconds from 1 to 3600.",
  });
}
