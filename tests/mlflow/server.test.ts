/**
 * Goal: MLflow runs under the guard, and no process of it outlives what started it. Method: the real
 * server, found by its unique data folder in the process table, and SIGKILL at each place of the tree.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mlflowService } from "../../src/mlflow/service.ts";
import { venvPython } from "../../src/mlflow/venv.ts";
import { processTree } from "../../src/process/process-tree.ts";
import { startRecording, tagged, until } from "../process/support.ts";
import { sharedMlflow } from "./support.ts";

const MIB = 1024 * 1024;
const START_MS = 90_000;
/** Measured: 209 MiB with a new database, 200 with an old one, and 10 for the guard; a tenth of room. */
const MEMORY_MIB_MAX = 240;
const installation = await sharedMlflow();
const executable = [process.execPath, `${import.meta.dir}/fixture/agents.ts`];

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-mlflow-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const isGuard = ({ command }: { command: string }) => command.includes("agents.ts guard");
const tree = () => tagged(dataDir).filter((one) => !one.command.includes("agents.ts start"));
const nothingLeft = () => until("nothing of MLflow to be left", () => tagged(dataDir).length === 0);

describe.skipIf(installation === undefined)("mlflowService()", () => {
  if (installation === undefined) return;
  const service = (port: number) =>
    mlflowService({ dataDir, executable, installation, port, env: process.env });

  test("serves, in one process beside its guard, and is back after SIGKILL of either", async () => {
    await using product = startRecording([service(0)]);
    await product.supervisor.startAll();
    const running = () =>
      until("MLflow to run", () => product.status("mlflow")?.state === "running", START_MS);
    await running();
    const { url, pid } = product.status("mlflow") ?? {};
    expect(await (await fetch(`${url}/health`)).text()).toBe("OK");
    expect(await (await fetch(`${url}/version`)).text()).toBe(installation.version);
    expect(await Bun.file(join(dataDir, "mlflow", "data", "mlflow.db")).exists()).toBe(true);
    const memory = await processTree(pid ?? 0);
    console.log(`MLflow and its guard: ${Math.round(memory.bytes / MIB)} MiB ${memory.measure}`);
    expect(memory.processes).toHaveLength(2);
    if (memory.measure === "pss") expect(memory.bytes / MIB).toBeLessThan(MEMORY_MIB_MAX);

    for (const isVictim of [isGuard, (one: { command: string }) => !isGuard(one)]) {
      const before = tree();
      const victim = before.find(isVictim);
      process.kill(victim?.pid ?? 0, "SIGKILL");
      await until("its end to be seen", () => product.status("mlflow")?.state === "backing_off");
      const old = new Set(before.map((one) => one.pid));
      await until("the old ones to be gone", () => !tree().some((one) => old.has(one.pid)));
      await running();
      expect(tree()).toHaveLength(2);
    }
    await product.supervisor.shutdown();
    expect(tree()).toEqual([]);
    expect(product.errors).toEqual([]);
  }, 180_000);

  test.each(["while it imports", "when it serves"])(
    "leaves nothing when the supervisor is killed %s",
    async (moment) => {
      const options = JSON.stringify({ dataDir, installation });
      const product = Bun.spawn([...executable, "start", options], {
        stdout: "pipe",
        stderr: "inherit",
      });
      if (moment === "when it serves") {
        const reader = product.stdout.pipeThrough(new TextDecoderStream()).getReader();
        let seen = "";
        while (!seen.includes("running")) seen += (await reader.read()).value ?? "";
      }
      await until("MLflow and its guard", () => tree().length === 2);
      product.kill("SIGKILL");
      await nothingLeft();
    },
    START_MS,
  );

  test(
    "says that its port is taken, and by what to mend it",
    async () => {
      using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("OK") });
      await using product = startRecording([service(server.port ?? 0)]);
      await product.supervisor.startAll();
      const failed = await until("the failure", () => {
        const status = product.status("mlflow");
        return status?.state === "failed" ? status : undefined;
      });
      expect([failed.message, failed.fix]).toEqual([
        `Port ${server.port} for MLflow is in use by another program.`,
        "Choose another port with --mlflow-port, or end the program that uses it.",
      ]);
      expect(product.deaths).toHaveLength(1);
    },
    START_MS,
  );

  test(
    "says that the environment is broken when its packages are gone",
    async () => {
      const bare = venvPython(join(dataDir, "bare"));
      const venv = ["-m", "venv", "--without-pip", join(dataDir, "bare")];
      const make = Bun.spawnSync([installation.python, ...venv]);
      expect(make.exitCode).toBe(0);
      await using product = startRecording([
        mlflowService({
          dataDir,
          executable,
          installation: { ...installation, python: bare },
          port: 0,
          env: process.env,
        }),
      ]);
      await product.supervisor.startAll();
      const failed = await until("the failure", () => {
        const status = product.status("mlflow");
        return status?.state === "failed" ? status : undefined;
      });
      expect(failed.message).toStartWith(
        `The installed MLflow ${installation.version} is broken: ModuleNotFoundError`,
      );
      expect(failed.fix).toContain("agents setup");
    },
    START_MS,
  );
});
