/**
 * `npm test`: installs what the tests need, checks the sources, builds the executable and runs every
 * test against it. The last line is `N passed, N failed`; tests that could not run here are listed
 * before it and counted as skipped.
 *
 *   bun scripts/test.ts [path …]    only the tests below these paths, without the checks
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CHECKS, runCheck } from "./check.ts";
import { installTestTools } from "./install-test-tools.ts";

const paths = process.argv.slice(2);
let passed = 0;
let failed = 0;

const tools = await installTestTools();
if (paths.length === 0) {
  for (const check of CHECKS) count(await runCheck(check));
}
const build = Bun.spawnSync([process.execPath, "build.ts"], {
  stdio: ["ignore", "inherit", "inherit"],
});
count(build.exitCode === 0);
const skipped = await runTests();

for (const name of skipped) console.log(`skipped: ${name}`);
if (skipped.length > 0) console.log(`${skipped.length} skipped: they cannot run on this machine.`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function count(ok: boolean): void {
  if (ok) passed += 1;
  else failed += 1;
}

/** @returns the names of the skipped tests. */
async function runTests(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "agents-junit-"));
  const report = join(folder, "junit.xml");
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--timeout=120000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...paths,
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...tools, AGENTS_EXE: resolve(executableName()) },
    },
  );
  const code = await child.exited;
  const xml = await Bun.file(report)
    .text()
    .catch(() => "");
  await rm(folder, { recursive: true, force: true });
  const total = (name: string) =>
    Number(new RegExp(`<testsuites[^>]* ${name}="(\\d+)"`).exec(xml)?.[1] ?? 0);
  const skippedCount = total("skipped");
  failed += total("failures");
  passed += total("tests") - total("failures") - skippedCount;
  // A crash or an error outside a test leaves no failure in the report.
  if (code !== 0 && failed === 0) failed += 1;
  return [...xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)].map(
    ([, name = ""]) => name,
  );
}

function executableName(): string {
  return process.platform === "win32" ? "agents.exe" : "agents";
}
