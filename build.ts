#!/usr/bin/env bun
/**
 * Compiles the executable and smoke-tests it.
 *
 *   bun build.ts                    ./agents for this machine
 *   bun build.ts --all              the eight targets with SHA-256 sums, into dist/
 *
 * The bundle is split so that model providers, the wizard and the web load only when they are used, and
 * compiled to bytecode, which halves the time to the first page (docs/benchmarks.md).
 * Nothing is read from the folder in which the executable runs: no .env, no bunfig.toml.
 */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import packageJson from "./package.json";

/** The executable may be at most this many times an empty program compiled for the same target. */
const SIZE_RATIO_MAX = 1.2;

const TARGETS = [
  "bun-linux-x64-baseline",
  "bun-linux-arm64",
  "bun-linux-x64-baseline-musl",
  "bun-linux-arm64-musl",
  "bun-darwin-x64-baseline",
  "bun-darwin-arm64",
  "bun-windows-x64-baseline",
  "bun-windows-arm64",
] as const;
type Target = (typeof TARGETS)[number];

/**
 * hono-openapi's helper would load all of zod by name, with every language. It never does, since
 * src/web/api/document.ts gives it what it needs, but the bundler cannot know: 320 KiB.
 */
const withoutWholeZod: BunPlugin = {
  name: "without-whole-zod",
  setup(build) {
    build.onResolve({ filter: /^zod\/v4\/core$/ }, ({ importer }) =>
      importer.includes("standard-json") ? { path: "whole-zod", namespace: "unused" } : undefined,
    );
    build.onLoad({ filter: /^whole-zod$/, namespace: "unused" }, () => ({
      contents: "export {};",
      loader: "js",
    }));
  },
};

/** The AI SDK finds models that are only named through a company's gateway. Ours are always given whole: 190 KiB. */
const withoutGateway: BunPlugin = {
  name: "without-gateway",
  setup(build) {
    build.onResolve({ filter: /^@ai-sdk\/gateway$/ }, () => ({
      path: "gateway",
      namespace: "none",
    }));
    build.onLoad({ filter: /^gateway$/, namespace: "none" }, () => ({
      contents: `
        const none = { isInstance: () => false };
        export { none as GatewayError, none as GatewayAuthenticationError };
        export const gateway = undefined;
        export const createGateway = () => undefined;`,
      loader: "js",
    }));
  },
};

/**
 * The MCP client checks what tools give by one of two validators. It takes the large one by itself, which writes code
 * and runs it; src/mcp/connect.ts gives it the other: 700 KiB.
 */
const withoutAjv: BunPlugin = {
  name: "without-ajv",
  setup(build) {
    build.onResolve({ filter: /^@modelcontextprotocol\/client\/_shims$/ }, () => ({
      path: "shims",
      namespace: "mcp",
    }));
    build.onLoad({ filter: /^shims$/, namespace: "mcp" }, () => ({
      contents: `
        export const CORS_IS_POSSIBLE = false;
        export const DefaultJsonSchemaValidator = undefined;`,
      loader: "js",
    }));
  },
};

/** Half a MiB of prices as a literal, and again in bytecode; packed they are 80 KiB, and sooner loaded. */
const PRICES = /[\\/]genai-prices[\\/]dist[\\/]index\.js$/;

/** Bun takes `minify` here as for a bundle, which its types do not say yet. */
const SMALLER: Bun.TranspilerOptions & { minify: Exclude<Bun.BuildConfig["minify"], boolean> } = {
  loader: "js",
  minifyWhitespace: true,
  minify: { whitespace: true, identifiers: true, syntax: true },
};

/**
 * Comments and white space of packages would be in the source maps that the executable carries: half a MiB. What
 * is ours stays as it is written, so that failures name its lines.
 */
const withoutComments: BunPlugin = {
  name: "without-comments",
  setup(build) {
    const transpiler = new Bun.Transpiler(SMALLER);
    build.onLoad({ filter: /[\\/]node_modules[\\/].*\.m?js$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const contents = transpiler.transformSync(PRICES.test(path) ? packTable(text) : text);
      return { contents, loader: "js" };
    });
  },
};

/** @throws Error when the package no longer begins with its table. */
function packTable(text: string): string {
  const start = "const E = ";
  const end = text.indexOf("\n]") + "\n]".length;
  // oxlint-disable-next-line typescript/no-implied-eval -- A literal of a pinned package, at build time.
  const table: unknown = new Function(`return ${text.slice(start.length, end)}`)();
  const json = JSON.stringify(table);
  if (!text.startsWith(start) || !Bun.deepEquals(JSON.parse(json), table, true))
    throw new Error("genai-prices has another form than build.ts knows");
  const packed = JSON.stringify(Bun.gzipSync(Buffer.from(json), { level: 9 }).toBase64());
  const unpack = `new TextDecoder().decode(Bun.gunzipSync(Uint8Array.fromBase64(${packed})))`;
  return `${start}JSON.parse(${unpack})${text.slice(end)}`;
}

