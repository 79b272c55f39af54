/** `agents backup` and `agents restore`, also against a server that runs. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PATIENCE_MS, queryDatabase, runAgents, startAgents } from "../support/agents.ts";

const MARK = "INSERT INTO settings (key, value) VALUES ('mark', 'later')";
const FIND = "SELECT value FROM settings WHERE key = 'mark'";

test(
  "a copy is made while the server runs, and put back when it has stopped",
  async () => {
    await using agents = await startAgents({
      flags: ["--no-mlflow", "--no-chat", "--workers", "0"],
    });
    const { home } = agents;
    const copy = join(home.cwd, "copy.db");
    const made = await runAgents(["backup", "copy.db"], { home, cwd: home.cwd });
    expect(made).toEqual({ code: 0, stdout: `Saved ${copy}\n`, stderr: "" });
    const running = await runAgents(["restore", "copy.db"], { home, cwd: home.cwd });
    expect(running.code).toBe(20);
    expect(running.stderr).toContain("agents is already running");
    expect(await agents.stop()).toBe(0);
    const database = new Database(home.databasePath);
    database.run(MARK);
    database.close();
    await Bun.write(join(home.cwd, "text"), "no database");
    const broken = await runAgents(["restore", "text"], { home, cwd: home.cwd });
    expect(broken.code).toBe(5);
    expect(broken.stderr.replaceAll(/\s+/g, " ")).toContain("/text is no database of agents.");
    expect(queryDatabase(home.databasePath, FIND)).toEqual([{ value: "later" }]);
    const restored = await runAgents(["restore", "copy.db"], { home, cwd: home.cwd });
    expect(restored.code, restored.stderr).toBe(0);
    expect(restored.stdout).toMatch(/is the database now\.\nThe one before is .*\.before-restore-/);
    expect(queryDatabase(home.databasePath, FIND)).toEqual([]);
  },
  2 * PATIENCE_MS,
);

test(
  "a staged copy is put in place by the next start",
  async () => {
    await using first = await startAgents({
      flags: ["--no-mlflow", "--no-chat", "--workers", "0"],
    });
    const { home } = first;
    await runAgents(["backup", "copy.db"], { home, cwd: home.cwd });
    const staged = await runAgents(["restore", "copy.db", "--stage"], { home, cwd: home.cwd });
    expect(staged.stdout).toContain("The next start puts");
    first.child.kill("SIGKILL");
    await first.child.exited;
    const database = new Database(home.databasePath);
    database.run(MARK);
    database.close();
    await using second = await startAgents({
      home,
      flags: ["--no-mlflow", "--no-chat", "--workers", "0"],
    });
    expect(second.output()).toContain("A backup was restored.");
    expect(queryDatabase(home.databasePath, FIND)).toEqual([]);
  },
  2 * PATIENCE_MS,
);
