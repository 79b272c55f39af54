/** JavaScript for `code` nodes: this very executable as Bun, and the program that runs the author's code in it. */

/** Where the executable is seen inside of a sandbox. */
export const BUN_INSIDE = "/agents-runtime/bun";

/**
 * Reads {code, inputs} from standard input and writes what came of it as JSON to the place named by its
 * argument. The code is the body of an async function in a module of its own, begun on its first line, so that lines
 * count alike. A \`result\` that the code declares itself is found too: it is looked for where it ends.
 */
export const JAVASCRIPT_HARNESS = `
const { readFileSync, writeFileSync, writeSync } = require("node:fs");
const FILE = "/tmp/agents-code.mjs";
const target = process.argv.at(-1);
const place = /^[0-9]+$/.test(target) ? Number(target) : target;
const exit = process.reallyExit.bind(process);
const stringify = JSON.stringify;
const { code, inputs } = JSON.parse(readFileSync(0, "utf8"));
let told = false;
function tell(answer) {
  if (told) return;
  told = true;
  writeFileSync(place, stringify(answer));
}
class Refused extends Error {}
function plain(value, where, depth) {
  if (depth > 200) throw new Refused(where + " is nested too deeply");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Refused(where + " is " + value + ", which JSON cannot hold");
    return value;
  }
  if (Array.isArray(value)) return Array.from(value, (item, i) => plain(item, where + "[" + i + "]", depth + 1));
  if (typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, where + "[" + stringify(key) + "]", depth + 1)]));
    }
  }
  const kind = typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
  throw new Refused(where + " is of type " + kind + ", which JSON cannot hold");
}
function lineOf(error) {
  if (error?.position?.file === FILE) return error.position.line;
  const match = /agents-code\\.mjs:([0-9]+)/.exec(String(error?.stack ?? ""));
  return match === null ? null : Number(match[1]);
}
function failed(error) {
  const position = error?.position;
  if (position) return { error: "SyntaxError: " + error.message, line: lineOf(error) };
  if (error instanceof AggregateError && error.errors[0]?.position) return failed(error.errors[0]);
  if (!(error instanceof Error)) return { error: "It threw " + String(error), line: null };
  console.error(error.stack);
  return { error: error.name + (error.message === "" ? "" : ": " + error.message), line: lineOf(error) };
}
function isName(name) {
  if (name === "inputs" || name === "result" || !/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name)) return false;
  try {
    new Function('"use strict"; const ' + name + " = 0; async () => { const " + name + " = 0; }");
    return name !== "await";
  } catch {
    return false;
  }
}
process.on("exit", () => tell({ left: true }));
process.on("uncaughtException", (error) => {
  tell(failed(error));
  exit(0);
});
process.on("unhandledRejection", (error) => {
  tell(failed(error));
  exit(0);
});
async function run() {
  const names = Object.keys(inputs).filter(isName);
  const open = "export default async (inputs, ended) => { const {" + names.join(",") + "} = inputs; let result = inputs.result; " +
    "const returned = await (async () => { ";
  const close = "\\n; return ended(typeof result === 'undefined' ? undefined : result); })(); " +
    "return returned === undefined ? ended(result) : returned; };";
  writeFileSync(FILE, open + code + close);
  let atEnd;
  const ENDED = {};
  const module = await import(FILE);
  const returned = await module.default(inputs, (value) => ((atEnd = value), ENDED));
  const value = returned === ENDED ? atEnd : returned;
  return value === undefined ? { missing: true } : { result: plain(value, "result", 0) };
}
try {
  tell(await run());
} catch (error) {
  tell(error instanceof Refused ? { refused: error.message } : failed(error));
}
exit(0);
`;

/** @param path The executable as seen inside. */
export function javascriptCommand(path: string, resultPlace: string): readonly string[] {
  // What lies in the workspace (.env, bunfig.toml, packages to be fetched) has no say in how it runs.
  const options = ["--no-env-file", "--config=/dev/null", "--no-install"];
  return [path, ...options, "-e", JAVASCRIPT_HARNESS, resultPlace];
}
