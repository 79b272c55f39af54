/** MLflow beside the product: found, installed and supervised; its absence is only a status. */
import type { Config } from "../config/config.ts";
import { inheritedEnvironment } from "../config/environment.ts";
import type { Clock } from "../lib/clock.ts";
import { findMlflow, MLFLOW_MISSING, type MlflowDeps } from "../mlflow/find.ts";
import { mlflowService } from "../mlflow/service.ts";
import { runCommand, which } from "../process/run-command.ts";
import { selfCommand } from "../process/self-command.ts";
import type { Supervisor } from "../process/supervisor.ts";

function mlflowDeps(clock: Clock): MlflowDeps {
  return {
    env: inheritedEnvironment(),
    which,
    run: (argv, options) => runCommand(argv, options, clock),
  };
}

/** Starts MLflow where it is installed, else shows why it does not run. Never fails. */
export async function addMlflow(
  supervisor: Supervisor,
  config: Config,
  clock: Clock,
): Promise<void> {
  const { dataDir } = config;
  const installation = await findMlflow(dataDir, mlflowDeps(clock));
  if (installation === undefined) {
    supervisor.addDisabled("mlflow", MLFLOW_MISSING);
    return;
  }
  supervisor.addService(
    mlflowService({
      dataDir,
      executable: selfCommand(),
      installation,
      port: config.mlflow.port,
      env: inheritedEnvironment(),
    }),
  );
}

export function find(settings: Pick<Config, "dataDir">, clock: Clock) {
  return findMlflow(settings.dataDir, mlflowDeps(clock));
}

export async function install(
  settings: Pick<Config, "dataDir">,
  options: { clock: Clock; signal: AbortSignal; onProgress: (text: string) => void },
): Promise<void> {
  const { clock, signal, onProgress } = options;
  const { installMlflow } = await import("../mlflow/install.ts");
  // Under the guard, pip and uv die with a setup that is killed.
  const guarded = [...selfCommand(), "guard", "--"];
  await installMlflow({
    ...mlflowDeps(clock),
    run: (argv, how) => runCommand([...guarded, ...argv], how, clock),
    dataDir: settings.dataDir,
    clock,
    signal,
    onProgress: ({ message }) => onProgress(message),
  });
}
