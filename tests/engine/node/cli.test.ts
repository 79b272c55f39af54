/** CLI nodes with real processes. */
import { describe, expect, test } from "bun:test";
import type { CliNode } from "../../../src/domain/workflow.ts";
import { RunAborted } from "../../../src/engine/abort.ts";
import { cliNode } from "../../../src/engine/node/cli.ts";
import { BASE, createTestStep, failureOf, reasonOf } from "./harness.ts";
import { SANDBOX, spawnCommands } from "./spawn.ts";

const SECRET = "s3cret-value";

function node(changes: Partial<CliNode>): CliNode {
  return {
    ...BASE,
    kind: "cli",
    command: ["cat"],
    env: {},
    response: "text",
    sandbox: SANDBOX,
    outputs: [{ name: "said", type: { kind: "str" } }],
    ...changes,
  };
}

/** Values of the state must never reach the shell's text: it gets them as arguments. */
const sh = (script: string, ...rest: string[]) => ["sh", "-c", script, "sh", ...rest];

describe("cliNode", () => {
  test("execute() gives the prompt on standard input and the text without its end", async () => {
    const commands = spawnCommands();
    const step = createTestStep({ ports: { commands }, values: { topic: "tea" } });
    const result = await step.execute(cliNode, node({ prompt: "About {topic}.\n\n" }));
    expect(result).toEqual({ patch: { said: "About tea." } });
    expect(step.calls[0]?.request).toEqual({
      input: { command: ["cat"], stdin: "About tea.\n\n", env: {} },
      idempotencyKey: "run1/n/1.0",
    });
  });

  test("execute() puts the prompt where an argument says so, as one argument", async () => {
    const commands = spawnCommands();
    const step = createTestStep({ ports: { commands }, values: { topic: "$(id); 'x' \"y\"" } });
    const result = await step.execute(
      cliNode,
      node({
        command: sh('echo "$#|$1"; cat', "-p={prompt}"),
        prompt: "About {topic} and {prompt_not}".replace(" and {prompt_not}", ""),
      }),
    );
    expect(result).toEqual({ patch: { said: "1|-p=About $(id); 'x' \"y\"" } });
  });

  test("execute() gives variables and the key in the environment, and shows neither", async () => {
    const commands = spawnCommands();
    const step = createTestStep({ ports: { commands }, variables: { TOKEN: SECRET } });
    const script =
      'echo "$KEY|$AGENTS_IDEMPOTENCY_KEY"; printf s3c >&2; sleep 0.05; printf ret-value >&2';
    const result = await step.execute(
      cliNode,
      node({ command: sh(script), env: { KEY: "k=${TOKEN}" } }),
    );
    expect(commands.requests[0]?.env).toEqual({
      AGENTS_IDEMPOTENCY_KEY: "run1/n/1.0",
      KEY: `k=${SECRET}`,
    });
    expect(result).toEqual({ patch: { said: "k=[redacted]|run1/n/1.0" } });
    const kept = JSON.stringify([step.calls, step.events]);
    expect(kept).not.toContain("s3cret");
    expect(kept).toContain("[redacted]");
  });

  test("execute() sends what is printed to the log as it comes", async () => {
    const step = createTestStep({ ports: { commands: spawnCommands() } });
    await step.execute(cliNode, node({ command: sh("echo out; echo err >&2") }));
    const written = (stream: string) =>
      step.events.flatMap((event) =>
        event.type === "output.delta" && event.stream === stream ? [event.text] : [],
      );
    expect(written("stdout").join("")).toBe("out\n");
    expect(written("stderr").join("")).toBe("err\n");
  });

  test.each([
    ["all of it", '{"n": 1}', 1],
    ["text before it", 'thinking [1]\nmore\n{\n  "n": 2,\n  "l": [\n    {}\n  ]\n}\nbye\n', 2],
    ["the last of JSON Lines", '{"n":1}\n{"n":3}\n', 3],
    ["a word before it", 'Result: {"n": 4}', 4],
  ])("execute() finds JSON: %s", async (_, stdout, expected) => {
    const step = createTestStep({ ports: { commands: spawnCommands() } });
    const result = await step.execute(
      cliNode,
      node({
        response: "json",
        prompt: stdout,
        outputs: [{ name: "n", type: { kind: "int" } }],
      }),
    );
    expect(result).toEqual({ patch: { n: expected } });
  });

  test("execute() says when there is no JSON", async () => {
    const step = createTestStep({ ports: { commands: spawnCommands() } });
    const text = await failureOf(step.execute(cliNode, node({ response: "json", prompt: "hm" })));
    expect(text).toMatchObject({
      code: "output_invalid",
      message: "There is no JSON in what the command printed.",
    });
    const nothing = createTestStep({ ports: { commands: spawnCommands() } });
    expect(await failureOf(nothing.execute(cliNode, node({ response: "json" })))).toMatchObject({
      message: "The command printed nothing; JSON was expected.",
    });
  });

  test("execute() fails with the exit code and the last lines of standard error", async () => {
    const step = createTestStep({ ports: { commands: spawnCommands() } });
    const script = "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3";
    const failure = await failureOf(step.execute(cliNode, node({ command: sh(script) })));
    expect(failure).toEqual({
      code: "command_failed",
      message: "`sh` ended with exit code 3: line 3\nline 4\nline 5\nline 6\nline 7",
      fix: expect.any(String),
    });
  });

  test("execute() again after a crash reads the journal and runs nothing", async () => {
    const commands = spawnCommands();
    const step = createTestStep({ ports: { commands } });
    const first = await step.execute(cliNode, node({ prompt: "once" }));
    expect(await step.execute(cliNode, node({ prompt: "once" }))).toEqual(first);
    expect(commands.requests).toHaveLength(1);
  });

  test("execute() ends with the abort, and says nothing of a call that may be made again", async () => {
    const commands = spawnCommands();
    const abort = new AbortController();
    const step = createTestStep({ ports: { commands } });
    const work = step.execute(cliNode, node({ command: ["sleep", "60"] }), {
      signal: abort.signal,
    });
    while (commands.requests.length === 0) await Bun.sleep(1);
    abort.abort(new RunAborted("stopping"));
    expect(await reasonOf(work)).toMatchObject({ message: "run aborted: stopping" });
    expect(step.events.filter(({ type }) => type === "tool.finished")).toEqual([]);
  });
});
