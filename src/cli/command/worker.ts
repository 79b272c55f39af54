import { loadConfig, readSettings } from "../../config/load.ts";
import { AppError } from "../../domain/error.ts";
import type { CommandContext } from "../command.ts";
import type { WORKER } from "../internal-definition.ts";
import { print, printError } from "../terminal.ts";

/** Executes runs until it is told to stop or its parent is gone. */
export async function worker(context: CommandContext<typeof WORKER.flags>): Promise<number> {
  const { name } = context.flags;
  if (name === undefined) {
    throw new AppError("usage", "`agents worker` needs --name.", {
      fix: "Run `agents start`: it starts the workers.",
    });
  }
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const ended = Promise.withResolvers<void>();
  // The parent stops its workers itself: a Ctrl-C that reaches the whole group must not end them first.
  context.terminal.onInterrupt((signal) => {
    if (signal === "SIGTERM") ended.resolve();
  });
  await app.watchParent(() => ended.resolve());
  const running = await app.startWorker(config, {
    name,
    reload: async () => await readSettings(context.sources),
    reportError: (error) => printError(context.terminal, Bun.inspect(error)),
    onLog: (line) => printError(context.terminal, line),
    // The supervisor waits for this line.
    onReady: () => print(context.terminal, JSON.stringify({ event: "ready" })),
  });
  await ended.promise;
  await running.stop();
  return 0;
}
