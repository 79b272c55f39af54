import { loadConfig } from "../../config/load.ts";
import { hashPassword } from "../../config/password.ts";
import { PASSWORD_LENGTH_MIN } from "../../config/schema.ts";
import { saveEnvFile } from "../../config/save.ts";
import { AppError } from "../../domain/error.ts";
import type { CommandContext } from "../command.ts";
import type { PASSWORD } from "../definition.ts";
import { print, readAll, type Terminal } from "../terminal.ts";

export async function password(context: CommandContext<typeof PASSWORD.flags>): Promise<number> {
  const { terminal, flags, sources } = context;
  const chosen = flags.stdin ? await readAll(terminal.input) : await askPassword(terminal);
  const fault = passwordFault(chosen);
  if (fault !== undefined) {
    throw new AppError("invalid", fault, { fix: "Choose another password." });
  }
  const { dataDir } = await loadConfig(sources);
  const path = await saveEnvFile(dataDir, {
    AGENTS_ADMIN_PASSWORD_HASH: await hashPassword(chosen),
  });
  print(terminal, `The administrator's password is set (${path}).`);
  return 0;
}

function passwordFault(text: string): string | undefined {
  if (text.length >= PASSWORD_LENGTH_MIN) return undefined;
  return `The password has fewer than ${PASSWORD_LENGTH_MIN} characters.`;
}

/** Asks twice, masked. @throws AppError `cancelled`; `usage` without a terminal. */
export async function askPassword(
  terminal: Pick<Terminal, "input" | "output" | "interactive">,
): Promise<string> {
  if (!terminal.interactive) {
    throw new AppError("usage", "There is no terminal to ask for the password.", {
      fix: "Give it on standard input: agents password --stdin < file.",
    });
  }
  const prompts = await import("@clack/prompts");
  const { input, output } = terminal;
  const ask = async (
    message: string,
    validate: (text: string | undefined) => string | undefined,
  ) => {
    const answer = await prompts.password({ message, validate, input, output });
    if (prompts.isCancel(answer)) throw new AppError("cancelled", "No password was set.");
    return answer;
  };
  const first = await ask("New administrator password", (text) => passwordFault(text ?? ""));
  await ask("The same again", (text) =>
    text === first ? undefined : "The two are not the same. Try again.",
  );
  return first;
}
