/**
 * A2A on the wire (https://a2a-protocol.org): JSON-RPC in its versions 1.0 and 0.3, which differ in the names
 * of methods, roles and states and in how a part says what it is. Read leniently: agents are of many makes.
 */
import type { AgentMessage } from "../domain/agent.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export type A2aVersion = "1.0" | "0.3";

/** Where and how an agent is spoken to. Kept with its task. */
export interface Endpoint {
  readonly url: string;
  readonly version: A2aVersion;
  readonly tenant?: string;
}

/** The interfaces for JSON-RPC that a card names, the newest version first. Relative addresses are of the card. */
export function readCard(card: JsonObject, cardUrl: string): Endpoint[] {
  const newer = objectsOf(card["supportedInterfaces"]).map((each) => ({
    url: each["url"],
    binding: each["protocolBinding"],
    version: textOf(each["protocolVersion"]),
    tenant: textOf(each["tenant"]),
  }));
  const { preferredTransport = "JSONRPC", additionalInterfaces } = card;
  const first: JsonObject = { url: card["url"] ?? null, transport: preferredTransport };
  const older = [first, ...objectsOf(additionalInterfaces)].map(({ url, transport }) => ({
    url,
    binding: transport,
    version: "0.3",
    tenant: "",
  }));
  return [...newer, ...older]
    .flatMap(({ url, binding, version, tenant }): Endpoint[] => {
      const isSpoken = typeof binding === "string" && binding.toUpperCase() === "JSONRPC";
      if (!isSpoken || typeof url !== "string") return [];
      const address = URL.parse(url, cardUrl)?.href;
      if (address === undefined) return [];
      const spoken = version.startsWith("0.") ? "0.3" : "1.0";
      return [{ url: address, version: spoken, ...(tenant === "" ? {} : { tenant }) }];
    })
    .toSorted((left, right) => Number(right.version) - Number(left.version));
}

type Method = "send" | "get" | "cancel";
const METHODS: Readonly<Record<A2aVersion, Readonly<Record<Method, string>>>> = {
  "1.0": { send: "SendMessage", get: "GetTask", cancel: "CancelTask" },
  "0.3": { send: "message/send", get: "tasks/get", cancel: "tasks/cancel" },
};

export function encodeCall(
  { version, tenant }: Endpoint,
  method: Method,
  params: JsonObject,
): JsonObject {
  return {
    jsonrpc: "2.0",
    id: 1,
    method: METHODS[version][method],
    params: tenant === undefined ? params : { tenant, ...params },
  };
}

/** Asks for an answer at once, with a task when there is more to do: a task outlives a broken connection. */
export function encodeMessage(
  version: A2aVersion,
  { text, inputs, idempotencyKey: messageId }: AgentMessage,
): JsonObject {
  const data = Object.keys(inputs).length === 0 ? undefined : inputs;
  if (version === "1.0") {
    const parts = [...(text === "" ? [] : [{ text }]), ...(data === undefined ? [] : [{ data }])];
    return {
      message: { messageId, role: "ROLE_USER", parts },
      configuration: { returnImmediately: true },
    };
  }
  const parts = [
    ...(text === "" ? [] : [{ kind: "text", text }]),
    ...(data === undefined ? [] : [{ kind: "data", data }]),
  ];
  return {
    message: { kind: "message", messageId, role: "user", parts },
    configuration: { blocking: false },
  };
}

export type TaskState =
  | "going"
  | "completed"
  | "failed"
  | "canceled"
  | "rejected"
  | "asks"
  | "auth";

export interface TaskReading {
  readonly id: string;
  readonly state: TaskState;
  /** What the agent says about its state. */
  readonly said: string;
  readonly answer: Json;
}

export type ResultReading =
  | { readonly kind: "message"; readonly answer: Json }
  | ({ readonly kind: "task" } & TaskReading);

/** Reads what `send` and `get` are answered with; undefined when it is neither message nor task. */
export function readResult(result: Json | undefined): ResultReading | undefined {
  if (!isJsonObject(result)) return undefined;
  const { task, message } = result;
  if (isJsonObject(task)) return readTask(task);
  if (isJsonObject(message) && Array.isArray(message["parts"]))
    return { kind: "message", answer: readParts([message]) };
  if (isJsonObject(result["status"])) return readTask(result);
  if (Array.isArray(result["parts"])) return { kind: "message", answer: readParts([result]) };
  return undefined;
}

const STATES: ReadonlyMap<string, TaskState> = new Map<string, TaskState>([
  ["completed", "completed"],
  ["failed", "failed"],
  ["canceled", "canceled"],
  ["cancelled", "canceled"],
  ["rejected", "rejected"],
  ["input-required", "asks"],
  ["auth-required", "auth"],
]);

function readTask(task: JsonObject): ResultReading | undefined {
  const { id, status } = task;
  if (typeof id !== "string" || !isJsonObject(status)) return undefined;
  const name = textOf(status["state"])
    .replace(/^TASK_STATE_/, "")
    .replaceAll("_", "-");
  const message = isJsonObject(status["message"]) ? [status["message"]] : [];
  const artifacts = objectsOf(task["artifacts"]);
  const spoken = objectsOf(task["history"]).filter(({ role }) => /agent$/i.test(textOf(role)));
  const sources = [artifacts, message, spoken.slice(-1)];
  const source = sources.find((each) => each.some((holder) => partsOf(holder).length > 0));
  return {
    kind: "task",
    id,
    state: STATES.get(name.toLowerCase()) ?? "going",
    said: textsOf(message),
    answer: readParts(source ?? []),
  };
}

/** Data wins over text, and files are named only when there is nothing else. */
function readParts(holders: readonly JsonObject[]): Json {
  const parts = holders.flatMap(partsOf);
  const data = parts.flatMap(({ data: value }) => (value === undefined ? [] : [value]));
  const [only = null, second] = data;
  if (data.length > 0) return second === undefined ? only : data;
  const text = textsOf(holders);
  if (text !== "") return text;
  const files = parts.flatMap(fileOf);
  return files.length > 1 ? files : (files[0] ?? "");
}

/** Pieces of one artifact are often a text that was streamed, so nothing comes between them. */
function textsOf(holders: readonly JsonObject[]): string {
  const texts = holders.map((holder) => {
    const pieces = partsOf(holder).flatMap(({ text }) => (typeof text === "string" ? [text] : []));
    return pieces.join(holder["artifactId"] === undefined ? "\n" : "");
  });
  return texts.filter((text) => text !== "").join("\n\n");
}

/** Version 0.3 has the place of a file inside of `file`. */
function fileOf(part: JsonObject): JsonObject[] {
  const file = isJsonObject(part["file"]) ? part["file"] : part;
  const url = file["url"] ?? file["uri"];
  const base64 = file["raw"] ?? file["bytes"];
  if (url === undefined && base64 === undefined) return [];
  const name = file["filename"] ?? file["name"] ?? "";
  const mediaType = file["mediaType"] ?? file["mimeType"] ?? "";
  return [{ name, mediaType, ...(url === undefined ? { base64: base64 ?? null } : { url }) }];
}

function partsOf(holder: JsonObject): JsonObject[] {
  return objectsOf(holder["parts"]);
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
