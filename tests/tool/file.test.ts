import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../src/lib/json.ts";
import { createWorld, failure, type World } from "./world.ts";

let world: World;
const at = (...parts: string[]) => join(world.base, ...parts);
const inWorkspace = (...parts: string[]) => join(world.workspace, ...parts);
beforeAll(async () => {
  world = await createWorld();
  await writeFile(at("data", "agents.db"), "database");
  await writeFile(at("outside", "secret.txt"), "secret");
  await writeFile(at("extra", "table.csv"), "a,b\n");
  await symlink(at("outside"), inWorkspace("out"));
  await symlink(at("outside", "secret.txt"), inWorkspace("secret.txt"));
});
afterAll(() => world[Symbol.asyncDispose]());

const call = (name: string, input: JsonObject) => world.call(name, input);
const found = async (pattern: string, basePath = "g") =>
  call("file_glob", { pattern, base_path: basePath });
const move = (source: string, dest: string, overwrite?: boolean) =>
  call("file_move", { source, dest, ...(overwrite === undefined ? {} : { overwrite }) });

const FIX =
  "Use a path relative to the workspace, such as notes/today.txt; the owner adds folders with ALLOWED_PATHS.";

describe("paths of all file tools", () => {
  const uses: [string, (path: string) => JsonObject][] = [
    ["file_read", (path) => ({ path })],
    ["file_write", (path) => ({ path, content: "x" })],
    ["file_write", (path) => ({ path, content: "x", append: true })],
    ["file_glob", (path) => ({ pattern: "*", base_path: path })],
    ["file_move", (path) => ({ source: path, dest: "moved" })],
    ["file_move", (path) => ({ source: "here.txt", dest: path })],
    ["dataframe_to_csv", (path) => ({ path, data: [] })],
    ["sql_query", (path) => ({ query: "SELECT 1", connection_string: path })],
    ["sql_query", (path) => ({ query: "SELECT 1", connection_string: `sqlite:///${path}` })],
  ];
  test.each(uses)("%s leaves the workspace on no way", async (name, inputFor) => {
    await writeFile(inWorkspace("here.txt"), "here");
    for (const path of [
      "../agents.db",
      "../../outside/secret.txt",
      "out/secret.txt",
      "out/new.txt",
      "secret.txt",
      "sub/../../agents.db",
      at("data", "agents.db"),
      at("data", "agents.db-wal"),
      at("outside", "secret.txt"),
      "/etc/passwd",
    ]) {
      const error = await failure(call(name, inputFor(path)));
      expect([path, error.code, error.fix]).toEqual([path, "forbidden", FIX]);
    }
    expect((await failure(call(name, inputFor("a\0b")))).code).toBe("invalid");
    expect(await readFile(at("outside", "secret.txt"), "utf8")).toBe("secret");
    expect(await readdir(at("outside"))).toEqual(["secret.txt"]);
    expect(await readFile(at("data", "agents.db"), "utf8")).toBe("database");
  });

  test("the data folder stays closed when it lies in an allowed folder", async () => {
    const settings = { ...world.deps.settings, allowedPaths: [world.base] };
    const read = (path: string) => world.call("file_read", { path }, { deps: { settings } });
    expect(await read(at("outside", "secret.txt"))).toMatchObject({ text: "secret" });
    expect((await failure(read(at("data", "agents.db")))).code).toBe("forbidden");
    const input = { pattern: "**/*", base_path: world.base };
    const listed = JSON.stringify(await world.call("file_glob", input, { deps: { settings } }));
    expect(listed).not.toContain("agents.db");
    expect(listed).toContain("secret.txt");
  });
});

describe("file_read", () => {
  test("reads in pieces and encodings", async () => {
    await writeFile(inWorkspace("a.txt"), "0123456789é");
    expect(await call("file_read", { path: "a.txt" })).toEqual({
      path: "a.txt",
      bytes: 12,
      chars: 11,
      next_offset: null,
      text: "0123456789é",
    });
    expect(await call("file_read", { path: "a.txt", offset: 2, limit: 3 })).toMatchObject({
      next_offset: 5,
      text: "234",
    });
    expect(
      await call("file_read", { path: "a.txt", encoding: "latin1", offset: 10 }),
    ).toMatchObject({ text: "Ã©" });
    expect(
      await call("file_read", { path: at("extra", "table.csv"), encoding: "base64" }),
    ).toMatchObject({ text: "YSxiCg==" });
    await writeFile(inWorkspace("long.txt"), "x".repeat(60_000));
    expect(await call("file_read", { path: "long.txt" })).toMatchObject({ next_offset: 50_000 });
  });

  test("says what is wrong", async () => {
    expect(await failure(call("file_read", { path: "none.txt" }))).toEqual({
      code: "tool_failed",
      message: "There is no file none.txt.",
      fix: "Look with file_glob which files there are.",
    });
    await mkdir(inWorkspace("folder"), { recursive: true });
    expect(await failure(call("file_read", { path: "folder" }))).toMatchObject({
      code: "invalid",
      message: "folder is not a file.",
    });
  });
});

