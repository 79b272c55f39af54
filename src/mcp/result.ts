/** What a server's tool has answered, as a JSON value or a failure. */
import type { CallToolResult } from "@modelcontextprotocol/client";
import { AppError } from "../domain/error.ts";
import type { Json } from "../lib/json.ts";

type Content = CallToolResult["content"][number];

/** @throws AppError `tool_failed` in the tool's own words. */
export function readToolResult(tool: string, result: CallToolResult): Json {
  const text = result.content.map(describe).join("\n");
  if (result.isError === true) {
    const words = text.trim();
    throw new AppError(
      "tool_failed",
      words === "" ? `\`${tool}\` failed without saying why.` : words,
    );
  }
  const { structuredContent } = result;
  if (structuredContent === undefined) return text;
  // It came as JSON; the library's type does not say so.
  const value: Json = JSON.parse(JSON.stringify(structuredContent));
  return value;
}

/** Text as it is; what a model cannot be given here is named. */
function describe(part: Content): string {
  if (part.type === "text") return part.text;
  if (part.type === "resource_link") return `[${part.name}](${part.uri})`;
  if (part.type !== "resource")
    return `[${part.type}, ${part.mimeType}, ${bytesOf(part.data)} bytes]`;
  const { resource } = part;
  if ("text" in resource) return resource.text;
  return `[file ${resource.uri}, ${bytesOf(resource.blob)} bytes]`;
}

function bytesOf(base64: string): number {
  return Math.floor((base64.replace(/=+$/, "").length * 3) / 4);
}
