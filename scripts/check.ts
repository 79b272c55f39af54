/**
 * `bun run check`: everything that can be said about the sources without running the product. The same
 * for people, hooks and CI.
 */
export const CHECKS = [
  { name: "types", command: ["tsc"] },
  { name: "lint", command: ["oxlint"] },
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "dead code", command: ["knip"] },
  { name: "generated files", command: ["scripts/generate.ts", "--check"] },
] as const;

/** @returns whether it passed; prints what it found. */
export async function runCheck(check: (typeof CHECKS)[number]): Promise<boolean> {
  const [first, ...rest] = check.command;
  const argv = first.endsWith(".ts") ? [first, ...rest] : ["x", "--bun", first, ...rest];
  const child = Bun.spawn([process.execPath, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${check.name}`);
  if (code !== 0) console.log(stdout + stderr);
  return code === 0;
}

if (import.meta.main) {
  const results = [];
  for (const check of CHECKS) results.push(await runCheck(check));
  const tidy = Bun.spawnSync([process.execPath, "test", "tests/tidy"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.exit(results.every(Boolean) && tidy.exitCode === 0 ? 0 : 1);
}
