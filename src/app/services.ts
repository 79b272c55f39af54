/** The child processes of `agents start`. */
import type { Config } from "../config/config.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import type { Clock } from "../lib/clock.ts";
import { selfCommand } from "../process/self-command.ts";
import type { Supervisor } from "../process/supervisor.ts";

const WORKER_START_TIMEOUT_MS = 30_000;
const CHAT_START_TIMEOUT_MS = 30_000;

interface ServiceDeps {
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
}

/** @param config With the port that the dashboard has. */
export function addServices(supervisor: Supervisor, config: Config, deps: ServiceDeps): void {
  for (let index = 1; index <= config.workerCount; index += 1) {
    const name = `worker-${index}`;
    supervisor.addService({
      name,
      command: () => [...selfCommand(), "worker", "--name", name],
      env: childEnvironment(config),
      cwd: process.cwd(),
      url: null,
      ready: "line",
      startTimeoutMs: WORKER_START_TIMEOUT_MS,
    });
  }
  addChat(supervisor, config);
  if (!config.mlflow.enabled) {
    supervisor.addDisabled("mlflow", {
      message: "MLflow is switched off.",
      fix: "Start with --mlflow to run it.",
    });
    return;
  }
  // Looking for it takes a process or two, which no start should wait for, nor fail with.
  void import("./mlflow-service.ts")
    .then(({ addMlflow }) => addMlflow(supervisor, config, deps.clock))
    .catch(deps.reportError);
}

function addChat(supervisor: Supervisor, config: Config): void {
  if (!config.chat.enabled) {
    supervisor.addDisabled("chat", {
      message: "The chat is switched off.",
      fix: "Start with --chat to run it.",
    });
    return;
  }
  supervisor.addService({
    name: "chat",
    command: () => [...selfCommand(), "chat"],
    env: {
      ...childEnvironment(config),
      // Its pages, cookies and links are the dashboard's.
      AGENTS_HOST: config.host,
      AGENTS_PORT: String(config.port),
      AGENTS_CHAT_PORT: String(config.chat.port),
    },
    cwd: process.cwd(),
    url: null,
    ready: "line",
    startTimeoutMs: CHAT_START_TIMEOUT_MS,
  });
}

/** Flags of the parent reach the children as variables; everything else they read themselves. */
function childEnvironment(config: Config): Record<string, string> {
  return {
    ...inheritedEnvironment(),
    AGENTS_DATA_DIR: config.dataDir,
    AGENTS_DB_URL: `sqlite:///${config.databasePath}`,
    AGENTS_WORKER_CONCURRENCY: String(config.workerConcurrency),
  };
}
