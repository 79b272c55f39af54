/** Several processes load the configuration of a fresh data folder at the same moment. */
import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROCESS_COUNT = 4;
const LOADER = `
  import { loadConfig } from ${JSON.stringify(resolve("src/config/load.ts"))};
  import { processSources } from ${JSON.stringify(resolve("src/config/environment.ts"))};
  console.log("ready");
  await Bun.stdin.text();
  console.log((await loadConfig(processSources({}))).secretKey);
`;

test("loadConfig() in processes that start together gives all of them one secret key", async () => {
  const root = await mkdtemp(join(tmpdir(), "agents-race-"));
  try {
    const dataDir = join(root, "data");
    const children = Array.from({ length: PROCESS_COUNT }, () =>
      Bun.spawn([process.execPath, "--no-env-file", "-e", LOADER], {
        cwd: root,
        env: { ...process.env, AGENTS_DATA_DIR: dataDir },
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
      }),
    );
    const readers = children.map((child) =>
      child.stdout.pipeThrough(new TextDecoderStream()).getReader(),
    );
    // All wait at the line: closing their input lets them go.
    for (const reader of readers) expect((await reader.read()).value).toBe("ready\n");
    for (const child of children) await child.stdin.end();
    const keys = await Promise.all(readers.map(async (reader) => (await reader.read()).value));
    expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0, 0]);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await readdir(dataDir)).toEqual(["secret.key"]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
