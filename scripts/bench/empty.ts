import { join } from "node:path";

/** What every figure is compared with: a compiled Bun program that only serves "ok". */
const SOURCE = `
if (process.argv.includes("serve")) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv.at(-1)), fetch: () => new Response("ok") });
  console.log(server.url.href);
}
`;

/** Compiles the empty program. @returns its path. */
export async function buildEmpty(folder: string): Promise<string> {
  const source = join(folder, "empty.ts");
  await Bun.write(source, SOURCE);
  const outfile = join(folder, process.platform === "win32" ? "empty.exe" : "empty");
  const result = await Bun.build({ entrypoints: [source], minify: true, compile: { outfile } });
  if (!result.success) throw new AggregateError(result.logs, "the empty program does not build");
  return outfile;
}
