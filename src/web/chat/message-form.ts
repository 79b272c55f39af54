/** Reads what a person sends: words, files, and what the message is about. */
import {
  MESSAGE_CHARS_MAX,
  MESSAGE_FILE_BYTES_MAX,
  MESSAGE_FILE_CHARS_MAX,
  MESSAGE_FILE_COUNT_MAX,
  type NewMessageFile,
} from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import { PROVIDERS } from "../../domain/workflow.ts";
import { imageTypeOf } from "../../lib/image-type.ts";
import type { Form } from "../form.ts";
import type { ChatDeps } from "./deps.ts";
import { subjectFiles } from "./subject.ts";

const NAME_CHARS_MAX = 120;

export interface Said {
  readonly text: string;
  readonly files: readonly NewMessageFile[];
}

/** @throws AppError `invalid`, `too_large`, `not_found` for what it is about. */
export async function readSaid(form: Form, deps: ChatDeps): Promise<Said> {
  const text = requireText(form.text("text"));
  const sent = form.files("files");
  if (sent.length > MESSAGE_FILE_COUNT_MAX) {
    throw new AppError("too_large", `A message takes at most ${MESSAGE_FILE_COUNT_MAX} files.`, {
      fix: "Attach fewer, or put them into several messages.",
    });
  }
  const [files, told] = await Promise.all([
    Promise.all(sent.map(readFile)),
    subjectFiles(form, deps),
  ]);
  return { text, files: [...files, ...told] };
}

/** What was picked as `provider/model`; null for the default. @throws AppError `invalid`. */
export function readModel(form: Form): string | null {
  const wish = form.text("model").trim();
  if (wish === "") return null;
  const [provider = "", ...model] = wish.split("/");
  if (PROVIDERS.some((one) => one === provider) && model.join("/") !== "") return wish;
  throw new AppError("invalid", `There is no model ${wish}.`, {
    fix: `Write it as provider/model, with one of ${PROVIDERS.join(", ")}, or leave it empty.`,
  });
}

/** The demo has no models to choose from. */
export async function namesOfModels(
  deps: Pick<ChatDeps, "demo" | "modelNames">,
): Promise<readonly string[]> {
  return deps.demo() ? [] : await deps.modelNames();
}

function requireText(given: string): string {
  const text = given.replaceAll("\r\n", "\n").trim();
  if (text === "") {
    throw new AppError("invalid", "There is nothing to send.", {
      fix: "Write what the workflow should do.",
    });
  }
  if (text.length > MESSAGE_CHARS_MAX) {
    throw new AppError("too_large", `A message has at most ${MESSAGE_CHARS_MAX} characters.`, {
      fix: "Shorten it, attach it as a file, or say it in two messages.",
    });
  }
  return text;
}

async function readFile(file: File): Promise<NewMessageFile> {
  const name = file.name.replaceAll(/[\p{Cc}/\\]/gu, "_").slice(-NAME_CHARS_MAX);
  if (file.size > MESSAGE_FILE_BYTES_MAX) {
    throw new AppError(
      "too_large",
      `${name} has more than ${MESSAGE_FILE_BYTES_MAX / 2 ** 20} MiB.`,
      {
        fix: "Attach a smaller file.",
      },
    );
  }
  const data = new Uint8Array(await file.arrayBuffer());
  // By what is in it: a name and a type are only what the sender says.
  const mediaType = imageTypeOf(data);
  if (mediaType !== undefined) return { name, mediaType, data };
  const text = decode(data);
  if (text === undefined) {
    throw new AppError("invalid", `${name} is neither text nor an image.`, {
      fix: "Attach texts (UTF-8), PNG, JPEG, WebP or GIF.",
    });
  }
  if (text.length > MESSAGE_FILE_CHARS_MAX) {
    throw new AppError("too_large", `${name} has more than ${MESSAGE_FILE_CHARS_MAX} characters.`, {
      fix: "Attach the part of it that matters.",
    });
  }
  return { name, mediaType: "text/plain", data };
}

/** Undefined for what is no text. */
function decode(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
