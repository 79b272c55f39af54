import type { Context } from "hono";
import { AppError } from "../domain/error.ts";

/** A form that was sent; a field that is missing reads as "". */
export interface Form {
  text(name: string): string;
  /** All values of a name, in order. */
  texts(name: string): readonly string[];
  has(name: string): boolean;
  /** Undefined when no file was chosen. */
  file(name: string): File | undefined;
  /** All files that were chosen for a name, in order. */
  files(name: string): readonly File[];
}

/**
 * Reads the form of a request; asked again, it gives the same one.
 * @throws AppError `usage` when the body is no form.
 */
export async function readForm(c: Context): Promise<Form> {
  const type = c.req.header("Content-Type") ?? "";
  if (!/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) return EMPTY;
  const data = await readData(c);
  return {
    text(name) {
      const value = data.get(name);
      return typeof value === "string" ? value : "";
    },
    texts: (name) => data.getAll(name).filter((value) => typeof value === "string"),
    has: (name) => data.has(name),
    file(name) {
      const value = data.get(name);
      return value instanceof File && value.size > 0 ? value : undefined;
    },
    files: (name) =>
      data.getAll(name).filter((value): value is File => value instanceof File && value.size > 0),
  };
}

const EMPTY: Form = {
  text: () => "",
  texts: () => [],
  has: () => false,
  file: () => undefined,
  files: () => [],
};

async function readData(c: Context): Promise<FormData> {
  try {
    return await c.req.formData();
  } catch (error) {
    // Whatever it is, it is the body's fault; Bun has several errors for it, without a common class.
    throw new AppError("usage", "The form could not be read.", {
      fix: "Send the form again from its page.",
      cause: error,
    });
  }
}
