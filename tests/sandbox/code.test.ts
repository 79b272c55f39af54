import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CodeNode, SandboxLimits } from "../../src/domain/workflow.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { newTag, tagged, until } from "../process/support.ts";
import { failureOf, makePlace, MIBIBYTE, openPorts, SANDBOX_MISSING, spec } from "./support.ts";

const confined = SANDBOX_MISSING === undefined;

interface Call {
  readonly inputs?: JsonObject;
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
  readonly files?: Readonly<Record<string, string>>;
}

/** @returns the result, or the failure's code, message and fix; and what was printed. */
async function run(language: CodeNode["language"], code: string, call: Call = {}) {
  await using place = await makePlace();
  for (const [name, text] of Object.entries(call.files ?? {}))
    await writeFile(join(place.workspace, name), text);
  let printed = "";
  const outcome: unknown = await openPorts(place)
    .code.run(
      { language, code, sandbox: spec(call.limits) },
      {
        inputs: call.inputs ?? {},
        idempotencyKey: "run/step/1",
        signal: call.signal ?? new AbortController().signal,
        onOutput: (stream, text) => (printed += `${stream}: ${text}`),
      },
    )
    .catch((error: unknown) => error);
  return { outcome, printed };
}

const python = async (code: string, call?: Call) => (await run("python", code, call)).outcome;
const javascript = async (code: string, call?: Call) =>
  (await run("javascript", code, call)).outcome;
const failed = (message: string, fix?: string) =>
  expect.objectContaining({ code: "code_failed", message, ...(fix === undefined ? {} : { fix }) });

