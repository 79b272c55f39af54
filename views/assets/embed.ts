/**
 * Build-time code: runs as a Bun macro (`with { type: "macro" }`), in `bun run`, `bun test` and
 * `bun build --compile` alike. What it returns becomes literals in the importing module, so the
 * executable neither bundles, hashes nor compresses anything when it starts, and no generated file
 * has to be kept.
 *
 * The browser gets ONE script. htmx starts by itself once the document is interactive; an extension
 * that arrives in a second file can be too late, and its stream then never opens.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where the compressed files are put, which `views/assets.ts` imports. They are looked for after the macros of the
 * importing module have run: as literals they would be in the executable twice, in code and in bytecode.
 */
const PACKED_FOLDER = join(import.meta.dir, "packed");

/** Each packs one asset, and gives the hash of its content. */
export function embedClient(): string {
  const transpiler = new Bun.Transpiler({ loader: "js", minifyWhitespace: true });
  // Each in its own scope: classic scripts in one file share their top level.
  const apps = ["client.js", "keys.js"].map(
    (file) => `(() => {${transpiler.transformSync(readText(file))}})();`,
  );
  return pack(
    "client.js",
    [
      readPackage(import.meta.resolve("htmx.org/dist/htmx.min.js")),
      readPackage(import.meta.resolve("htmx.org/dist/ext/hx-sse.min.js")),
      ...apps,
    ].join("\n;"),
  );
}

/**
 * The YAML editor with the packages it is made of. Bundled by a process of its own, because a macro runs inside
 * of a build and cannot start another.
 */
export function embedEditor(): string {
  const entry = join(import.meta.dir, "editor/editor.js");
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, "build", entry, "--minify", "--format=esm", "--target=browser"],
    { stdout: "pipe", stderr: "pipe" },
  );
  if (exitCode !== 0) throw new Error(`the editor cannot be bundled: ${stderr.toString()}`);
  return pack("editor.js", stdout.toString());
}

/** In this order, which is that of equally strong rules. Layers are ordered at the top of the first. */
const STYLE_FILES = [
  "base",
  "layout",
  "controls",
  "text",
  "lists",
  "run",
  "tiles",
  "tables",
  "charts",
  "motion",
  "chat",
  "result",
  "answer",
  "call-card",
  "diff",
  "runs",
  "schedules",
  "agents",
  "search",
  "settings",
  "metrics",
  "logs",
  "workflows",
  "editor",
  "api",
];

/** One style sheet of all files in `style/`, with the content hash of each font in its address. */
export function embedStyle(): string {
  const text = STYLE_FILES.map((name) => readText(`style/${name}.css`)).join("\n");
  const css = text.replaceAll(
    /url\("(?<file>[a-z]+\.woff2)"\)/g,
    (_, file: string) => `url("${file}?v=${fileHash(file)}")`,
  );
  return pack("app.css", css);
}

export function embedText(file: string): string {
  return pack(file, readText(file));
}

export function fileHash(file: string): string {
  return hash(readFileSync(join(import.meta.dir, file)));
}

function readText(file: string): string {
  return readFileSync(join(import.meta.dir, file), "utf8");
}

function readPackage(url: string): string {
  const text = readFileSync(fileURLToPath(url), "utf8");
  return text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "");
}

function pack(name: string, text: string): string {
  const gzip = Bun.gzipSync(Buffer.from(text), { level: 9 });
  const file = join(PACKED_FOLDER, `${name}.gz`);
  if (!existsSync(file) || Bun.hash(readFileSync(file)) !== Bun.hash(gzip)) {
    mkdirSync(PACKED_FOLDER, { recursive: true });
    // By a rename: other tests may read it just now.
    const made = `${file}.${process.pid}`;
    writeFileSync(made, gzip);
    renameSync(made, file);
  }
  return hash(text);
}

function hash(content: string | Uint8Array): string {
  return Bun.hash(content).toString(36).padStart(13, "0");
}
