/** What pages save and show of the settings, with the real file and the real database. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followSettings } from "../../src/app/live-settings.ts";
import { createWebDeps, readSessionsSince } from "../../src/app/web-deps.ts";
import { loadConfig, readSettings, type Settings } from "../../src/config/load.ts";
import type { ConfigSources } from "../../src/config/source.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStoreDegradable, type Store } from "../../src/store/store.ts";

let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-web-deps-"));
  store = await openStoreDegradable({ path: join(dataDir, "agents.db"), clock: systemClock });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function webDeps() {
  const sources: ConfigSources = {
    flags: { AGENTS_DATA_DIR: { flag: "--data-dir", value: dataDir } },
    environment: {},
    workingDir: join(dataDir, "elsewhere"),
    homeDir: dataDir,
    os: "linux",
  };
  const settings = followSettings<Settings>(await readSettings(sources), () =>
    readSettings(sources),
  );
  return createWebDeps(await loadConfig(sources), {
    store,
    settings,
    interrupted: [],
    version: "1.2.3",
    services: () => [],
    port: () => 7861,
    restart: () => undefined,
    sessionsSince: 0,
    signal: AbortSignal.abort(),
    reportError(error) {
      throw error;
    },
  });
}

test("saveKey() keeps every key of those that are saved at the same time", async () => {
  const deps = await webDeps();
  const names = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"];
  await Promise.all(names.map((name) => deps.saveKey(name, `key-of-${name}`)));
  const text = await Bun.file(join(dataDir, ".env")).text();
  expect(
    text
      .split("\n")
      .filter((line) => line.includes("=key-of-"))
      .toSorted(),
  ).toEqual(names.map((name) => `${name}=key-of-${name}`).toSorted());
  expect(deps.providers().filter(({ configured }) => configured).length).toBe(names.length);
});

test("addresses are shown without the password in them", async () => {
  const lines = ["OPENAI_COMPATIBLE_BASE_URL", "OLLAMA_BASE_URL", "SERPER_BASE_URL"];
  const text = lines.map((name) => `${name}=http://me:hush-hush@127.0.0.1:9/v1`).join("\n");
  await writeFile(join(dataDir, ".env"), `${text}\n`);
  const deps = await webDeps();
  const shown = JSON.stringify([deps.providers(), deps.values()]);
  expect(shown).toContain("http://127.0.0.1:9/v1");
  expect(shown).not.toContain("hush-hush");
});

test("saveSettings() saves all or none, with the reason for each that is refused", async () => {
  const deps = await webDeps();
  const bad = { AGENTS_WORKERS: "many", AGENTS_MODEL: "m-1", SECRET_KEY: "x", NOTHING: "1" };
  expect(await deps.saveSettings(bad)).toEqual({
    AGENTS_WORKERS: "Give a whole number from 0 to 64.",
    SECRET_KEY: "This setting is not changed on a page.",
    NOTHING: "There is no such setting.",
  });
  const valueOf = (name: string) => deps.values().find((value) => value.name === name);
  expect(valueOf("AGENTS_MODEL")?.value).toBe("");
  expect(await deps.saveSettings({ AGENTS_MODEL: "m-1" })).toEqual({});
  expect(deps.needsRestart()).toBe(false);
  expect(await deps.saveSettings({ AGENTS_WORKERS: "5" })).toEqual({});
  expect(deps.needsRestart()).toBe(true);
  expect(valueOf("AGENTS_WORKERS")).toMatchObject({
    value: "5",
    control: { isSaved: true, applies: "restart", fixedBy: null },
  });
  expect(await deps.saveSettings({ AGENTS_WORKERS: undefined })).toEqual({});
  expect(valueOf("AGENTS_WORKERS")).toMatchObject({ value: "2", control: { isSaved: false } });
  expect(deps.needsRestart()).toBe(false);
});

test("removeKey() takes a key out of the file", async () => {
  const deps = await webDeps();
  await deps.saveKey("OPENAI_API_KEY", "sk-1");
  const openai = () => deps.providers().find(({ name }) => name === "openai");
  expect(openai()).toMatchObject({ configured: true, isSaved: true });
  await deps.removeKey("OPENAI_API_KEY");
  expect(openai()).toMatchObject({ configured: false, isSaved: false });
  expect(await Bun.file(join(dataDir, ".env")).text()).not.toContain("sk-1");
});

test("endSessions() ends those that were begun until now, also for the next start", async () => {
  const deps = await webDeps();
  expect(deps.sessionsSince()).toBe(0);
  const before = systemClock.now();
  await deps.endSessions();
  expect(deps.sessionsSince()).toBeGreaterThan(before);
  expect(await readSessionsSince(store)).toBe(deps.sessionsSince());
});
