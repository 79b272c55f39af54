import { describe, expect, test } from "bun:test";
import {
  bun,
  FIXTURES,
  newTag,
  READY,
  script,
  startRecording,
  STAY,
  tagged,
  until,
} from "./support.ts";

describe("createSupervisor()", () => {
  test("shows a service as running, with its url, after its ready line, which is not printed", async () => {
    const line = `console.log('{"event":"ready","url":"http://127.0.0.1:1234"}');`;
    await using product = startRecording([script("web", `console.log("hello"); ${line} ${STAY}`)]);
    await product.supervisor.startAll();
    expect(product.supervisor.statuses().map((one) => [one.name, one.state])).toEqual([
      ["web", "starting"],
    ]);
    const status = await product.running("web");
    expect(status).toEqual({
      name: "web",
      state: "running",
      pid: expect.any(Number),
      url: "http://127.0.0.1:1234",
      restartCount: 0,
      since: expect.any(Number),
      message: null,
      fix: null,
    });
    expect(product.lines).toEqual([{ service: "web", stream: "stdout", line: "hello" }]);
    await product.supervisor.shutdown();
    expect(product.status("web")).toEqual({
      ...status,
      state: "stopped",
      pid: null,
      url: null,
      since: null,
    });
    expect(product.deaths).toEqual([
      { service: "web", pid: status.pid ?? 0, code: null, signal: "SIGTERM" },
    ]);
    expect(product.errors).toEqual([]);
  });

  test("asks the probe until it answers, and takes its failures for 'not yet'", async () => {
    let asked = 0;
    const probe = () => {
      asked += 1;
      return asked < 3 ? Promise.reject(new Error("refused")) : Promise.resolve(true);
    };
    await using product = startRecording([
      script("probed", STAY, { ready: probe, url: "http://probed" }),
    ]);
    await product.supervisor.startAll();
    expect((await product.running("probed")).url).toBe("http://probed");
    expect(asked).toBe(3);
  });

  test("starts a killed child again within a second", async () => {
    await using product = startRecording([script("worker", READY + STAY)]);
    await product.supervisor.startAll();
    const { pid } = await product.running("worker");
    const killedAt = performance.now();
    process.kill(pid ?? 0, "SIGKILL");
    const again = await until("a new process", () => {
      const status = product.status("worker");
      return status?.state === "running" && status.pid !== pid ? status : undefined;
    });
    expect(performance.now() - killedAt).toBeLessThan(1_000);
    expect(again.restartCount).toBe(1);
    expect(product.deaths).toEqual([
      { service: "worker", pid: pid ?? 0, code: null, signal: "SIGKILL" },
    ]);
    const states = product.statuses.map((status) => status.state);
    expect(states).toEqual(["starting", "running", "backing_off", "starting", "running"]);
  });

  test("kills what a dead child left behind", async () => {
    const tag = newTag();
    await using product = startRecording([
      script("tree", "", { command: () => [bun, `${FIXTURES}/tree.ts`, tag] }),
    ]);
    await product.supervisor.startAll();
    const { pid } = await product.running("tree");
    const before = await until("the grandchild", () => {
      const found = tagged(tag);
      return found.length === 2 ? found : undefined;
    });
    process.kill(pid ?? 0, "SIGKILL");
    const old = new Set(before.map((one) => one.pid));
    await until("the old tree to be gone", () => !tagged(tag).some((one) => old.has(one.pid)));
  });

  test("shows a crash loop with its reason and does not hammer it", async () => {
    const starts = `console.error("no such table: runs"); process.exit(3);`;
    await using product = startRecording([script("broken", starts)]);
    await product.supervisor.startAll();
    const status = await until("the crash loop", () => {
      const current = product.status("broken");
      return current?.state === "failed" ? current : undefined;
    });
    expect(status).toEqual({
      name: "broken",
      state: "failed",
      pid: null,
      url: null,
      restartCount: 4,
      since: null,
      message: "broken ended with exit code 3:\nno such table: runs\nThis happened 5 times.",
      fix: "Read its log with `agents logs broken`.",
    });
    expect(product.deaths).toHaveLength(5);
  }, 15_000);

  test("takes the child's own explanation and waits long before the next try", async () => {
    const event = { event: "error", message: "Port 5000 is in use.", fix: "Choose another port." };
    const text = `console.log(${JSON.stringify(JSON.stringify(event))}); process.exit(98);`;
    await using product = startRecording([script("mlflow", text)]);
    await product.supervisor.startAll();
    const status = await until("the explanation", () => {
      const current = product.status("mlflow");
      return current?.state === "failed" ? current : undefined;
    });
    expect([status.message, status.fix]).toEqual(["Port 5000 is in use.", "Choose another port."]);
    expect(product.deaths).toHaveLength(1);
  });

  test("shows a command that cannot be started, and starts the others", async () => {
    await using product = startRecording([
      script("absent", "", { command: () => ["/nowhere/agents"] }),
      script("present", READY + STAY),
    ]);
    await product.supervisor.startAll();
    await product.running("present");
    const status = product.status("absent");
    expect(status?.state).toBe("failed");
    expect(status?.message).toContain("absent could not be started");
    expect(status?.fix).toContain("agents doctor");
    expect(product.errors).toEqual([]);
  });

  test("ends a child that is not ready in time and says so", async () => {
    await using product = startRecording([script("slow", STAY, { startTimeoutMs: 300 })]);
    await product.supervisor.startAll();
    const status = await until("the limit", () => {
      const current = product.status("slow");
      return current?.state === "backing_off" ? current : undefined;
    });
    expect(status.message).toBe("slow was not ready within 1 s.");
  });

  test("restart() ends the process, starts a new one and forgets the crashes", async () => {
    const first = `process.exit(1)`;
    let text = first;
    await using product = startRecording([
      script("mended", "", { command: () => [bun, "-e", text] }),
    ]);
    await product.supervisor.startAll();
    await until("the crash loop", () => product.status("mended")?.state === "failed", 15_000);
    text = READY + STAY;
    await product.supervisor.restart("mended");
    const running = await product.running("mended");
    await product.supervisor.restart("mended");
    const again = await product.running("mended");
    expect(again.pid).not.toBe(running.pid);
    expect(again.message).toBeNull();
    const refusal: unknown = await product.supervisor.restart("nothing").catch((error) => error);
    expect(refusal).toMatchObject({ code: "not_found", fix: "Name one of: mended." });
  }, 20_000);

  test("shutdown() kills a child that ignores SIGTERM after the grace, with its group", async () => {
    const tag = newTag();
    const text = `process.on("SIGTERM", () => {});
      Bun.spawn([process.execPath, "${FIXTURES}/idle.ts", "${tag}", "--ignore-term"]);
      ${READY}${STAY}`;
    const product = startRecording([script("stubborn", text)]);
    await product.supervisor.startAll();
    await product.running("stubborn");
    await until("the grandchild", () => tagged(tag).length === 2);
    await product.supervisor.shutdown();
    expect(product.deaths.map((death) => death.signal)).toEqual(["SIGKILL"]);
    await until("nothing to be left", () => tagged(tag).length === 0);
    expect(product.status("stubborn")?.state).toBe("stopped");
  }, 15_000);

  test("shutdown() during a back-off starts nothing again", async () => {
    const product = startRecording([script("broken", "process.exit(1)")]);
    await product.supervisor.startAll();
    await until("the back-off", () => product.status("broken")?.state === "backing_off");
    const before = product.deaths.length;
    await product.supervisor.shutdown();
    expect(product.status("broken")?.state).toBe("stopped");
    expect(product.deaths).toHaveLength(before);
  });

  test("addDisabled() shows why a service is not there; addService() can bring it later", async () => {
    await using product = startRecording([]);
    product.supervisor.addDisabled("mlflow", {
      message: "It is not installed.",
      fix: "Install it.",
    });
    await product.supervisor.startAll();
    expect(product.supervisor.statuses()).toEqual([
      {
        name: "mlflow",
        state: "disabled",
        pid: null,
        url: null,
        restartCount: 0,
        since: null,
        message: "It is not installed.",
        fix: "Install it.",
      },
    ]);
    product.supervisor.addService(script("mlflow", READY + STAY));
    await product.running("mlflow");
  });
});
