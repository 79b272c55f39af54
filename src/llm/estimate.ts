/** How many tokens a request is likely to be: a rule of thumb for budgets, never for bills. */
import type { ModelFile, ModelMessage, ModelRequest } from "../domain/model.ts";

const CHARS_PER_TOKEN = 4;
/** A large image, as the providers count; small ones are less. */
const TOKENS_PER_IMAGE = 1_600;
/** A page is some 100 kB and counts as text and as image. */
const BYTES_PER_PDF_TOKEN = 20;

export function estimateInputTokens(
  request: Pick<ModelRequest, "messages" | "tools" | "output">,
): number {
  const tools = request.tools.length === 0 ? 0 : JSON.stringify(request.tools).length;
  const schema = request.output === undefined ? 0 : JSON.stringify(request.output.schema).length;
  const messages = request.messages.map(messageTokens).reduce((sum, tokens) => sum + tokens, 0);
  return Math.ceil((tools + schema) / CHARS_PER_TOKEN) + messages;
}

function messageTokens(message: ModelMessage): number {
  const calls = message.role === "assistant" ? JSON.stringify(message.toolCalls).length : 0;
  const files = message.role === "user" ? (message.files ?? []) : [];
  const text = Math.ceil((message.text.length + calls) / CHARS_PER_TOKEN);
  return files.map(fileTokens).reduce((sum, tokens) => sum + tokens, text);
}

function fileTokens({ mediaType, data }: ModelFile): number {
  if (mediaType.startsWith("image/")) return TOKENS_PER_IMAGE;
  const bytesPerToken = mediaType === "application/pdf" ? BYTES_PER_PDF_TOKEN : CHARS_PER_TOKEN;
  return Math.ceil(data.byteLength / bytesPerToken);
}
