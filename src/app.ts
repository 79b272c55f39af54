/**
 * The composition root: what the command line can ask of the product. Each function loads only the
 * parts that it needs, so that a command pays for nothing else.
 */
import type { Config } from "./config/config.ts";
import type { Settings } from "./config/load.ts";
import type { ProviderName } from "./domain/workflow.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import type { DashboardHooks } from "./app/dashboard.ts";
import type { ChatOptions } from "./app/chat.ts";
import type { WorkerOptions } from "./app/worker.ts";

/** @param options `reads`: a database that cannot be written is opened all the same. */
export async function openProduct(
  config: Config,
  reportError: (error: unknown) => void,
  options?: { reads?: boolean },
) {
  const product = await import("./app/product.ts");
  return product.openProduct(config, reportError, options);
}

/** @throws AppError `already_running`, `port_in_use`, `database_newer`, `permission_denied`, … */
export async function startDashboard(config: Config, hooks: DashboardHooks) {
  const dashboard = await import("./app/dashboard.ts");
  return dashboard.startDashboard(config, hooks);
}

export async function startWorker(config: Config, options: WorkerOptions) {
  const worker = await import("./app/worker.ts");
  return worker.startWorker(config, options);
}

/** @throws AppError `port_in_use`, `permission_denied`. */
export async function startChat(config: Config, options: ChatOptions) {
  const chat = await import("./app/chat.ts");
  return chat.startChat(config, options);
}

/** What `agents new` talks with; it opens the database itself. */
export async function openWorkflowBuilder(config: Config, reportError: (error: unknown) => void) {
  const builder = await import("./app/workflow-builder.ts");
  return builder.openWorkflowBuilder(config, reportError);
}

export async function runGuard(argv: readonly string[], clock: Clock): Promise<number> {
  const guard = await import("./process/guard.ts");
  return guard.runGuard(argv, clock);
}

/** Calls back when the parent process is gone. */
export async function watchParent(onGone: () => void): Promise<void> {
  const guard = await import("./process/guard.ts");
  guard.watchParent(onGone);
}

/** The server that runs on a data folder. */
export async function readInstance(dataDir: string) {
  const lock = await import("./process/instance-lock.ts");
  return lock.readInstance(dataDir);
}

/** Stops the server of a data folder and waits for its end. @throws AppError `not_running`, `timeout`. */
export async function stopInstance(dataDir: string) {
  const lock = await import("./process/instance-lock.ts");
  return lock.stopInstance(dataDir, systemClock);
}

export async function openBrowser(url: string): Promise<void> {
  const command = await import("./process/run-command.ts");
  command.openBrowser(url);
}

/** The last lines of one service or of all, oldest first. */
export async function tailLogs(options: { dataDir: string; service?: string; lineCount: number }) {
  const { dataDir, lineCount, ...rest } = options;
  const logs = await import("./process/log-file.ts");
  return logs.tailLogs(dataDir, { ...rest, lines: lineCount });
}

/** New lines as they come, until the signal. */
export async function followLogs(options: {
  dataDir: string;
  service?: string;
  signal: AbortSignal;
  onLine: (line: { service: string; stream: "stdout" | "stderr"; line: string }) => void;
}): Promise<void> {
  const { dataDir, onLine, ...rest } = options;
  const logs = await import("./process/log-file.ts");
  for await (const entry of logs.followLogs(dataDir, { ...rest, clock: systemClock }))
    onLine(entry);
}

/** Sets a damaged database aside and puts the latest backup in its place. */
export async function repairDatabase(settings: Settings) {
  const repair = await import("./app/repair.ts");
  return repair.repairDatabase(settings);
}

/** A copy of the database. @returns where it is. */
export async function backUpDatabase(settings: Settings, file: string | undefined) {
  const restore = await import("./app/restore.ts");
  return restore.backUpDatabase(settings, file);
}

/** Puts a copy in the place of the database. @returns the name that the one before has now. */
export async function restoreDatabase(
  settings: Settings,
  file: string,
  options: { stage: boolean },
) {
  const restore = await import("./app/restore.ts");
  return restore.restoreDatabase(settings, file, options);
}

export async function findMlflow(settings: Settings) {
  const mlflow = await import("./app/mlflow-service.ts");
  return mlflow.find(settings, systemClock);
}

/** @throws AppError when it cannot be installed; nothing is left half-installed. */
export async function installMlflow(
  settings: Settings,
  options: { signal: AbortSignal; onProgress: (text: string) => void },
): Promise<void> {
  const mlflow = await import("./app/mlflow-service.ts");
  await mlflow.install(settings, { ...options, clock: systemClock });
}

/** Model servers that run on this machine. */
export async function detectLocalServers(settings: Settings) {
  const { detectLocalServers: detect } = await import("./llm/detect.ts");
  const found = await detect({ ollamaHost: settings.llm.ollama.baseUrl });
  return found.map(({ kind, name, baseUrl, models }) => ({
    name,
    baseUrl,
    models,
    provider: kind === "ollama" ? ("ollama" as const) : ("openai-compatible" as const),
  }));
}

/** One real request with the settings of the wizard, over those that are in force. */
export async function checkProvider(
  settings: Settings,
  wish: { provider: ProviderName; apiKey?: string; baseUrl?: string },
) {
  const [{ checkProvider: check }, { withProvider }] = await Promise.all([
    import("./llm/check.ts"),
    import("./app/provider-status.ts"),
  ]);
  const result = await check(withProvider(settings.llm, wish), wish.provider);
  return result.ok ? result : ({ ok: false, error: result.error.toRecord() } as const);
}

/** The tools that workflow files may name. */
export async function toolNames(): Promise<readonly string[]> {
  const { TOOL_NAMES } = await import("./domain/tool.ts");
  return TOOL_NAMES;
}

/** Whether code can be confined on this machine. @throws AppError `sandbox_unavailable`. */
export async function checkSandbox(): Promise<void> {
  const ports = await import("./app/step-ports.ts");
  await ports.checkSandbox();
}

/** The example workflows that are inside the executable. */
export async function exampleWorkflows() {
  const { EXAMPLES } = await import("../examples/index.ts");
  return EXAMPLES;
}

/** What holds a port, where it can be known; undefined when the port is free. */
export async function findPortHolder(host: string, port: number) {
  const { assertPortFree, findPortHolder: find } = await import("./process/port.ts");
  const isFree = await assertPortFree({ host, port, service: "", flag: "" }).then(
    () => true,
    () => false,
  );
  if (isFree) return undefined;
  const holder = await find(port);
  const description =
    holder === undefined ? "another program" : `process ${holder.pid} (${holder.command})`;
  return { description };
}
