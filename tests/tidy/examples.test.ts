import { expect, test } from "bun:test";
import { Glob } from "bun";
import { EXAMPLES } from "../../examples/index.ts";

test("every workflow file in examples/ is embedded, each with a description", async () => {
  const files = [...new Glob("*.yaml").scanSync("examples")].toSorted();
  expect(EXAMPLES.map(({ file }) => file).toSorted()).toEqual(files);
  for (const { file, source, description } of EXAMPLES) {
    expect(source).toBe(await Bun.file(`examples/${file}`).text());
    expect(description, file).not.toBe("");
  }
});
