import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addServices } from "../../src/app/services.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createSupervisor } from "../../src/process/supervisor.ts";

test("addServices() reports a failure around MLflow and goes on without it", async () => {
  const homeDir = await mkdtemp(join(tmpdir(), "agents-services-"));
  const environment = { AGENTS_WORKERS: "0", AGENTS_CHAT: "off", AGENTS_DATA_DIR: homeDir };
  const os = process.platform;
  const config = await loadConfig({ flags: {}, environment, workingDir: homeDir, homeDir, os });
  const reported = Promise.withResolvers<unknown>();
  const supervisor = createSupervisor({
    clock: systemClock,
    onStatus: () => undefined,
    onLine: () => undefined,
    onExit: () => undefined,
    reportError: reported.reject,
  });
  // A service of that name makes whatever comes of the look for MLflow fail.
  supervisor.addService({
    name: "mlflow",
    command: () => [process.execPath],
    env: {},
    cwd: homeDir,
    url: null,
    ready: "spawned",
    startTimeoutMs: 1_000,
  });
  addServices(supervisor, config, { clock: systemClock, reportError: reported.resolve });
  expect(String(await reported.promise)).toContain("service mlflow");
  expect(supervisor.statuses().map(({ name }) => name)).toEqual(["mlflow", "chat"]);
  await rm(homeDir, { recursive: true, force: true });
});
