/** Name → command. Handlers are loaded only when they run. */
import type { CommandContext } from "./command.ts";
import * as definitions from "./definition.ts";
import * as files from "./file-definition.ts";
import * as internals from "./internal-definition.ts";
import { type CommandDefinition, type FlagDefinitions, GLOBAL_FLAGS } from "./flag.ts";
import { assert } from "../lib/assert.ts";
import { areFlagValues, type ParsedArguments } from "./parse.ts";

type Base = Omit<CommandContext, "flags" | "global" | "positionals">;

export interface Command {
  readonly definition: CommandDefinition;
  run(parsed: ParsedArguments, base: Base): Promise<number>;
}

function command<Definitions extends FlagDefinitions>(
  definition: CommandDefinition<Definitions>,
  load: () => Promise<(context: CommandContext<Definitions>) => Promise<number>>,
): Command {
  return {
    definition,
    async run({ flags, positionals }, base) {
      assert(
        areFlagValues(flags, definition.flags),
        "parsed flags have the types of their definitions",
      );
      assert(
        areFlagValues(flags, GLOBAL_FLAGS),
        "parsed flags have the types of their definitions",
      );
      const handler = await load();
      return await handler({ ...base, flags, global: flags, positionals });
    },
  };
}

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  command(definitions.START, async () => (await import("./command/start.ts")).start),
  command(definitions.SETUP, async () => (await import("./command/setup.ts")).setup),
  command(definitions.STOP, async () => (await import("./command/stop.ts")).stop),
  command(definitions.STATUS, async () => (await import("./command/status.ts")).status),
  command(definitions.LOGS, async () => (await import("./command/logs.ts")).logs),
  command(definitions.DOCTOR, async () => (await import("./command/doctor.ts")).doctor),
  command(definitions.BACKUP, async () => (await import("./command/backup.ts")).backup),
  command(definitions.RESTORE, async () => (await import("./command/backup.ts")).restore),
  command(files.NEW, async () => (await import("./command/new.ts")).newWorkflow),
  command(definitions.VALIDATE, async () => (await import("./command/validate.ts")).validate),
  command(files.GRAPH, async () => (await import("./command/graph.ts")).graph),
  command(definitions.RUN, async () => (await import("./command/run.ts")).run),
  command(definitions.RUNS, async () => (await import("./command/runs.ts")).runs),
  command(definitions.CANCEL, async () => (await import("./command/cancel.ts")).cancel),
  command(definitions.RESUME, async () => (await import("./command/resume.ts")).resume),
  command(definitions.RETRY, async () => (await import("./command/retry.ts")).retry),
  command(definitions.RERUN, async () => (await import("./command/rerun.ts")).rerun),
  command(definitions.FORK, async () => (await import("./command/fork.ts")).fork),
  command(definitions.APPROVALS, async () => (await import("./command/approvals.ts")).approvals),
  command(definitions.APPROVE, async () => (await import("./command/decide.ts")).approve),
  command(definitions.REJECT, async () => (await import("./command/decide.ts")).reject),
  command(definitions.SIGNAL, async () => (await import("./command/signal.ts")).signal),
  command(definitions.SCHEDULES, async () => (await import("./command/schedules.ts")).schedules),
  command(definitions.MEMORY, async () => (await import("./command/memory.ts")).memory),
  command(definitions.PASSWORD, async () => (await import("./command/password.ts")).password),
  command(definitions.VERSION, async () => (await import("./command/version.ts")).version),
  command(definitions.HELP, async () => (await import("./command/help.ts")).help),
  command(definitions.COMPLETION, async () => (await import("./command/completion.ts")).completion),
  command(internals.WORKER, async () => (await import("./command/worker.ts")).worker),
  command(internals.CHAT, async () => (await import("./command/chat.ts")).chat),
  command(internals.GUARD, async () => (await import("./command/guard.ts")).guard),
];
