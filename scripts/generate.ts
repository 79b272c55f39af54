/**
 * Writes the files that are made from the code: `bun scripts/generate.ts`. With `--check` it changes
 * nothing and fails when one of them differs.
 */
import { commandLineDocument } from "../src/cli/documentation.ts";
import { COMMANDS } from "../src/cli/registry.ts";
import { envText } from "../src/config/env-text.ts";
import { workflowJsonSchema } from "../src/language/schema-json.ts";
import { errorReference } from "./generate/error-reference.ts";
import { jsonText } from "./generate/json-text.ts";
import { toolReference } from "./generate/tool-reference.ts";
import { workflowReference } from "./generate/workflow-reference.ts";

export const GENERATED: readonly { readonly file: string; readonly text: () => string }[] = [
  { file: ".env.example", text: envText },
  {
    file: "docs/cli.md",
    text: () => commandLineDocument(COMMANDS.map(({ definition }) => definition)),
  },
  { file: "docs/errors.md", text: errorReference },
  { file: "docs/tools.md", text: toolReference },
  { file: "docs/workflow-reference.md", text: workflowReference },
  { file: "docs/workflow.schema.json", text: () => jsonText(workflowJsonSchema()) },
];

/** The files that are not what the code makes of them. */
export async function staleFiles(root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const { file, text } of GENERATED) {
    const current = Bun.file(`${root}/${file}`);
    if (!(await current.exists()) || (await current.text()) !== text()) stale.push(file);
  }
  return stale;
}

if (import.meta.main) {
  const root = `${import.meta.dir}/..`;
  const stale = await staleFiles(root);
  if (process.argv.includes("--check")) {
    for (const file of stale) console.log(`${file} is not up to date: bun scripts/generate.ts`);
    process.exit(stale.length === 0 ? 0 : 1);
  }
  for (const { file, text } of GENERATED) await Bun.write(`${root}/${file}`, text());
  console.log(stale.length === 0 ? "Nothing to do." : `Wrote ${stale.join(", ")}.`);
}
