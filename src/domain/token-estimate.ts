/** How many tokens a request is likely to be: for limits and budgets, never for bills. */
import { countTokens } from "../lib/token-count.ts";
import type { ModelFile, ModelMessage, ModelRequest } from "./model.ts";

/** A large image, as the providers count; small ones are less. */
const TOKENS_PER_IMAGE = 1_600;
/** A page is some 100 kB and counts as text and as image. */
const BYTES_PER_PDF_TOKEN = 20;
const BYTES_PER_TOKEN = 4;
/** Who speaks, and where it ends. */
const TOKENS_PER_MESSAGE = 4;

export function estimateInputTokens(
  request: Pick<ModelRequest, "messages" | "tools" | "output">,
): number {
  const tools = request.tools.length === 0 ? 0 : countTokens(JSON.stringify(request.tools));
  const schema =
    request.output === undefined ? 0 : countTokens(JSON.stringify(request.output.schema));
  return tools + schema + estimateMessageTokens(request.messages);
}

export function estimateMessageTokens(messages: readonly ModelMessage[]): number {
  return messages.map(messageTokens).reduce((sum, tokens) => sum + tokens, 0);
}

function messageTokens(message: ModelMessage): number {
  const asks = message.role === "assistant" && message.toolCalls.length > 0;
  const calls = asks ? countTokens(JSON.stringify(message.toolCalls)) : 0;
  const files = message.role === "user" ? (message.files ?? []) : [];
  const text = TOKENS_PER_MESSAGE + countTokens(message.text) + calls;
  return files.map(fileTokens).reduce((sum, tokens) => sum + tokens, text);
}

function fileTokens({ mediaType, data }: ModelFile): number {
  if (mediaType.startsWith("image/")) return TOKENS_PER_IMAGE;
  const bytesPerToken = mediaType === "application/pdf" ? BYTES_PER_PDF_TOKEN : BYTES_PER_TOKEN;
  return Math.ceil(data.byteLength / bytesPerToken);
}
