import { loadConfig, readSettings } from "../../config/load.ts";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import type { CommandContext } from "../command.ts";
import type { CHAT } from "../internal-definition.ts";
import { print, printError } from "../terminal.ts";
import { BUILD } from "../../domain/build.ts";

/** Serves the chat until it is told to stop or its parent is gone. */
export async function chat(context: CommandContext<typeof CHAT.flags>): Promise<number> {
  const { terminal } = context;
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const ended = Promise.withResolvers<void>();
  // The parent stops its children itself: a Ctrl-C that reaches the whole group must not end them first.
  terminal.onInterrupt((signal) => {
    if (signal === "SIGTERM") ended.resolve();
  });
  await app.watchParent(() => ended.resolve());
  try {
    const running = await app.startChat(config, {
      version: BUILD.version,
      reload: async () => await readSettings(context.sources),
      reportError: (error) => printError(terminal, Bun.inspect(error)),
    });
    // The supervisor waits for this line.
    print(terminal, JSON.stringify({ event: "ready", url: running.url }));
    await ended.promise;
    await running.stop();
    return 0;
  } catch (error) {
    // What trying again soon will not mend: the supervisor shows it as the reason, and does not hammer.
    if (error instanceof AppError && !ERROR_CODES[error.code].retry && error.fix !== undefined) {
      const { message, fix } = error;
      print(terminal, JSON.stringify({ event: "error", message, fix }));
    }
    throw error;
  }
}
