/** Python for `code` nodes: the machine's own interpreter, and the program that runs the author's code in it. */
import { existsSync } from "node:fs";
import { readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../domain/error.ts";
import type { Readable } from "./confinement.ts";
import { ask } from "./program.ts";
import type { Machine } from "./program.ts";
import { isInside } from "./workspace.ts";

const PROBE_TIMEOUT_MS = 10_000;
const LINK_COUNT_MAX = 40;
/** Seen inside anyway. */
const SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store", "/gnu/store"];
/** What a Python uses of the folder that it is installed in; that folder may hold other things. */
const PREFIX_PARTS = ["bin", "lib", "lib64", "ssl", "pyvenv.cfg"];
const PROBE = "import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))";

export interface Interpreter {
  readonly path: string;
  readonly readable: readonly Readable[];
}

/**
 * The machine's `python3`. One that is installed elsewhere than below /usr (pyenv, uv, venv) comes with the
 * folders that it needs.
 * @param hidden Folders that no interpreter may bring inside: the data folder, the home folder.
 * @throws AppError `not_found`.
 */
export async function findPython(
  machine: Machine,
  hidden: readonly string[],
): Promise<Interpreter> {
  const found = machine.which("python3");
  if (found === undefined) throw noPython("Python (python3) is not installed.");
  const answer = await ask(machine, [found, "-I", "-c", PROBE], PROBE_TIMEOUT_MS);
  const places = answer?.code === 0 ? readPlaces(answer.stdout) : undefined;
  if (places === undefined) throw noPython(`${found} does not work.`, answer?.stderr);
  const [executable, prefix = "", basePrefix = prefix] = places;
  // A virtual environment is known by the path of its python; any other python is where the links lead.
  const path = prefix === basePrefix ? await realpath(executable) : executable;
  const prefixes = [prefix, basePrefix];
  const real = await Promise.all(prefixes.map((folder) => realpath(folder)));
  const parts = [...new Set([...prefixes, ...real])].flatMap((folder) =>
    PREFIX_PARTS.map((part) => join(folder, part)),
  );
  const folders = parts.filter((part) => !isSystem(part) && existsSync(part));
  const links = (await linksOf(path)).filter(
    (link) => !isSystem(link) && !folders.some((folder) => isInside(link, folder)),
  );
  const needed = [...folders, ...links];
  const tooWide = needed.find((part) => hidden.some((place) => isInside(place, part)));
  if (tooWide !== undefined) throw noPython(`${found} uses ${tooWide}, which is not to be seen.`);
  return { path, readable: needed.map((part) => ({ source: part, target: part })) };
}

function isSystem(path: string): boolean {
  return SYSTEM_FOLDERS.some((folder) => isInside(path, folder));
}

/** A path and all that it leads to through links. */
async function linksOf(path: string): Promise<string[]> {
  const links = [path];
  for (let at = path; links.length < LINK_COUNT_MAX;) {
    // Each link is read in the one before.
    // oxlint-disable-next-line no-await-in-loop
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) break;
    at = resolve(dirname(at), target);
    links.push(at);
  }
  return links;
}

function readPlaces(text: string): readonly [string, ...string[]] | undefined {
  let places: unknown;
  try {
    places = JSON.parse(text);
  } catch {
    // Something else than our question was answered.
    return undefined;
  }
  if (!Array.isArray(places)) return undefined;
  const [first, ...rest] = places.filter((place) => typeof place === "string");
  return first === undefined ? undefined : [first, ...rest];
}

function noPython(message: string, details?: string): AppError {
  return new AppError("not_found", message, {
    fix: "Install Python 3 so that `python3` is on the PATH, outside of the data folder.",
    ...(details === undefined ? {} : { cause: new Error(details) }),
  });
}

/**
 * Reads {code, inputs} from standard input and writes what came of it as JSON to the place named by its
 * argument. Printed text goes the usual ways. Ends at once, also when threads are left.
 */
export const PYTHON_HARNESS = `
import json, os, sys, traceback

NAME = "<code>"
SAFE = 2 ** 53 - 1

class Refused(Exception):
    pass

def plain(value, place, depth):
    if depth > 200:
        raise Refused(place + " is nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > SAFE:
            raise Refused(place + " is a whole number above 2^53, which JSON cannot hold exactly")
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise Refused(place + " is " + repr(float(value)) + ", which JSON cannot hold")
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, place + "[" + str(i) + "]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            if isinstance(key, int) and not isinstance(key, bool):
                key = str(int(key))
            if not isinstance(key, str):
                raise Refused(place + " has a key of type " + kind(key) + ", and keys must be text")
            out[str(key)] = plain(item, place + "[" + json.dumps(key) + "]", depth + 1)
        return out
    raise Refused(place + " is of type " + kind(value) + ", which JSON cannot hold")

def kind(value):
    t = type(value)
    return t.__qualname__ if t.__module__ == "builtins" else t.__module__ + "." + t.__qualname__

def line_of(error):
    if isinstance(error, SyntaxError) and error.filename == NAME:
        return error.lineno
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == NAME:
            line = number
    return line

def show(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != NAME:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)

def failed(error):
    message = type(error).__name__
    text = (error.msg if isinstance(error, SyntaxError) else str(error)).strip()
    return {"error": message + (": " + text if text else ""), "line": line_of(error)}

def run(job):
    inputs = job["inputs"]
    names = {name: value for name, value in inputs.items() if name.isidentifier() and not name.startswith("__")}
    scope = {"__name__": "__main__", **names, "inputs": inputs}
    try:
        exec(compile(job["code"], NAME, "exec", dont_inherit=True), scope)
    except SystemExit as error:
        if error.code not in (None, 0):
            return {"error": "SystemExit: " + repr(error.code), "line": line_of(error)}
    except MemoryError as error:
        return {"memory": True, "line": line_of(error)}
    except BaseException as error:
        show(error)
        return failed(error)
    if "result" not in scope:
        return {"missing": True}
    try:
        return {"result": plain(scope["result"], "result", 0)}
    except Refused as error:
        return {"refused": str(error)}

def main():
    target = sys.argv[1]
    out = os.fdopen(int(target), "wb") if target.isdigit() else open(target, "wb")
    os.set_inheritable(out.fileno(), False)
    end = os._exit
    dumps = json.dumps
    answer = run(json.loads(sys.stdin.buffer.read().decode("utf-8")))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    out.write(dumps(answer).encode("utf-8"))
    out.close()
    end(0)

main()
`;

/** @param path The interpreter as seen inside. */
export function pythonCommand(path: string, resultPlace: string): readonly string[] {
  // Isolated from variables, user packages and the folder it runs in; text is UTF-8; output comes at once.
  return [path, "-I", "-u", "-X", "utf8", "-c", PYTHON_HARNESS, resultPlace];
}
