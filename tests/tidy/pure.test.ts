/** What the table of imports does not say: who may use the platform itself. */
import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { Glob } from "bun";

/** Of the platform, only what computes. */
const HARMLESS = /^Bun\.(?:inspect|stringWidth|hash|CryptoHasher)$/;

function platformUses(text: string): string[] {
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*["']((?:node:|bun)[^"']*)["']/g)];
  const calls = text.match(/\bBun\.\w+|(?<![.\w])fetch\(/g) ?? [];
  return [...imports.map(([, name = ""]) => name), ...calls.filter((call) => !HARMLESS.test(call))];
}

test("domain, engine and language touch no file, process or network", async () => {
  const faults: string[] = [];
  for (const file of new Glob("src/{domain,engine,language}/**/*.ts").scanSync(".")) {
    // The port Queue has a method of this name.
    const text = (await Bun.file(file).text()).replaceAll("fetch(worker", "");
    faults.push(...platformUses(text).map((use) => `${file}: ${use}`));
  }
  expect(faults).toEqual([]);
});

test("a planted use of the platform is found", () => {
  const text = `import { readFile } from "node:fs/promises";\nawait fetch("http://x"); Bun.file("y");`;
  expect(platformUses(text)).toEqual(["node:fs/promises", "fetch(", "Bun.file"]);
});

/** Every file that `entry` can load, at once or later. */
async function reachable(entry: string): Promise<Set<string>> {
  const found = new Set([entry]);
  for (const file of found) {
    const text = await Bun.file(file).text();
    const imports = text.matchAll(/(?<!["'\w])(?:from|import)\s*\(?\s*["'](\.[^"'\n]+)["']/g);
    for (const [, name = ""] of imports)
      if (/\.tsx?$/.test(name)) found.add(join(dirname(file), name));
  }
  return found;
}

/** Going back to a step reads a journal and says what to write; it executes nothing. */
const READS_JOURNALS = /^src\/engine\/(?:reopen|journal-order|key|shape)\.ts$/;

test("nothing that the dashboard loads can execute a step", async () => {
  const files = [...(await reachable("src/app/dashboard.ts"))];
  expect(files).toContain("src/web/app.ts");
  const engine = files.filter((file) => file.startsWith("src/engine/"));
  expect(engine.filter((file) => !READS_JOURNALS.test(file))).toEqual([]);
  expect([...(await reachable("src/app/worker.ts"))]).toContain("src/engine/attempt.ts");
});
