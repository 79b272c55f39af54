import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ASSETS, assetUrl, type Asset } from "../../views/assets.ts";
import { STATUS_FULL } from "./fixtures.ts";
import { PAGES } from "./pages.tsx";

const FIRST_VISIT_BYTES_MAX = 150 * 1024;
const FIRST_VISIT_REQUEST_COUNT_MAX = 10;

const asset = (name: string): Asset => {
  const found = ASSETS[name];
  if (found === undefined) throw new Error(`no asset ${name}`);
  return found;
};
const bytes = async (name: string) =>
  Buffer.from(await new Response(asset(name).body).arrayBuffer());

describe("ASSETS", () => {
  test("the client is one script: htmx 4.0.1, its SSE extension and our code", async () => {
    const client = (await bytes("client.js")).toString();
    expect(client).toContain("4.0.1");
    expect(client).toContain("hx-sse:");
    expect(client).toContain("data-paused");
    expect(client).not.toContain("sourceMappingURL");
    expect(() => new Bun.Transpiler({ loader: "js" }).scan(client)).not.toThrow();
  });

  test("compressed bytes are the same content", async () => {
    for (const [name, { gzip }] of Object.entries(ASSETS)) {
      if (gzip !== undefined) expect(Buffer.from(Bun.gunzipSync(gzip))).toEqual(await bytes(name));
    }
  });

  test("the style sheet asks for the very fonts that the page preloads", async () => {
    const css = (await bytes("app.css")).toString();
    expect(css).toContain(`url("${assetUrl("inter.woff2").replace("/assets/", "")}")`);
    expect(css).toContain(`url("${assetUrl("mono.woff2").replace("/assets/", "")}")`);
  });

  test("a first visit stays in its budget", async () => {
    const page = await PAGES[0]?.render("auto");
    const sizes = await Promise.all(
      // The editor comes on two pages only, when they can be used already.
      Object.keys(ASSETS)
        .filter((name) => name !== "editor.js")
        .map(async (name) => asset(name).gzip?.length ?? (await bytes(name)).length),
    );
    const document = Bun.gzipSync(Buffer.from(page ?? "")).length;
    expect(STATUS_FULL.runs.length).toBeGreaterThan(5);
    expect(sizes.reduce((sum, size) => sum + size, document)).toBeLessThan(FIRST_VISIT_BYTES_MAX);
    expect(sizes.length + 2).toBeLessThan(FIRST_VISIT_REQUEST_COUNT_MAX);
  });
});

test("the editor is a module of its own, within its budget", async () => {
  const { gzip } = asset("editor.js");
  expect(gzip?.length).toBeLessThan(200 * 1024);
  const { exports, imports } = new Bun.Transpiler({ loader: "js" }).scan(
    (await bytes("editor.js")).toString(),
  );
  expect({ exports, imports }).toEqual({ exports: ["mount"], imports: [] });
});

describe("the macros", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "agents-assets-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** The same text from `bun run`, from this test and from an executable far from the sources. */
  test("give the same assets in development, in tests and in an executable", async () => {
    const entry = join(folder, "entry.ts");
    const source = resolve("views/assets.ts");
    writeFileSync(
      entry,
      `import { ASSETS } from ${JSON.stringify(source)};
       const list = Object.entries(ASSETS).map(async ([name, { body, hash }]) =>
         [name, hash, Bun.hash(await new Response(body).arrayBuffer()).toString(36)]);
       console.log(JSON.stringify(await Promise.all(list)));`,
    );
    const outfile = join(folder, process.platform === "win32" ? "entry.exe" : "entry");
    const built = Bun.spawnSync([
      process.execPath,
      "build",
      entry,
      "--compile",
      "--minify",
      "--splitting",
      "--outfile",
      outfile,
    ]);
    expect(built.exitCode, built.stderr.toString()).toBe(0);
    const here = await Promise.all(
      Object.keys(ASSETS).map(async (name) => [
        name,
        asset(name).hash,
        Bun.hash(await bytes(name)).toString(36),
      ]),
    );
    const run = (command: string[]) =>
      JSON.parse(Bun.spawnSync(command, { cwd: folder }).stdout.toString());
    expect(run([process.execPath, "run", entry])).toEqual(here);
    expect(run([outfile])).toEqual(here);
  }, 30_000);
});