const WINDOWS = process.platform === "win32";
const commit = await readCommit();

if (process.argv.includes("--all")) await buildAll();
else await buildHere(resolve(WINDOWS ? "agents.exe" : "agents"));

async function buildHere(outfile: string): Promise<void> {
  await compile("./src/main.ts", outfile);
  const ratio = await checkSize(outfile);
  await smokeTest(outfile);
  console.log(`${outfile}  ${mebibytes(outfile)} MiB, ${ratio.toFixed(3)} x an empty executable`);
}

async function buildAll(): Promise<void> {
  await rm("dist", { recursive: true, force: true });
  await mkdir("dist");
  const sums: string[] = [];
  for (const target of TARGETS) {
    const name = `agents-${target.replace("bun-", "").replace("-baseline", "")}`;
    const outfile = resolve("dist", target.includes("windows") ? `${name}.exe` : name);
    await compile("./src/main.ts", outfile, target);
    const ratio = await checkSize(outfile, target);
    const sum = new Bun.CryptoHasher("sha256").update(await Bun.file(outfile).arrayBuffer());
    sums.push(`${sum.digest("hex")}  ${outfile.slice(resolve("dist").length + 1)}`);
    console.log(`${outfile}  ${mebibytes(outfile)} MiB, ${ratio.toFixed(3)} x empty`);
  }
  await Bun.write("dist/SHA256SUMS", `${sums.join("\n")}\n`);
}

/**
 * Compiles in a folder of its own, where the source maps stay that the executable also carries inside,
 * and puts the result in place by one rename: one that runs just now is not disturbed.
 */
async function compile(entrypoint: string, outfile: string, target?: Target): Promise<void> {
  const folder = await mkdtemp(join(dirname(outfile), ".build-"));
  try {
    const made = join(folder, basename(outfile));
    await bundle(entrypoint, made, target);
    await rename(made, outfile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bundle(entrypoint: string, outfile: string, target?: Target): Promise<void> {
  const result = await Bun.build({
    entrypoints: [entrypoint],
    plugins: [withoutWholeZod, withoutGateway, withoutAjv, withoutComments],
    minify: true,
    splitting: true,
    sourcemap: "linked",
    bytecode: true,
    format: "esm",
    define: {
      AGENTS_VERSION: JSON.stringify(packageJson.version),
      AGENTS_COMMIT: JSON.stringify(commit),
      "process.env.NODE_ENV": '"production"',
    },
    compile: {
      ...(target === undefined ? {} : { target }),
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, "build failed");
}

/** @returns how many times larger than an empty program it is. */
async function checkSize(outfile: string, target?: Target): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "agents-empty-"));
  try {
    const source = join(folder, "empty.ts");
    await Bun.write(source, "");
    const empty = join(folder, outfile.endsWith(".exe") ? "empty.exe" : "empty");
    await compile(source, empty, target);
    const ratio = Bun.file(outfile).size / Bun.file(empty).size;
    if (ratio > SIZE_RATIO_MAX)
      throw new Error(`${outfile} is ${ratio.toFixed(3)} x empty, budget ${SIZE_RATIO_MAX}`);
    return ratio;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the result in an empty folder with an empty home: it must answer without any file beside it. */
async function smokeTest(outfile: string): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "agents-smoke-"));
  try {
    const file = join(home, "greeting.yaml");
    await Bun.write(file, Bun.file("examples/greeting.yaml"));
    for (const argv of [["--version"], ["help"], ["validate", file]]) {
      const child = Bun.spawnSync([outfile, ...argv], {
        cwd: home,
        env: { HOME: home, PATH: "" },
        stdout: "pipe",
        stderr: "pipe",
      });
      if (child.exitCode !== 0)
        throw new Error(`smoke test: agents ${argv.join(" ")} failed: ${child.stderr.toString()}`);
      if (argv[0] === "--version" && !child.stdout.toString().includes(packageJson.version))
        throw new Error("smoke test: --version does not print the version");
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function mebibytes(path: string): string {
  return (Bun.file(path).size / 1024 ** 2).toFixed(1);
}

async function readCommit(): Promise<string> {
  const git = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"], { stderr: "ignore" });
  return git.exitCode === 0 ? git.stdout.toString().trim() : "unknown";
}