describe.skipIf(!confined)("python code", () => {
  test("has its inputs as a dict and as variables, and leaves a result", async () => {
    expect(
      await python("result = {'sum': a + inputs['b'], 'all': sorted(inputs)}", {
        inputs: { a: 2, b: 3.5, "not a name": null },
      }),
    ).toEqual({ sum: 5.5, all: ["a", "b", "not a name"] });
  });

  test("keeps every JSON value", async () => {
    const inputs = { result: [null, true, 1, -2.5, "é\u2028😀", [], {}, { a: [{ b: 1 }] }] };
    expect(await python("", { inputs })).toEqual(inputs.result);
    expect(await python("result = (1, ('a',)), {1: 2}")).toEqual([[1, ["a"]], { "1": 2 }]);
  });

  test("prints beside its result, and knows its idempotency key", async () => {
    const code =
      "import os, sys\nprint('out', os.environ['AGENTS_IDEMPOTENCY_KEY'])\nsys.stderr.write('err')\nresult = None";
    const { outcome, printed } = await run("python", code);
    expect(outcome).toBeNull();
    expect(printed).toContain("out");
    expect(printed).toContain("run/step/1");
    expect(printed).toContain("stderr: err");
  });

  test("may import the standard library, start threads and processes, and exit", async () => {
    const code = [
      "import json, sqlite3, ssl, subprocess, threading, multiprocessing, time, sys",
      "got = []",
      "t = threading.Thread(target=lambda: got.append(1)); t.start(); t.join()",
      "threading.Thread(target=lambda: time.sleep(60)).start()",
      "q = multiprocessing.get_context('fork').Queue()",
      "p = multiprocessing.get_context('fork').Process(target=q.put, args=(2,)); p.start(); got.append(q.get()); p.join()",
      "got.append(subprocess.run(['echo', 'three'], capture_output=True, text=True).stdout)",
      "result = got",
      "sys.exit()",
    ].join("\n");
    expect(await python(code)).toEqual([1, 2, "three\n"]);
  });

  test("works in the workspace, and does not import from there", async () => {
    const files = { "data.txt": "42", "json.py": "raise Exception('taken from the workspace')" };
    expect(await python("import json\nresult = open('data.txt').read()", { files })).toBe("42");
  });

  test.each([
    [
      "x = 1\n\nresult = 1 / 0",
      "The code failed in line 3: ZeroDivisionError: division by zero",
      "Correct this line: result = 1 / 0",
    ],
    [
      "def f():\n  raise KeyError('k')\nf()",
      "The code failed in line 2: KeyError: 'k'",
      "Correct this line: raise KeyError('k')",
    ],
    [
      "import json\njson.loads('{')",
      "The code failed in line 2: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
      "Correct this line: json.loads('{')",
    ],
    [
      "x = 1\ny = = 2",
      "The code failed in line 2: SyntaxError: invalid syntax",
      "Correct this line: y = = 2",
    ],
    [
      "import nothing_there",
      "The code failed in line 1: ModuleNotFoundError: No module named 'nothing_there'",
      "Correct this line: import nothing_there",
    ],
    ["exit(3)", "The code failed in line 1: SystemExit: 3", "Correct this line: exit(3)"],
    [
      "def f(): f()\nf()",
      "The code failed in line 1: RecursionError: maximum recursion depth exceeded",
      "Correct this line: def f(): f()",
    ],
  ])("tells the line and the reason of a failure: %j", async (code, message, fix) => {
    expect(await python(code)).toEqual(failed(message, fix));
  });

  test("shows where it failed, without our own lines", async () => {
    const { printed } = await run("python", "def f():\n  raise ValueError('no')\nf()");
    expect(printed.replaceAll("stderr: ", "")).toBe(
      'Traceback (most recent call last):\n  File "<code>", line 3, in <module>\n  File "<code>", line 2, in f\nValueError: no\n',
    );
  });

  test.each([
    [
      "import datetime; result = {'a': [datetime.date(2026, 1, 1)]}",
      `result["a"][0] is of type datetime.date, which JSON cannot hold`,
    ],
    ["result = {1, 2}", "result is of type set, which JSON cannot hold"],
    ["result = b'x'", "result is of type bytes, which JSON cannot hold"],
    ["result = float('nan')", "result is nan, which JSON cannot hold"],
    ["result = [float('-inf')]", "result[0] is -inf, which JSON cannot hold"],
    ["result = 2 ** 60", "result is a whole number above 2^53, which JSON cannot hold exactly"],
    ["result = {(1, 2): 3}", "result has a key of type tuple, and keys must be text"],
    ["result = print", "result is of type builtin_function_or_method, which JSON cannot hold"],
    ["result = []\nresult.append(result)", `result${"[0]".repeat(201)} is nested too deeply`],
  ])("has a result refused that JSON cannot hold: %j", async (code, reason) => {
    expect(await python(code)).toEqual(failed(`The code's ${reason}.`));
  });

  test("is told when it left no result, or one that is too large", async () => {
    expect(await python("x = 1")).toEqual(failed("The code left no `result`."));
    expect(await python("import os; result = 1; os._exit(4)")).toEqual(
      failed("The code ended itself (exit code 4) and left no `result`."),
    );
    expect(await python("result = 'x' * (17 << 20)")).toEqual(
      failed("The code left a `result` that is too large."),
    );
  });

  test("is ended at its limits of time and memory", async () => {
    expect(await python("while True: pass", { limits: { timeMs: 500 } })).toMatchObject({
      code: "timeout",
    });
    expect(
      await python("x = bytearray(1 << 30)", { limits: { memoryBytes: 128 * MIBIBYTE } }),
    ).toMatchObject({
      code: "command_failed",
      message: "It needed more than 128 MiB of memory.",
    });
  });

  test("is ended by an abort, with all that it started", async () => {
    const tag = newTag();
    const cancel = new AbortController();
    const code = `import subprocess; subprocess.run(['sh', '-c', 'sleep 100; : ${tag}'])`;
    const work = python(code, { signal: cancel.signal });
    await until("it to run", () => tagged(tag).length > 0);
    cancel.abort("stop");
    expect(await work).toBe("stop");
    expect(tagged(tag)).toEqual([]);
  });

  test("cannot read the data folder, nor use the network", async () => {
    const code =
      "import socket\ntry: open('../agents.db')\nexcept OSError as e: a = e.strerror\ntry: socket.create_connection(('192.0.2.1', 80), 3)\nexcept OSError as e: b = e.strerror\nresult = [a, b]";
    expect(await python(code)).toEqual(["No such file or directory", "Network is unreachable"]);
  });
});

