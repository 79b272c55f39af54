import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followSettings } from "../../src/app/live-settings.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "agents-live-settings-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test("followSettings() ends with the newest file, also when an older reading takes longer", async () => {
  const path = join(dataDir, ".env");
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let readings = 0;
  const settings = followSettings({ dataDir, text: "" }, async () => {
    const text = await readFile(path, "utf8");
    readings += 1;
    if (readings === 1) {
      begun.resolve();
      await gate.promise;
    }
    return { dataDir, text };
  });
  expect((await settings.refresh()).text).toBe("");
  await writeFile(path, "old");
  const first = settings.refresh();
  await begun.promise;
  await writeFile(path, "newer");
  const second = settings.refresh();
  const third = settings.refresh();
  gate.resolve();
  expect((await first).text).toBe("old");
  expect((await second).text).toBe("newer");
  expect((await third).text).toBe("newer");
  expect(settings.current().text).toBe("newer");
  expect(readings).toBe(2);
});
