import { expect, test } from "bun:test";
import { RUN_STATES } from "../../src/domain/run.ts";

const DOC = await Bun.file("docs/execution.md").text();

test("docs/execution.md draws exactly the states that a run has", () => {
  const arrows = [...DOC.matchAll(/^ {4}(\S+) --> ([^\s:]+)/gm)];
  const names = new Set(arrows.flatMap(([, from = "", to = ""]) => [from, to]));
  expect(names).toEqual(new Set(["[*]", ...RUN_STATES]));
});

test("docs/execution.md names only files and limits that exist", async () => {
  const files = [...DOC.matchAll(/`([a-z-]+\.ts)`/g)].map(([, name = ""]) => name);
  const sources = [...new Bun.Glob("{src,tests}/engine/**/*.ts").scanSync(".")];
  expect(files.filter((file) => !sources.some((path) => path.endsWith(`/${file}`)))).toEqual([]);
  const code = await Promise.all(
    [...sources, "src/domain/run.ts", "src/domain/tool.ts"]
      .filter((path) => path.startsWith("src/"))
      .map((path) => Bun.file(path).text()),
  );
  const limits = [...DOC.matchAll(/`([A-Z_]+)`/g)].map(([, name = ""]) => name);
  expect(limits.filter((limit) => !code.join("").includes(`const ${limit} `))).toEqual([]);
});
