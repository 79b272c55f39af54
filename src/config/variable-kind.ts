/** What variables may be: text in, value out. Messages say what was expected. */
import * as z from "zod";

const PORT_MAX = 65_535;
const ON = ["on", "true", "yes", "1"];
const OFF = ["off", "false", "no", "0"];

export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .refine(
      (text) => /^\d{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max,
      `a whole number from ${min} to ${max}`,
    )
    .transform(Number);
}

export const port = () => wholeNumber(0, PORT_MAX);

export const onOff = () =>
  z
    .string()
    .refine((text) => [...ON, ...OFF].includes(text.toLowerCase()), "on or off")
    .transform((text) => ON.includes(text.toLowerCase()));

export const host = () =>
  z
    .string()
    .transform((text) => text.replace(/^\[(.*)\]$/, "$1"))
    .refine(
      (text) => /^[A-Za-z0-9.:_%-]+$/.test(text),
      "an address or host name to listen on, such as 127.0.0.1",
    );

export const url = () =>
  z
    .string()
    .refine((text) => {
      const parsed = URL.canParse(text) ? new URL(text) : undefined;
      return parsed?.protocol === "http:" || parsed?.protocol === "https:";
    }, "an address that begins with http:// or https://")
    .transform((text) => text.replace(/\/+$/, ""));

export const key = () => z.string().refine((text) => !/\s/.test(text), "a key without spaces");

/** `OLLAMA_HOST` may be `host`, `host:port` or a URL, and often is the address the server listens on. */
export const ollamaUrl = () =>
  z
    .string()
    .transform((text) => {
      if (!text.includes("://")) return `http://${/:\d+$/.test(text) ? text : `${text}:11434`}`;
      return text;
    })
    .transform((text) => text.replace("://0.0.0.0", "://127.0.0.1"))
    .pipe(url());

export const databaseUrl = () =>
  z.string().superRefine((text, context) => {
    if (/^postgres(ql)?:/.test(text)) {
      context.addIssue(
        "sqlite:///path: Postgres is not supported by this version, which keeps its data in SQLite",
      );
    } else if (!/^sqlite:\/\/\/[^:]/.test(text)) {
      context.addIssue(
        "sqlite:/// and the absolute path of a file, such as sqlite:///data/agents.db",
      );
    }
  });

export const text = () => z.string();

/** Entries separated by commas, blanks around them dropped. */
export const list = () =>
  z.string().transform((value) =>
    value
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );
