import { stat } from "node:fs/promises";
import { createColors } from "picocolors";
import { loadConfig, readSettings } from "../../config/load.ts";
import type { Config } from "../../config/config.ts";
import { ERROR_CODES } from "../../domain/error.ts";
import { checkAddress } from "../bind-check.ts";
import type { CommandContext } from "../command.ts";
import type { START } from "../definition.ts";
import { backgroundReporter } from "../error.ts";
import type { App, Dashboard } from "../product.ts";
import { createStartView, type StartView } from "../start-view.ts";
import { BUILD } from "../../domain/build.ts";

type Context = CommandContext<typeof START.flags>;

/** Starts everything and stays until it is told to stop. */
export async function start(context: Context): Promise<number> {
  await offerSetup(context);
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  await checkAddress(context, app, config);
  const view = createStartView(context.terminal, context.clock);
  try {
    return await serve(context, { app, config, view });
  } finally {
    view.close();
  }
}

/** The setup questions come before the very first start, where there is someone to answer them. */
async function offerSetup(context: Context): Promise<void> {
  if (context.flags.yes || !context.terminal.interactive) return;
  const { dataDir } = await readSettings(context.sources);
  const isFirst = await stat(dataDir).then(
    () => false,
    () => true,
  );
  if (!isFirst) return;
  const { firstSetup } = await import("./setup.ts");
  await firstSetup(context);
}

/** Once, and again for each time that a page asks for a new start. */
async function serve(
  context: Context,
  { app, config: first, view }: { app: App; config: Config; view: StartView },
): Promise<number> {
  const interrupts = createInterrupts(context);
  try {
    let config = first;
    for (;;) {
      // One start after the other.
      // oxlint-disable-next-line no-await-in-loop
      const ended = await serveOnce(context, { app, config, view, interrupts });
      if (!ended.again) return ended.code;
      // oxlint-disable-next-line no-await-in-loop
      config = await reloadConfig(context, app, { ...config, port: ended.port });
    }
  } finally {
    interrupts.end();
  }
}

/** As it is saved now, on the same port; as it was, when that cannot be used. */
async function reloadConfig(context: Context, app: App, before: Config): Promise<Config> {
  try {
    const config = await loadConfig(context.sources);
    await checkAddress(context, app, config);
    return config.port === 0 ? { ...config, port: before.port } : config;
  } catch (error) {
    backgroundReporter(context)(error);
    return before;
  }
}

async function serveOnce(
  context: Context,
  {
    app,
    config,
    view,
    interrupts,
  }: { app: App; config: Config; view: StartView; interrupts: Interrupts },
): Promise<{ readonly code: number; readonly again: boolean; readonly port: number }> {
  const restart = Promise.withResolvers<"again">();
  const dashboard = await app.startDashboard(config, {
    version: BUILD.version,
    reload: async () => await readSettings(context.sources),
    onStatus: view.onStatus,
    onLine: view.onLine,
    onNotice: view.notice,
    onStopAsked: interrupts.ask,
    onRestartAsked: () => restart.resolve("again"),
  });
  const port = Number(new URL(dashboard.url).port) || config.port;
  try {
    announceRecovery(context, view, dashboard);
    await Promise.race([dashboard.settled, interrupts.first, restart.promise]);
    view.settled(urlsOf(config, dashboard));
    if (config.open && !interrupts.happened()) await openDashboard(app, view, dashboard.url);
    const wish = await Promise.race([interrupts.first, restart.promise]);
    view.notice(
      wish === "again" ? "Restarting." : "Stopping. Ctrl-C again ends everything at once.",
    );
    const ended = await Promise.race([
      dashboard.stop().then(() => "stopped" as const),
      interrupts.second.then(() => "killed" as const),
    ]);
    if (ended === "stopped")
      return { code: 0, again: wish === "again" && !interrupts.happened(), port };
    dashboard.kill();
    return { code: ERROR_CODES.cancelled.exit, again: false, port };
  } catch (error) {
    // Whatever fails here, no child may stay behind.
    dashboard.kill();
    throw error;
  }
}

function announceRecovery({ terminal }: Context, view: StartView, dashboard: Dashboard): void {
  const { interrupted } = dashboard;
  if (interrupted.length === 0) return;
  const colors = createColors(terminal.color);
  const runs = interrupted.length === 1 ? "1 run was" : `${interrupted.length} runs were`;
  view.notice(
    colors.yellow(
      `The last session ended without a shutdown. ${runs} interrupted and now resumed:`,
    ),
  );
  for (const id of interrupted) view.notice(`  ${id}`);
}

/** A browser that cannot be opened is no reason to stop. */
async function openDashboard(app: App, view: StartView, url: string): Promise<void> {
  await app.openBrowser(url).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    view.notice(`The browser could not be opened: ${reason}`);
  });
}

function urlsOf(config: Config, dashboard: Dashboard): { label: string; url: string }[] {
  const base = dashboard.url.replace(/\/$/, "");
  const chat = dashboard.services().find(({ name }) => name === "chat");
  const mlflow = dashboard.services().find(({ name }) => name === "mlflow");
  return [
    { label: "Dashboard", url: `${base}/` },
    ...(chat?.state === "running" ? [{ label: "Chat", url: `${base}/chat` }] : []),
    { label: "Health", url: `${base}/health` },
    ...(mlflow?.state === "running"
      ? [{ label: "MLflow", url: mlflow.url ?? `http://127.0.0.1:${config.mlflow.port}/` }]
      : []),
  ];
}

type Interrupts = ReturnType<typeof createInterrupts>;

/** The first and the second Ctrl-C or SIGTERM. */
function createInterrupts({ terminal }: Context) {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let happened = false;
  const ask = () => {
    happened = true;
    first.resolve();
  };
  const end = terminal.onInterrupt((signal) => {
    // Only a person's second Ctrl-C means "at once": SIGTERM comes twice when a group is told to end and
    // its leader passes that on, or when two ask by `agents stop`.
    if (happened && signal === "SIGINT") second.resolve();
    ask();
  });
  return { first: first.promise, second: second.promise, happened: () => happened, ask, end };
}
