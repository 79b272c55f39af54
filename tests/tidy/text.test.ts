/** Words that may not appear, each with its reason and the only places where it may. */
import { expect, test } from "bun:test";
import { Glob } from "bun";

const CODE = [
  ...new Glob("{src,views,drizzle,tests,scripts,examples}/**/*.{ts,tsx,mjs}").scanSync("."),
  "build.ts",
];
const PROSE = [
  ...new Glob("{*.md,docs/**/*.md,examples/*,.github/**/*,.env.example,.ci/*}").scanSync({
    cwd: ".",
    dot: true,
  }),
];

interface Ban {
  readonly word: RegExp;
  readonly reason: string;
  readonly allow?: RegExp;
  readonly files: readonly string[];
}

const BANNED: readonly Ban[] = [
  { word: /\bFIXME\b|\bTODO\b(?!\(#\d+\))/, reason: "finish it before it lands", files: CODE },
  {
    word: /process\.exit\(/,
    reason: "only main.ts and scripts end the process",
    allow: /^(src\/main\.ts|scripts\/|tests\/)/,
    files: CODE,
  },
  {
    word: /process\.env\b/,
    reason: "read src/config",
    allow: /^(src\/config\/|tests\/|scripts\/|build\.ts)/,
    files: CODE,
  },
  {
    word: /Bun\.spawn/,
    reason: "use src/process",
    // What runs in a build is no part of the product.
    allow: /^(src\/process\/|tests\/|scripts\/|build\.ts|views\/assets\/embed\.ts)/,
    files: CODE,
  },
  {
    word: /Date\.now\(\)|new Date\(\)/,
    reason: "take a Clock",
    allow: /^(src\/lib\/clock\.ts|tests\/|scripts\/)/,
    files: CODE,
  },
  {
    word: /style=["{]|hx-on|hx-vals='js:/,
    reason: "blocked by the CSP",
    allow: /^tests\//,
    files: CODE,
  },
  // Assembled, so that this file does not find itself.
  {
    word: new RegExp(["/wo", "rk/(main|shared)|/ro", "ot/[.a-z]"].join("")),
    reason: "no machine paths",
    files: [...CODE, ...PROSE],
  },
];

for (const { word, reason, allow, files } of BANNED) {
  test(`${word.source}: ${reason}`, async () => {
    const hits: string[] = [];
    for (const file of files) {
      if (file === "tests/tidy/text.test.ts" || allow?.test(file)) continue;
      const lines = (await Bun.file(file).text()).split("\n");
      lines.forEach((line, index) => {
        if (word.test(line)) hits.push(`${file}:${index + 1}: ${line.trim()}`);
      });
    }
    expect(hits).toEqual([]);
  });
}

const shared = [...new Glob("../shared/workflows/**/*.yaml").scanSync(".")];
if (shared.length === 0)
  console.warn(
    "SKIPPED: ../shared/workflows is not here, so copies of its files are not looked for.",
  );

test.skipIf(shared.length === 0)(
  "nothing of the replaced systems' workflow files is in the repository",
  async () => {
    const theirs = new Set(await Promise.all(shared.map((file) => Bun.file(file).text())));
    const ours = [...new Glob("{examples,tests}/**/*").scanSync(".")];
    for (const file of ours) expect(theirs.has(await Bun.file(file).text()), file).toBe(false);
  },
);
