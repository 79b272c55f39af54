/** Code nodes with code in a real process. */
import { describe, expect, test } from "bun:test";
import type { CodeNode } from "../../../src/domain/workflow.ts";
import { codeNode } from "../../../src/engine/node/code.ts";
import { BASE, createTestStep, failureOf } from "./harness.ts";
import { SANDBOX, spawnCode } from "./spawn.ts";

function node(changes: Partial<CodeNode>): CodeNode {
  return { ...BASE, kind: "code", language: "javascript", code: "", sandbox: SANDBOX, ...changes };
}

const SUM = node({
  inputs: { list: "{numbers}", label: "n={numbers}" },
  code: "console.log(typeof inputs.list); result = { sum: inputs.list.length, text: inputs.label };",
  outputs: [
    { name: "sum", type: { kind: "int" } },
    { name: "text", type: { kind: "str" } },
  ],
});

describe("codeNode", () => {
  test("execute() gives real values to the code and its result to the outputs", async () => {
    const code = spawnCode();
    const step = createTestStep({ ports: { code }, values: { numbers: [1, 2, 3] } });
    expect(await step.execute(codeNode, SUM)).toEqual({ patch: { sum: 3, text: "n=[1,2,3]" } });
    expect(code.keys).toEqual(["run1/n/1.0"]);
    expect(step.events).toEqual([
      {
        type: "tool.started",
        step: "n",
        attempt: 1,
        call: 0,
        tool: "code",
        input: { language: "javascript", inputs: { list: [1, 2, 3], label: "n=[1,2,3]" } },
      },
      {
        type: "output.delta",
        step: "n",
        attempt: 1,
        call: 0,
        stream: "stdout",
        text: "object\n",
      },
      {
        type: "tool.finished",
        step: "n",
        attempt: 1,
        call: 0,
        tool: "code",
        ok: true,
        durationMs: expect.any(Number),
      },
    ]);
  });

  test("execute() takes the item of a map only where the inputs name it", async () => {
    const step = createTestStep({ locals: { item: { a: 1 }, index: 4 } });
    const input = step.render(codeNode, node({ inputs: { one: "{item}" } }));
    expect(input).toEqual({ inputs: { one: { a: 1 } } });
  });

  test("execute() names what was expected and what came", async () => {
    const step = createTestStep({ ports: { code: spawnCode() } });
    const outputs = [{ name: "sum", type: { kind: "int" } }] as const;
    const failure = await failureOf(
      step.execute(codeNode, node({ code: 'result = "three";', outputs })),
    );
    expect(failure.code).toBe("output_invalid");
    expect(failure.message).toMatch(/^The result of the code does not fit the outputs: "sum"/);
    expect(failure.message).toContain("int");
    expect(failure.message).toContain("three");
  });

  test("execute() fails as the code does, and records no call", async () => {
    const step = createTestStep({ ports: { code: spawnCode() } });
    const failure = await failureOf(step.execute(codeNode, node({ code: "throw 1" })));
    expect(failure).toMatchObject({ code: "code_failed", message: "The code failed." });
    expect(step.calls).toEqual([]);
    expect(step.events).toMatchObject([
      { type: "tool.started" },
      { type: "tool.finished", ok: false },
    ]);
  });

  test("execute() again after a crash runs nothing", async () => {
    const code = spawnCode();
    const step = createTestStep({ ports: { code }, values: { numbers: [1] } });
    const first = await step.execute(codeNode, SUM);
    expect(await step.execute(codeNode, SUM)).toEqual(first);
    expect(code.keys).toHaveLength(1);
  });
});
