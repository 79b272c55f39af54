import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  atPlaceInside,
  type Folders,
  openInside,
  PathError,
  resolveInside,
} from "../../src/lib/inside-folder.ts";

let base: string;
let folders: Folders;
const at = (...parts: string[]) => join(base, ...parts);

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "agents-inside-")));
  for (const folder of ["data/workspace/sub", "data/logs", "extra/hidden", "outside"])
    await mkdir(at(folder), { recursive: true });
  await writeFile(at("data/agents.db"), "database");
  await writeFile(at("data/workspace/a.txt"), "a");
  await writeFile(at("extra/b.txt"), "b");
  await writeFile(at("extra/hidden/key"), "key");
  await writeFile(at("outside/secret.txt"), "secret");
  await symlink(at("outside"), at("data/workspace/out"));
  await symlink(at("outside/secret.txt"), at("data/workspace/secret"));
  await symlink("../../../outside/new.txt", at("data/workspace/sub/dangling"));
  await symlink("loop", at("data/workspace/loop"));
  await symlink(at("extra"), at("data/workspace/extra"));
  await symlink("..", at("data/workspace/up"));
  folders = {
    roots: [at("data/workspace"), at("extra")],
    hidden: [at("data"), at("extra/hidden")],
  };
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function reason(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (error instanceof PathError) return error.reason;
    throw error;
  }
  return "none";
}

describe("resolveInside()", () => {
  test("relative paths begin at the first root, absolute ones may lie in any", async () => {
    expect(await resolveInside("a.txt", folders)).toBe(at("data/workspace/a.txt"));
    expect(await resolveInside("./sub/../a.txt", folders)).toBe(at("data/workspace/a.txt"));
    expect(await resolveInside("new/deep/file", folders)).toBe(at("data/workspace/new/deep/file"));
    expect(await resolveInside(at("extra/b.txt"), folders)).toBe(at("extra/b.txt"));
    expect(await resolveInside("extra/b.txt", folders)).toBe(at("extra/b.txt"));
    expect(await resolveInside(".", folders)).toBe(at("data/workspace"));
  });

  test.each([
    ["../agents.db", "outside"],
    ["../../outside/secret.txt", "outside"],
    ["sub/../../../extra-not", "outside"],
    ["/etc/passwd", "outside"],
    ["/", "outside"],
    ["out/secret.txt", "outside"],
    ["out/new.txt", "outside"],
    ["secret", "outside"],
    ["up/agents.db", "outside"],
    ["up/workspace/a.txt", "none"],
    ["sub/dangling", "invalid"],
    ["sub/dangling/x", "invalid"],
    ["loop", "invalid"],
    ["loop/x", "invalid"],
    ["a.txt/x", "invalid"],
    ["a\0.txt", "invalid"],
    ["", "invalid"],
    ["x".repeat(5_000), "invalid"],
    ["NUL", "invalid"],
    ["sub/com1.txt", "invalid"],
    ["aux. ", "invalid"],
    ["extra/hidden", "hidden"],
    ["extra/hidden/key", "hidden"],
    ["extra/hidden/new/file", "hidden"],
    ["extra/hidden-not", "none"],
    ["console.txt", "none"],
  ])("%j: %s", async (path, expected) => {
    expect(await reason(resolveInside(path, folders))).toBe(expected);
  });

  test("a hidden place stays hidden when a root is that place, or lies around it", async () => {
    for (const root of [at("data"), base]) {
      const wide: Folders = { roots: [at("data/workspace"), root], hidden: [at("data")] };
      expect(await reason(resolveInside(at("data/agents.db"), wide))).toBe("hidden");
      expect(await reason(resolveInside(at("data/logs/x"), wide))).toBe("hidden");
      expect(await reason(resolveInside("a.txt", wide))).toBe("none");
    }
    const same: Folders = { roots: [at("data")], hidden: [at("data")] };
    expect(await reason(resolveInside("agents.db", same))).toBe("hidden");
  });

  test("whatever the path, the result is inside of a root and not hidden", async () => {
    const part = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "",
        "sub",
        "out",
        "up",
        "extra",
        "hidden",
        "secret",
        "a.txt",
        "workspace",
        "data",
        "outside",
      ),
      fc.string({ maxLength: 4 }),
    );
    const start = fc.constantFrom("", "/", at("extra/"), at("data/"), `${base}/`);
    await fc.assert(
      fc.asyncProperty(start, fc.array(part, { maxLength: 7 }), async (head, parts) => {
        let real: string;
        try {
          real = await resolveInside(head + parts.join("/"), folders);
        } catch (error) {
          if (error instanceof PathError) return;
          throw error;
        }
        const inWorkspace = `${real}/`.startsWith(`${at("data/workspace")}/`);
        const inExtra = `${real}/`.startsWith(`${at("extra")}/`);
        expect(inWorkspace || inExtra).toBe(true);
        expect(`${real}/`.startsWith(`${at("extra/hidden")}/`)).toBe(false);
        if (existsSync(real)) expect(await realpath(real)).toBe(real);
      }),
      { numRuns: 500 },
    );
  });
});

