/** Calls of tools through the guarded port, in the words and codes of tools. */
import { AppError } from "../domain/error.ts";
import type { HttpPort, HttpRequest, HttpResponse } from "../domain/http.ts";

/** @throws AppError `tool_failed`, `forbidden`, `invalid`; the signal's reason. */
export async function callHttp(http: HttpPort, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await http.request(request);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code !== "unavailable" && error.code !== "too_large") throw error;
    throw new AppError("tool_failed", error.message, {
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      cause: error,
    });
  }
}

const CHARSET = /charset\s*=\s*["']?([\w.:-]+)/i;
/** Where HTML states its encoding. */
const HEAD_BYTES = 1_024;

/** The body as text, in the encoding that the answer states. */
export function textOf({ headers, body }: HttpResponse): string {
  const type = headers["content-type"] ?? "";
  const head = type.includes("html")
    ? new TextDecoder("latin1").decode(body.subarray(0, HEAD_BYTES))
    : "";
  const label = CHARSET.exec(type)?.[1] ?? /<meta[^>]+/i.exec(head)?.[0].match(CHARSET)?.[1];
  return decoderFor(label).decode(body);
}

function decoderFor(label: string | undefined): TextDecoder {
  try {
    // The type names three of the encodings that can be read.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return new TextDecoder((label ?? "utf-8") as "utf-8");
  } catch {
    // An encoding that nobody knows: UTF-8 is the best guess.
    return new TextDecoder();
  }
}
