/**
 * Other engines that the same graphs are executed on: LangGraph with its SqliteSaver (Python) and Mastra with a
 * libSQL file, each as it is documented to be used. They are installed below `.tools`, with pinned versions.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Contender } from "./race.ts";

const TOOLS = resolve(".tools");
const MASTRA_PACKAGES = {
  "@mastra/core": "1.71.0",
  "@mastra/libsql": "1.23.1",
  zod: "4.6.7",
};

/** Those that can be had on this machine; says why the others cannot. */
export async function installContenders(): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const install of [installLangGraph, installMastra]) {
    try {
      contenders.push(await install());
    } catch (error) {
      // Without a network or Python our own figures still stand.
      console.error(`${install.name.replace("install", "")} is left out: ${String(error)}`);
    }
  }
  return contenders;
}

async function installLangGraph(): Promise<Contender> {
  const folder = join(TOOLS, "langgraph");
  const python = join(folder, "bin", "python");
  const requirements = join(import.meta.dir, "langgraph", "requirements.txt");
  await installOnce(folder, await Bun.file(requirements).text(), async () => {
    await run(["python3", "-m", "venv", folder]);
    await run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]);
  });
  return {
    name: "LangGraph",
    // Waiting for the database and the interpreter's lock, threads gain nothing: measured with 1, 4 and 16.
    concurrency: 1,
    stepCounts: { chain: 1_200, fork: 1_200, map: 2_400 },
    synchronous: ["FULL", "NORMAL"],
    command: [python, join(import.meta.dir, "langgraph", "worker.py")],
  };
}

async function installMastra(): Promise<Contender> {
  const folder = join(TOOLS, "mastra");
  const source = await Bun.file(join(import.meta.dir, "mastra", "worker.mjs")).text();
  const packages = JSON.stringify({ private: true, type: "module", dependencies: MASTRA_PACKAGES });
  await installOnce(folder, packages, async () => {
    await Bun.write(join(folder, "package.json"), packages);
    await run([process.execPath, "install", "--cwd", folder]);
  });
  // Beside its packages, so that they are found.
  const worker = join(folder, "worker.mjs");
  await Bun.write(worker, source);
  return {
    name: "Mastra",
    concurrency: 16,
    stepCounts: { chain: 3_000, fork: 3_000, map: 6_000 },
    // It asks for NORMAL, but each transaction opens a connection that has FULL again.
    synchronous: ["FULL"],
    command: [process.execPath, worker],
  };
}

/** A marker with what is wanted is written last: an installation that broke off is made again. */
async function installOnce(folder: string, wanted: string, install: () => Promise<void>) {
  const marker = Bun.file(join(folder, "installed"));
  if ((await marker.exists()) && (await marker.text()) === wanted) return;
  console.error(`installing into ${folder}`);
  await mkdir(folder, { recursive: true });
  await install();
  await marker.write(wanted);
}

async function run(argv: readonly string[]): Promise<void> {
  const child = Bun.spawn([...argv], { stdio: ["ignore", "ignore", "inherit"] });
  const code = await child.exited;
  if (code !== 0) throw new Error(`${argv.slice(0, 3).join(" ")} ended with ${code}`);
}
