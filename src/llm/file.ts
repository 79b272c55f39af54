/** What a workflow names as an image or document, read and recognised. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { AppError } from "../domain/error.ts";
import type { HttpPort } from "../domain/http.ts";
import type { ModelFile, ModelFiles } from "../domain/model.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { type Folders, openInside, PathError } from "../lib/inside-folder.ts";
import { mediaTypeOf } from "./media-type.ts";

/** Providers take 5 to 50 MB. */
export const MODEL_FILE_BYTES_MAX = 10 * 1024 * 1024;
/** Text is paid by the word: more than this no model reads at once. */
export const MODEL_TEXT_BYTES_MAX = 2 * 1024 * 1024;
const NAME_CHARS_MAX = 100;
/** Of what should have been a path and may be any text. */
const PATH_CHARS_SHOWN_MAX = 200;

export interface ModelFilesOptions {
  /** What paths may lead to: the workspace first. */
  readonly folders: Folders;
  readonly http: HttpPort;
}

interface Content {
  readonly name: string;
  readonly data: Uint8Array;
}

export function createModelFiles({ folders, http }: ModelFilesOptions): ModelFiles {
  const read = (reference: string, signal: AbortSignal): Promise<Content> | Content => {
    if (/^data:/i.test(reference)) return readDataUrl(reference);
    if (/^https?:\/\//i.test(reference)) return download(reference, { http, signal });
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(reference)) throw unknownScheme(reference);
    return readPath(reference, folders);
  };
  return {
    async read(reference, signal) {
      signal.throwIfAborted();
      const { name, data } = await read(reference, signal);
      signal.throwIfAborted();
      return toModelFile(name, data);
    },
  };
}

function toModelFile(name: string, data: Uint8Array): ModelFile {
  if (data.byteLength === 0)
    throw new AppError("invalid", `"${name}" is empty.`, { fix: "Name a file with content." });
  const mediaType = mediaTypeOf(name, data);
  const limit = mediaType.startsWith("text/") ? MODEL_TEXT_BYTES_MAX : MODEL_FILE_BYTES_MAX;
  if (data.byteLength > limit) throw tooLarge(name, limit);
  const hash = createHash("sha256").update(data).digest("hex");
  return { name, mediaType, hash, data };
}

async function readPath(path: string, folders: Folders): Promise<Content> {
  const name = basename(path).slice(0, NAME_CHARS_MAX);
  try {
    await using file = await openInside(path, folders);
    const { size } = await file.stat();
    // Asked before it is read: a file may be larger than the memory.
    if (size > MODEL_FILE_BYTES_MAX) throw tooLarge(name, MODEL_FILE_BYTES_MAX);
    return { name, data: new Uint8Array(await file.readFile()) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unreadable(path, error);
  }
}

function unreadable(reference: string, cause: unknown): AppError {
  const path = reference.slice(0, PATH_CHARS_SHOWN_MAX).toWellFormed();
  if (cause instanceof PathError) {
    const code = cause.reason === "invalid" ? "invalid" : "forbidden";
    const fix = "Name a file in the workspace, or in a folder of ALLOWED_PATHS.";
    return new AppError(code, `The file "${path}" may not be read: ${cause.message}`, {
      fix,
      cause,
    });
  }
  if (errorCode(cause) === "ENOENT") {
    return new AppError("not_found", `The file "${path}" is not in the workspace.`, {
      fix: "Put it there, or correct the path.",
      cause,
    });
  }
  return new AppError("invalid", `The file "${path}" cannot be read.`, {
    fix: "Check that it is a file that the worker may read.",
    cause,
  });
}

async function download(
  url: string,
  { http, signal }: { readonly http: HttpPort; readonly signal: AbortSignal },
): Promise<Content> {
  const response = await http.request({ method: "GET", url, signal });
  const { pathname } = new URL(response.url);
  const name = basename(pathname).slice(0, NAME_CHARS_MAX) || "file";
  if (response.status >= 200 && response.status < 300) return { name, data: response.body };
  const isGone = response.status === 404 || response.status === 410;
  throw new AppError(
    isGone ? "not_found" : "unavailable",
    `The file at ${withoutQuery(url)} cannot be had (HTTP ${response.status}).`,
    { fix: "Check the address, and that it can be read without a login." },
  );
}

function readDataUrl(url: string): Content {
  const parts = /^data:([^,]*),(.*)$/is.exec(url);
  const [, header = "", body = ""] = parts ?? [];
  if (parts === null) throw badDataUrl(undefined);
  if (body.length > MODEL_FILE_BYTES_MAX * 2) throw tooLarge("data", MODEL_FILE_BYTES_MAX);
  try {
    const text = decodeURIComponent(body);
    if (!/;base64$/i.test(header)) return { name: "data", data: new TextEncoder().encode(text) };
    return { name: "data", data: Uint8Array.fromBase64(text) };
  } catch (error) {
    throw badDataUrl(error);
  }
}

function badDataUrl(cause: unknown): AppError {
  return new AppError("invalid", "A data: URL of a file cannot be read.", {
    fix: "Write it as data:image/png;base64,… with the content in base 64.",
    cause,
  });
}

function unknownScheme(reference: string): AppError {
  const scheme = reference.slice(0, reference.indexOf(":"));
  return new AppError("invalid", `A file cannot be read from a ${scheme}: address.`, {
    fix: "Name a path in the workspace, an http or https address, or a data: URL.",
  });
}

function tooLarge(name: string, limit: number): AppError {
  return new AppError("too_large", `"${name}" is larger than ${limit / 1024 / 1024} MiB.`, {
    fix: "Make it smaller or split it.",
  });
}

/** Addresses may carry keys in their query. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, "");
}
