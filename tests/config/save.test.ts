import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveEnvFile } from "../../src/config/save.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-save-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.skipIf(process.platform === "win32")(
  "saveEnvFile() changes the file that a symbolic link leads to, and keeps the link",
  async () => {
    const data = join(root, "data");
    const linked = join(root, "kept-elsewhere");
    await mkdir(data);
    await writeFile(linked, "# mine\nAGENTS_PORT=1\n");
    await symlink("../kept-elsewhere", join(data, ".env"));
    await saveEnvFile(data, { AGENTS_PORT: "2" });
    expect(await Bun.file(linked).text()).toBe("# mine\nAGENTS_PORT=2\n");
    expect((await lstat(join(data, ".env"))).isSymbolicLink()).toBe(true);
  },
);
