import { readSettings } from "../../config/load.ts";
import type { CommandContext } from "../command.ts";
import type { LOGS } from "../definition.ts";
import { createLogPainter } from "../log-painter.ts";
import { print, printError } from "../terminal.ts";

const LINE_COUNT_DEFAULT = 100;

export async function logs(context: CommandContext<typeof LOGS.flags>): Promise<number> {
  const { flags, terminal, positionals } = context;
  const { dataDir } = await readSettings(context.sources);
  const app = await context.loadApp();
  const [service] = positionals;
  const chosen = { dataDir, ...(service === undefined ? {} : { service }) };
  const paint = createLogPainter(terminal.color);
  const lines = await app.tailLogs({ ...chosen, lineCount: flags.lines ?? LINE_COUNT_DEFAULT });
  for (const line of lines) print(terminal, paint(line));
  if (lines.length === 0 && !flags.follow) printError(terminal, "There are no log lines yet.");
  if (!flags.follow) return 0;

  const ended = new AbortController();
  const stopListening = terminal.onInterrupt(() => ended.abort());
  await app.followLogs({
    ...chosen,
    signal: ended.signal,
    onLine: (line) => print(terminal, paint(line)),
  });
  stopListening();
  return 0;
}
