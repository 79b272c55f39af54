/**
 * Installs what the tests need beside Bun and the packages: Chromium, shells, bubblewrap, MLflow and Schemathesis. What cannot be had on
 * this machine is said here, and its tests are skipped loudly.
 */
import { resolve } from "node:path";
import { installSchemathesis } from "./install-schemathesis.ts";

const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const CHROMIUM_PATHS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Their completion scripts are tried in them. */
const SHELLS = ["bash", "zsh", "fish"];

/** @returns the environment that tells the tests where the tools are. */
export async function installTestTools(): Promise<Record<string, string>> {
  const tools: Record<string, string> = {};
  const chromium = (await findChromium()) ?? installChromium();
  if (chromium === undefined)
    console.warn("Chromium cannot be had here: browser tests are skipped.");
  else tools["CHROMIUM_PATH"] = chromium;

  const shells = SHELLS.filter((name) => Bun.which(name) === null);
  if (shells.length > 0 && !installDebian(shells))
    console.warn(`Not to be had here: ${shells.join(", ")}. Their completion is not tried.`);

  if (process.platform === "linux" && Bun.which("bwrap") === null && !installDebian(["bubblewrap"]))
    console.warn("bubblewrap cannot be had here: tests of the sandbox are skipped.");

  const mlflow = resolve(".tools/mlflow");
  const install = Bun.spawnSync([process.execPath, "scripts/install-mlflow.ts", mlflow], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (install.exitCode === 0) tools["AGENTS_TEST_MLFLOW_DIR"] = mlflow;
  else console.warn("MLflow cannot be installed here: its tests are skipped.");

  const schemathesis = await installSchemathesis(resolve(".tools/schemathesis"));
  if (schemathesis === undefined)
    console.warn("Schemathesis cannot be installed here: the API is not fuzzed.");
  else tools["AGENTS_TEST_SCHEMATHESIS"] = schemathesis;
  return tools;
}

async function findChromium(): Promise<string | undefined> {
  const named = CHROMIUM_NAMES.map((name) => Bun.which(name)).find((path) => path !== null);
  if (named !== undefined && named !== null) return named;
  for (const path of CHROMIUM_PATHS) if (await Bun.file(path).exists()) return path;
  return undefined;
}

/** Debian only: elsewhere a browser is part of the machine. */
function installChromium(): string | undefined {
  return installDebian(["chromium"]) ? (Bun.which("chromium") ?? undefined) : undefined;
}

function installDebian(packages: readonly string[]): boolean {
  if (Bun.which("apt-get") === null) return false;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const steps = [["update"], ["install", "-y", "--no-install-recommends", ...packages]];
  return steps.every((argv) => {
    const child = Bun.spawnSync([...sudo, "apt-get", ...argv], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdout: "ignore",
      stderr: "inherit",
    });
    return child.exitCode === 0;
  });
}

if (import.meta.main) console.log(await installTestTools());
