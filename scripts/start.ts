/** `npm start`: builds the executable when a source is newer, then runs it with the given arguments. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Glob } from "bun";

const executable = resolve(process.platform === "win32" ? "agents.exe" : "agents");
const builtAt = statSync(executable, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = new Glob("{src,views,drizzle,examples}/**/*");
const newest = Math.max(
  ...["build.ts", "package.json", ...sources.scanSync(".")].map((file) => statSync(file).mtimeMs),
);
if (newest > builtAt) {
  const build = Bun.spawnSync([process.execPath, "build.ts"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (build.exitCode !== 0) process.exit(build.exitCode);
}

const child = Bun.spawn([executable, "start", ...process.argv.slice(2)], {
  stdio: ["inherit", "inherit", "inherit"],
});
// The terminal sends Ctrl-C to the child too, which then stops in order; a signal sent only to this
// process is passed on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.exit(await child.exited);