describe.skipIf(!confined)("javascript code", () => {
  test("has its inputs as an object and as constants, and leaves or returns a result", async () => {
    const inputs = { a: 2, class: 3, "not a name": null };
    expect(await javascript("result = [a, inputs.class]", { inputs })).toEqual([2, 3]);
    expect(await javascript("const result = a * 2 // end", { inputs })).toBe(4);
    expect(await javascript("if (a > 1) return { early: true };\nresult = 1", { inputs })).toEqual({
      early: true,
    });
    expect(await javascript("result = result + 1", { inputs: { result: 1 } })).toBe(2);
    expect(await javascript("const a = 5;\nreturn a", { inputs })).toBe(5);
    expect(await javascript("result = null")).toBeNull();
  });

  test("keeps every JSON value, and drops undefined members", async () => {
    const inputs = { x: [null, true, 1, -2.5, "é\u2028😀", [], {}, { a: [{ b: 1 }] }] };
    expect(await javascript("return [x, { gone: undefined }]", { inputs })).toEqual([inputs.x, {}]);
  });

  test("prints beside its result, and knows its idempotency key", async () => {
    const { outcome, printed } = await run(
      "javascript",
      "console.log('out', process.env.AGENTS_IDEMPOTENCY_KEY);\nreturn 1",
    );
    expect({ outcome, printed }).toEqual({ outcome: 1, printed: "stdout: out run/step/1\n" });
  });

  test("may wait, import what comes with the runtime, and not be changed by the workspace", async () => {
    const code =
      "const { readFile } = await import('node:fs/promises');\nconst { join } = require('node:path');\nreturn [await readFile('data.txt', 'utf8'), join('a', 'b'), process.env.FROM_FILE ?? null]";
    const files = {
      "data.txt": "42",
      ".env": "FROM_FILE=1",
      "bunfig.toml": 'preload = ["./evil.ts"]',
      "evil.ts": "process.exit(9)",
    };
    expect(await javascript(code, { files })).toEqual(["42", "a/b", null]);
  });

  test.each([
    [
      "\n\nnull.x",
      "The code failed in line 3: TypeError: null is not an object",
      "Correct this line: null.x",
    ],
    [
      "const f = () => {\n  throw new RangeError('no');\n};\nf()",
      "The code failed in line 2: RangeError: no",
      "Correct this line: throw new RangeError('no');",
    ],
    [
      "\nconst a = = 2;",
      "The code failed in line 2: SyntaxError: Unexpected =",
      "Correct this line: const a = = 2;",
    ],
    ["throw 'text'", "The code failed: It threw text", "Correct the code."],
    [
      "\nsetTimeout(() => { throw new Error('late') }, 1);\nawait new Promise(() => {})",
      "The code failed in line 2: Error: late",
      undefined,
    ],
    ["process.exit(2)", "The code ended itself (exit code 2) and left no `result`.", undefined],
    ["1", "The code left no `result`.", undefined],
    [
      "result = { a: [new Date()] }",
      `The code's result["a"][0] is of type Date, which JSON cannot hold.`,
      undefined,
    ],
    ["result = new Map()", "The code's result is of type Map, which JSON cannot hold.", undefined],
    [
      "result = [() => 1]",
      "The code's result[0] is of type function, which JSON cannot hold.",
      undefined,
    ],
    ["result = 1n", "The code's result is of type bigint, which JSON cannot hold.", undefined],
    ["result = [NaN]", "The code's result[0] is NaN, which JSON cannot hold.", undefined],
    [
      "result = [undefined]",
      "The code's result[0] is of type undefined, which JSON cannot hold.",
      undefined,
    ],
  ])("tells the line and the reason of a failure: %j", async (code, message, fix) => {
    const error = await javascript(code);
    expect(error).toMatchObject({ code: "code_failed", ...(fix === undefined ? {} : { fix }) });
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
  });

  test("is ended at its limits of time and memory", async () => {
    expect(await javascript("for (;;);", { limits: { timeMs: 500 } })).toMatchObject({
      code: "timeout",
    });
    const bomb = "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));";
    expect(await javascript(bomb, { limits: { memoryBytes: 256 * MIBIBYTE } })).toMatchObject({
      code: "command_failed",
      message: "It needed more than 256 MiB of memory.",
    });
  });

  test("cannot read the data folder, nor use the network", async () => {
    const code =
      "const fs = require('node:fs');\nconst told = [];\ntry { fs.readFileSync('../agents.db') } catch (e) { told.push(e.code) }\ntry { await fetch('http://192.0.2.1/') } catch (e) { told.push(e.code) }\nreturn told";
    expect(await javascript(code)).toEqual(["ENOENT", expect.any(String)]);
  });
});

test("createCodePort() runs nothing where there is no sandbox", async () => {
  await using place = await makePlace();
  const started: string[] = [];
  const { code } = openPorts(place, {
    machine: {
      which: () => undefined,
      startProgram: ({ command }) => {
        started.push(command.join(" "));
        throw new Error("started");
      },
    },
  });
  for (const language of ["python", "javascript"] as const) {
    const work = code.run(
      { language, code: "result = 1", sandbox: spec() },
      {
        inputs: {},
        idempotencyKey: "k",
        signal: new AbortController().signal,
        onOutput: () => {},
      },
    );
    expect(await failureOf(work)).toMatchObject({ code: "sandbox_unavailable" });
  }
  expect(started).toEqual([]);
});
