/** The questions of `agents new`. */
import { existsSync } from "node:fs";
import * as prompts from "@clack/prompts";
import { MESSAGE_CHARS_MAX } from "../domain/conversation.ts";
import { AppError } from "../domain/error.ts";
import type { BuildAnswer } from "./product.ts";
import type { Terminal } from "./terminal.ts";

type Streams = Pick<Terminal, "input" | "output">;

/** @throws AppError `cancelled`. */
export async function askWish(terminal: Streams): Promise<string> {
  const text = await askText(terminal, {
    message: "What should the workflow do?",
    placeholder: "Rate each review, and ask me before bad news goes out",
    validate: checkMessage,
  });
  if (text !== undefined) return text;
  throw new AppError("cancelled", "Nothing was asked.");
}

type Next =
  | { readonly kind: "change"; readonly text: string }
  | { readonly kind: "end"; readonly save?: boolean; readonly file?: string };

/** What is to be done with the answer. Ctrl-C at the first question quits, at a later one asks again. */
export async function askNext(terminal: Streams, answer: BuildAnswer): Promise<Next> {
  const { result } = answer;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- Until one is answered.
    const choice = await prompts.select({
      message: "What next?",
      options: [
        ...(result?.workflow === undefined ? [] : [{ value: "save", label: "Save" }]),
        { value: "change", label: "Change", hint: "say what" },
        ...(result === undefined ? [] : [{ value: "write", label: "Write to a file" }]),
        { value: "quit", label: "Quit", hint: "the conversation is kept" },
      ],
      input: terminal.input,
      output: terminal.output,
    });
    if (prompts.isCancel(choice) || choice === "quit") return { kind: "end" };
    if (choice === "save") return { kind: "end", save: true };
    // oxlint-disable-next-line no-await-in-loop
    const next = choice === "change" ? await askChange(terminal) : await askFile(terminal, answer);
    if (next !== undefined) return next;
  }
}

async function askChange(terminal: Streams): Promise<Next | undefined> {
  const text = await askText(terminal, {
    message: "What should change?",
    placeholder: "Ask me before it sends anything",
    validate: checkMessage,
  });
  return text === undefined ? undefined : { kind: "change", text };
}

async function askFile(terminal: Streams, { result }: BuildAnswer): Promise<Next | undefined> {
  const name = (result?.workflow?.name ?? "workflow").replaceAll(/[^\w.-]+/g, "_");
  const file = await askText(terminal, {
    message: "Which file?",
    initialValue: `${name}.yaml`,
    validate(given) {
      const wanted = (given ?? "").trim();
      if (wanted === "") return "Name a file.";
      return existsSync(wanted) ? "There is such a file already. Name another one." : undefined;
    },
  });
  return file === undefined ? undefined : { kind: "end", file };
}

/** @returns undefined after Ctrl-C. */
async function askText(
  { input, output }: Streams,
  question: Pick<prompts.TextOptions, "message" | "placeholder" | "initialValue" | "validate">,
): Promise<string | undefined> {
  const given = await prompts.text({ ...question, input, output });
  return prompts.isCancel(given) ? undefined : given.trim();
}

function checkMessage(text: string | undefined): string | undefined {
  const { length } = (text ?? "").trim();
  if (length === 0) return "Say it in a few words.";
  return length > MESSAGE_CHARS_MAX ? `At most ${MESSAGE_CHARS_MAX} characters.` : undefined;
}