describe("file_write", () => {
  test("replaces as a whole, keeps the rights, leaves nothing behind", async () => {
    expect(await call("file_write", { path: "new/deep/b.txt", content: "one" })).toEqual({
      path: "new/deep/b.txt",
      bytes: 3,
    });
    await chmod(inWorkspace("new/deep/b.txt"), 0o600);
    await call("file_write", { path: "new/deep/b.txt", content: "two" });
    expect(await readFile(inWorkspace("new/deep/b.txt"), "utf8")).toBe("two");
    expect((await stat(inWorkspace("new/deep/b.txt"))).mode & 0o777).toBe(0o600);
    expect(await readdir(inWorkspace("new/deep"))).toEqual(["b.txt"]);
  });

  test("appends", async () => {
    for (const content of ["a", "b"])
      await call("file_write", { path: "log.txt", content, append: true });
    expect(await readFile(inWorkspace("log.txt"), "utf8")).toBe("ab");
    await mkdir(inWorkspace("folder"), { recursive: true });
    const error = await failure(call("file_write", { path: "folder", content: "x", append: true }));
    expect(error).toMatchObject({
      code: "tool_failed",
      message: "folder cannot be used: it is a folder.",
    });
  });
});

describe("file_glob", () => {
  test("finds by pattern, in order, without following links", async () => {
    await mkdir(inWorkspace("g/x/y"), { recursive: true });
    for (const name of ["g/b.md", "g/a.md", "g/c.txt", "g/x/d.md", "g/x/y/e.md"])
      await writeFile(inWorkspace(name), "");
    await symlink(at("outside"), inWorkspace("g/linked"));
    expect(await found("*.md")).toEqual({ files: ["g/a.md", "g/b.md"] });
    expect(await found("**/*.md")).toEqual({
      files: ["g/a.md", "g/b.md", "g/x/d.md", "g/x/y/e.md"],
    });
    expect(await found("x/*.md")).toEqual({ files: ["g/x/d.md"] });
    expect(await found("g/{a,b}.*", ".")).toEqual({ files: ["g/a.md", "g/b.md"] });
    expect(await found("**/secret.txt")).toEqual({ files: [] });
    expect(await found("*.csv", at("extra"))).toEqual({ files: [at("extra", "table.csv")] });
    expect(await found("*", "nowhere")).toEqual({ files: [] });
    for (const pattern of ["../*", "/etc/*", "a/../../*"])
      expect((await failure(found(pattern))).code).toBe("invalid");
  });
});

describe("file_move", () => {
  test("moves files and folders, and overwrites only when told to", async () => {
    await writeFile(inWorkspace("from.txt"), "from");
    await writeFile(inWorkspace("taken.txt"), "taken");
    expect(await failure(move("from.txt", "taken.txt"))).toEqual({
      code: "tool_failed",
      message: "There is a file taken.txt already.",
      fix: "Use another dest, or overwrite: true.",
    });
    expect(await readFile(inWorkspace("taken.txt"), "utf8")).toBe("taken");
    expect(await move("from.txt", "taken.txt", true)).toEqual({
      source: "from.txt",
      dest: "taken.txt",
    });
    expect(await readFile(inWorkspace("taken.txt"), "utf8")).toBe("from");
    expect(await move("taken.txt", "m/n/last.txt")).toMatchObject({ dest: "m/n/last.txt" });
    expect(existsSync(inWorkspace("taken.txt"))).toBe(false);
    await move("m", "moved-folder");
    expect(await readFile(inWorkspace("moved-folder/n/last.txt"), "utf8")).toBe("from");
    await mkdir(inWorkspace("other-folder"));
    expect((await failure(move("moved-folder", "other-folder"))).code).toBe("tool_failed");
    expect(await failure(move("none", "p/q"))).toMatchObject({ message: "There is no file none." });
    expect(existsSync(inWorkspace("p"))).toBe(false);
  });

  test("moves no folder that leads to what is off limits, nor the workspace", async () => {
    await mkdir(inWorkspace("q/r/secrets"), { recursive: true });
    const deps = { protectedPaths: [inWorkspace("q/r/secrets")] };
    for (const source of ["q", "q/r", ".", at("extra")]) {
      const moved = world.call("file_move", { source, dest: at("extra", "s") }, { deps });
      expect([source, (await failure(moved)).code]).toEqual([source, "forbidden"]);
    }
    expect(existsSync(inWorkspace("q/r/secrets"))).toBe(true);
  });
});
