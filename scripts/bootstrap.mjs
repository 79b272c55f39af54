/**
 * The one script that needs nothing but Node or Bun: gets the pinned Bun and the packages, then hands
 * over to a script in TypeScript. JavaScript, because Node 20 runs no TypeScript.
 *
 *   node scripts/bootstrap.mjs scripts/start.ts [arguments]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** The types are released with Bun, version for version. */
const bunVersion = devDependencies["bun-types"];
const toolFolder = join(root, ".tools", "bun");

const bun = findBun() ?? installBun();
if (run(bun, ["install", "--frozen-lockfile", "--silent"]) !== 0) process.exit(1);
const [script, ...rest] = process.argv.slice(2);
process.exitCode = run(bun, [script, ...rest]);

/** This process, the one on the PATH, or the one that an earlier call installed; only in the pinned version. */
function findBun() {
  return [process.versions.bun ? process.execPath : "bun", ...installed()].find(isPinned);
}

function isPinned(command) {
  const child = spawnSync(command, ["--version"], { encoding: "utf8" });
  return child.status === 0 && child.stdout.trim() === bunVersion;
}

/** The platform packages carry the executable itself, so no install script has to run. */
function installed() {
  const scope = join(toolFolder, "node_modules", "@oven");
  if (!existsSync(scope)) return [];
  return readdirSync(scope).flatMap((name) =>
    ["bun", "bun.exe"]
      .map((file) => join(scope, name, "bin", file))
      .filter((path) => existsSync(path)),
  );
}

function installBun() {
  console.log(`Installing Bun ${bunVersion} into .tools/bun ...`);
  mkdirSync(toolFolder, { recursive: true });
  writeFileSync(join(toolFolder, "package.json"), '{"private":true}');
  const packages = [`bun@${bunVersion}`];
  if (process.versions.bun) {
    run(process.execPath, ["add", "--cwd", toolFolder, ...packages]);
  } else {
    run(process.platform === "win32" ? "npm.cmd" : "npm", [
      "install",
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--prefix",
      toolFolder,
      ...packages,
    ]);
  }
  const found = installed().find(isPinned);
  if (found === undefined) {
    throw new Error(
      `Bun ${bunVersion} could not be installed: no package of it runs on this machine.`,
    );
  }
  return found;
}

function run(command, argv) {
  const child = spawnSync(command, argv, {
    cwd: root,
    stdio: "inherit",
    // npm.cmd is a batch file, which only a shell can start.
    shell: command.endsWith(".cmd"),
    env: { ...process.env, PATH: pathWith(command) },
  });
  if (child.error) throw child.error;
  return child.status ?? 1;
}

/** Scripts and tests start `bun` by name: the pinned one comes first. */
function pathWith(command) {
  const separator = process.platform === "win32" ? ";" : ":";
  return command.includes(".tools")
    ? `${dirname(command)}${separator}${process.env.PATH ?? ""}`
    : (process.env.PATH ?? "");
}
