/** A workflow text as it is sent: from a field or as a file. */
import { AppError } from "../domain/error.ts";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../domain/workflow.ts";
import type { Form } from "./form.ts";

export type Upload =
  | { readonly source: string; readonly format: "yaml" | "json"; readonly error?: undefined }
  | { readonly source: string; readonly error: string; readonly isTooLarge: boolean };

/** The file when one was chosen, else the text. */
export async function readUpload(form: Form): Promise<Upload> {
  const file = form.file("file");
  const typed = form.text("source").replaceAll("\r\n", "\n");
  const size = file?.size ?? Buffer.byteLength(typed);
  if (size > WORKFLOW_SOURCE_BYTES_MAX) {
    const limit = `${WORKFLOW_SOURCE_BYTES_MAX / 1024 / 1024} MiB`;
    const error = `The workflow is too large. Shorten it to at most ${limit}.`;
    return { source: file === undefined ? typed : "", error, isTooLarge: true };
  }
  const source = file === undefined ? typed : decode(await file.bytes());
  if (source === undefined) {
    const error = "The file is not text. Choose a YAML or JSON file in UTF-8.";
    return { source: "", error, isTooLarge: false };
  }
  if (source.trim() === "") {
    const error = "There is nothing to save. Choose a file or paste its text.";
    return { source: "", error, isTooLarge: false };
  }
  return { source, format: file?.name.endsWith(".json") === true ? "json" : formatOf(source) };
}

/** Undefined when the bytes are no UTF-8 text. */
function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** JSON begins with a brace; such a text is JSON to YAML as well. */
export function formatOf(source: string): "yaml" | "json" {
  return source.trimStart().startsWith("{") ? "json" : "yaml";
}

/** The text of a field. @throws AppError `too_large`. */
export function requireSource(text: string): string {
  const source = text.replaceAll("\r\n", "\n");
  if (Buffer.byteLength(source) <= WORKFLOW_SOURCE_BYTES_MAX) return source;
  throw new AppError("too_large", "The workflow is too large.", {
    fix: `Shorten it to at most ${WORKFLOW_SOURCE_BYTES_MAX / 1024 / 1024} MiB.`,
  });
}
