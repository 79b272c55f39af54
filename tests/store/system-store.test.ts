import { expect, test } from "bun:test";
import type { ServiceStatus } from "../../src/domain/service.ts";
import { openStore } from "../../src/store/store.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

const SESSION = { startedAt: 1, pid: 10, url: "http://127.0.0.1:7861", version: "1" };

async function setup() {
  return await openStore({ path: ":memory:", clock: createManualClock() });
}

function service(name: string, more: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    state: "running",
    pid: 7,
    url: null,
    restartCount: 0,
    since: 5,
    message: null,
    fix: null,
    ...more,
  };
}

test("a session that was ended is clean for the next one", async () => {
  const { system } = await setup();
  expect(await system.session()).toBeUndefined();
  expect(await system.beginSession(SESSION)).toBeUndefined();
  expect(await system.session()).toEqual({ ...SESSION, clean: false });
  await system.endSession();
  expect(await system.beginSession({ ...SESSION, pid: 11 })).toEqual({ ...SESSION, clean: true });
  expect(await system.interruptedRunIds()).toEqual([]);
});

test("a session that crashed is dirty, and names the runs that were under way", async () => {
  const { system, runs, queue, workflows } = await setup();
  const workflow = await saveWorkflow(workflows);
  await system.beginSession(SESSION);
  const first = await startRun({ runs, queue }, newRun(workflow, "r1"));
  await startRun({ runs, queue }, newRun(workflow, "r2"));
  await runs.create(newRun(workflow, "r3"), {});
  await queue.release(await startRun({ runs, queue }, newRun(workflow, "r4")));
  expect(await system.interruptedRunIds()).toEqual([]);

  expect(await system.beginSession({ ...SESSION, pid: 11 })).toEqual({ ...SESSION, clean: false });
  expect(await system.interruptedRunIds()).toEqual(["r1", "r2", "r4"]);
  await runs.failRun(first, { code: "timeout", message: "Late." });
  expect(await system.interruptedRunIds()).toEqual(["r1", "r2", "r4"]);
  await system.endSession();
  await system.beginSession({ ...SESSION, pid: 12 });
  expect(await system.interruptedRunIds()).toEqual([]);
});

test("services are kept by name, in the order of their first save, for one session", async () => {
  const { system } = await setup();
  await system.beginSession(SESSION);
  await system.saveService(service("worker-1", { state: "starting", pid: null }));
  await system.saveService(service("dashboard"));
  const failed = { state: "failed", message: "No uv.", fix: "Install uv." } as const;
  await system.saveService(service("mlflow", failed));
  await system.saveService(service("worker-1", { restartCount: 1 }));
  expect(await system.services()).toEqual([
    service("worker-1", { restartCount: 1 }),
    service("dashboard"),
    service("mlflow", failed),
  ]);
  await system.beginSession(SESSION);
  expect(await system.services()).toEqual([]);
});

test("settings are kept by key", async () => {
  const { system } = await setup();
  expect(await system.setting("theme")).toBeUndefined();
  await system.setSetting("theme", "dark");
  await system.setSetting("theme", "");
  expect(await system.setting("theme")).toBe("");
});