describe("openInside()", () => {
  test("opens files, and nothing that is none", async () => {
    const file = await openInside("a.txt", folders);
    expect(await file.readFile("utf8")).toBe("a");
    await file.close();
    expect(await reason(openInside("sub", folders))).toBe("invalid");
    expect(await reason(openInside("secret", folders))).toBe("outside");
    expect(await openInside("none", folders).catch((error: { code: string }) => error.code)).toBe(
      "ENOENT",
    );
  });

  test("does not wait for a named pipe", async () => {
    const made = Bun.spawnSync(["mkfifo", at("data/workspace/pipe")]);
    expect(made.exitCode).toBe(0);
    expect(await reason(openInside("pipe", folders))).toBe("invalid");
  });

  test("never reads the outside while somebody swaps a folder for a link", async () => {
    await swapping(async () => {
      const read = await openInside("swap/secret.txt", folders).catch(() => undefined);
      const text = await read?.readFile("utf8");
      await read?.close();
      expect(text).not.toBe("secret");
    });
  });
});

describe("atPlaceInside()", () => {
  test("creates the folders, gives a place to write to", async () => {
    const path = await atPlaceInside("x/y/z.txt", folders, async (place) => {
      await writeFile(place.path, "z");
      return place.realPath;
    });
    expect(path).toBe(at("data/workspace/x/y/z.txt"));
    expect(await readFile(path, "utf8")).toBe("z");
  });

  test("refuses places outside, creates nothing there", async () => {
    for (const path of ["out/new/file.txt", "sub/dangling", "../x/y"])
      expect(await reason(atPlaceInside(path, folders, async () => undefined))).not.toBe("none");
    expect(existsSync(at("outside/new"))).toBe(false);
    expect(existsSync(at("data/x"))).toBe(false);
  });

  test("never writes to the outside while somebody swaps a folder for a link", async () => {
    await swapping(async () => {
      await atPlaceInside("swap/written.txt", folders, (place) => writeFile(place.path, "x")).catch(
        () => undefined,
      );
      expect(existsSync(at("outside/written.txt"))).toBe(false);
    });
  });
});

/** Runs `attempt` many times while `swap` is in turn a folder and a link to the outside. */
async function swapping(attempt: () => Promise<void>) {
  const swap = at("data/workspace/swap");
  const aside = at("data/workspace/aside");
  await mkdir(swap);
  await writeFile(join(swap, "secret.txt"), "harmless");
  const over = new AbortController();
  const swapper = (async () => {
    while (!over.signal.aborted) {
      await rename(swap, aside);
      // The attempt may have made the folder anew.
      await symlink(at("outside"), swap).catch(() => undefined);
      while (existsSync(aside)) {
        await rm(swap, { recursive: true, force: true });
        await rename(aside, swap).catch(() => undefined);
      }
    }
  })();
  try {
    for (let index = 0; index < 300; index += 1) await attempt();
  } finally {
    over.abort();
    await swapper;
    await rm(swap, { recursive: true });
  }
}
