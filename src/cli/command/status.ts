import { stat } from "node:fs/promises";
import { loadConfig, readSettings, type Settings } from "../../config/load.ts";
import { ERROR_CODES } from "../../domain/error.ts";
import { RUN_STATES, type RunState } from "../../domain/run.ts";
import type { ServiceStatus } from "../../domain/service.ts";
import type { CommandContext } from "../command.ts";
import { backgroundReporter } from "../error.ts";
import type { STATUS } from "../definition.ts";
import { formatAge, formatTable } from "../format.ts";
import type { App, Instance } from "../product.ts";
import { serviceRow } from "../service-text.ts";
import { columnsOf, print } from "../terminal.ts";

/** Exit code 0 when a server runs on the data folder. */
export async function status(context: CommandContext<typeof STATUS.flags>): Promise<number> {
  const { flags, terminal, clock } = context;
  const settings = await readSettings(context.sources);
  const app = await context.loadApp();
  const instance = await app.readInstance(settings.dataDir);
  const stored = await readStored(context, { app, settings });
  const facts: Facts = {
    instance,
    services: instance === undefined ? [] : (stored?.services ?? []),
    counts: stored?.counts,
  };
  if (flags.json) {
    print(terminal, JSON.stringify(statusDocument(facts, settings), null, 2));
  } else {
    const style = {
      columns: columnsOf(terminal.output),
      color: terminal.color,
      nowMs: clock.now(),
    };
    for (const line of statusLines(facts, style)) print(terminal, line);
    print(terminal, `Data folder: ${settings.dataDir}`);
  }
  return instance === undefined ? ERROR_CODES.not_running.exit : 0;
}

interface Facts {
  readonly instance: Instance | undefined;
  readonly services: readonly ServiceStatus[];
  readonly counts: Record<RunState, number> | undefined;
}

function statusDocument({ instance, services, counts }: Facts, settings: Settings) {
  return {
    running: instance !== undefined,
    url: instance?.info?.url ?? null,
    pid: instance?.info?.pid ?? null,
    data_dir: settings.dataDir,
    services,
    runs: counts ?? null,
  };
}

interface Stored {
  readonly services: readonly ServiceStatus[];
  readonly counts: Record<RunState, number>;
}

/** What the database knows; nothing is made where there is none yet. */
async function readStored(
  context: CommandContext<typeof STATUS.flags>,
  { app, settings }: { app: App; settings: Settings },
): Promise<Stored | undefined> {
  if (!(await exists(settings.databasePath))) return undefined;
  const product = await app.openProduct(
    await loadConfig(context.sources),
    backgroundReporter(context),
    { reads: true },
  );
  try {
    const { system, runs } = product.store;
    return { services: await system.services(), counts: await runs.counts() };
  } finally {
    await product.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function statusLines(
  { instance, services, counts }: Facts,
  style: { readonly columns: number; readonly color: boolean; readonly nowMs: number },
): string[] {
  const lines =
    instance === undefined
      ? ["agents is not running. Run `agents start`."]
      : [
          runningText(instance, style.nowMs),
          "",
          ...formatTable(
            services.map((service) => serviceRow(service, style.color)),
            style.columns,
          ),
        ];
  if (counts !== undefined) {
    const parts = RUN_STATES.filter((state) => counts[state] > 0).map(
      (state) => `${counts[state]} ${state}`,
    );
    lines.push("", `Runs: ${parts.length === 0 ? "none yet" : parts.join(", ")}`);
  }
  return lines;
}

function runningText({ info }: Instance, nowMs: number): string {
  if (info === undefined) return "agents is starting.";
  const where = info.url === null ? "is starting" : `runs on ${info.url}`;
  return `agents ${where} (process ${info.pid}, started ${formatAge(info.startedAt, nowMs)}).`;
}
