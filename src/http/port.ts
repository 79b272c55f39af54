/** Outgoing HTTP for steps and tools. */
import { AppError } from "../domain/error.ts";
import { HTTP_BODY_BYTES_MAX, type HttpPort, type HttpRequest } from "../domain/http.ts";
import { createGuardedFetch, tooLarge, unreachable } from "./guarded-fetch.ts";
import type { GuardOptions } from "./guard.ts";

/** @throws AppError `config_invalid` for an address list that cannot be read. */
export function createHttpPort(options: GuardOptions): HttpPort {
  const send = createGuardedFetch(options);
  return {
    async request(request) {
      const { method, url: address, body, signal } = request;
      signal.throwIfAborted();
      const { response, url } = await send({
        method,
        url: address,
        headers: readHeaders(request),
        body,
        redirect: "follow",
        signal,
        trusted: request.trusted === true,
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await readBody(response, new URL(url), signal),
        url,
      };
    },
  };
}

function readHeaders({ headers }: HttpRequest): Headers {
  try {
    return new Headers(headers);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    throw new AppError("invalid", `A header cannot be sent: ${reason}`, {
      fix: "Use names of letters, digits and hyphens, and values of one line.",
      cause: error,
    });
  }
}

async function readBody(response: Response, url: URL, signal: AbortSignal): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      // Leaving the loop cancels the rest.
      if (size > HTTP_BODY_BYTES_MAX) throw tooLarge(url);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    signal.throwIfAborted();
    throw unreachable(url, error);
  }
  return Buffer.concat(chunks, size);
}
