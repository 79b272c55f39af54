/** What the API does to the server itself: a new start with other settings, and with an older database. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { PATIENCE_MS, startAgents, waitFor } from "../support/agents.ts";

setDefaultTimeout(3 * PATIENCE_MS);

test("settings count after a restart, and a backup brings back what was there", async () => {
  await using agents = await startAgents({ flags: ["--no-mlflow", "--no-chat"] });
  const send = async (request: string, body?: unknown) => {
    const [method = "", path = ""] = request.split(" ");
    const answer = await fetch(`${agents.url}api/v1${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status, text).toBeLessThan(300);
    return { status: answer.status, json: text === "" ? undefined : JSON.parse(text) };
  };
  /** Until another start answers than the one that was asked to end. */
  const comeBack = async (startedAt: string) => {
    await waitFor(async () => {
      const answer = await fetch(`${agents.url}api/v1/status`).catch(() => undefined);
      if (answer?.ok !== true) return false;
      const { started_at: now }: { started_at: string } = JSON.parse(await answer.text());
      return now !== startedAt;
    }, "the next start");
  };
  const workerCount = async () => {
    const { items } = (await send("GET /services")).json;
    return items.filter(({ name }: { name: string }) => name.startsWith("worker-")).length;
  };
  const setting = async (name: string) => {
    const { json } = await send("GET /settings");
    return json.items.find((one: { name: string }) => one.name === name);
  };

  expect(await workerCount()).toBe(2);
  const changed = await send("PATCH /settings", { values: { AGENTS_WORKERS: "1" } });
  expect(changed.json.needs_restart).toBe(true);
  const restart = await send("POST /restarts");
  expect(restart.status).toBe(202);
  await comeBack(restart.json.started_at);
  expect(await workerCount()).toBe(1);
  expect(await setting("AGENTS_WORKERS")).toMatchObject({
    value: "1",
    editable: { is_saved: true, applies: "restart" },
  });
  await send("PATCH /settings", { values: { AGENTS_WORKERS: null } });
  expect(await setting("AGENTS_WORKERS")).toMatchObject({ value: "2", origin: "default" });

  const backup = (await send("POST /backups")).json;
  expect(backup).toMatchObject({ kind: "made", bytes: expect.any(Number) });
  const file = await fetch(`${agents.url}api/v1/backups/${backup.name}`);
  expect(file.headers.get("Content-Type")).toBe("application/vnd.sqlite3");
  const bytes = await file.bytes();
  expect([bytes.length, new TextDecoder().decode(bytes.subarray(0, 15))]).toEqual([
    backup.bytes,
    "SQLite format 3",
  ]);
  await send("POST /workflows", { source: await readFile("examples/greeting.yaml", "utf8") });
  const restored = await send(`POST /backups/${backup.name}/restorations`);
  expect(restored.status).toBe(202);
  await comeBack(restored.json.started_at);
  expect((await send("GET /workflows")).json.items).toEqual([]);
  const kinds = (await send("GET /backups")).json.items.map(({ kind }: { kind: string }) => kind);
  expect(kinds.toSorted()).toEqual(["made", "replaced"]);
  const { items } = (await send("GET /logs?source=dashboard&limit=200")).json;
  expect(items.length).toBeGreaterThan(0);
});
