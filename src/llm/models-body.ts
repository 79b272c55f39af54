/** Reading lists of models as servers answer them. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

/** The objects in the list under `key`; empty when the body has another shape. */
export function listUnder(body: Json, key: string): JsonObject[] {
  const list = isJsonObject(body) ? body[key] : undefined;
  return Array.isArray(list) ? list.filter((item: Json) => isJsonObject(item)) : [];
}

export function textOf(item: JsonObject, key: string): string | undefined {
  const value = item[key];
  return typeof value === "string" ? value : undefined;
}

/** `{ data: [{ id }] }`, the shape of OpenAI and all that imitate it. */
export function idsOfData(body: Json): string[] {
  return listUnder(body, "data").flatMap((item) => textOf(item, "id") ?? []);
}
