/** Tool nodes with a tool in memory. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/domain/error.ts";
import type { Tool, ToolContext, ToolPort } from "../../../src/domain/tool.ts";
import type { ToolNode } from "../../../src/domain/workflow.ts";
import { toolNode } from "../../../src/engine/node/tool.ts";
import type { JsonObject } from "../../../src/lib/json.ts";
import { BASE, createTestStep, failureOf } from "./harness.ts";

interface Used {
  readonly input: JsonObject;
  readonly context: Pick<ToolContext, "idempotencyKey" | "config">;
}

function tools(run: Tool["run"], count = 1) {
  const used: Used[] = [];
  let openCount = 0;
  const tool: Tool = {
    spec: { name: "echo", description: "", parameters: {} },
    check: async () => {},
    run: (input, context) => {
      used.push({
        input,
        context: { idempotencyKey: context.idempotencyKey, config: context.config },
      });
      return run(input, context);
    },
  };
  const port: ToolPort = {
    names: ["echo"],
    open: async ([use]) => {
      openCount += 1;
      return use === undefined ? [] : Array.from({ length: count }, () => ({ use, tool }));
    },
    close: async () => {},
  };
  return { used, port, openCount: () => openCount };
}

const NODE: ToolNode = {
  ...BASE,
  kind: "tool",
  tool: { name: "echo", onError: "fail", config: { deep: true } },
  arguments: { list: "{tags}", text: "tags: {tags}", nested: [{ n: "{count}" }] },
  outputs: [{ name: "found", type: { kind: "object", fields: [] } }],
};
const VALUES = { tags: ["a"], count: 3 };

describe("toolNode", () => {
  test("execute() calls the tool once with real values, and no second time after a crash", async () => {
    const { used, port, openCount } = tools(async (input, { onOutput }) => {
      onOutput("stdout", "working");
      return { got: input };
    });
    const step = createTestStep({ ports: { tools: port }, values: VALUES });
    const first = await step.execute(toolNode, NODE);
    const input = { list: ["a"], text: 'tags: ["a"]', nested: [{ n: 3 }] };
    expect(first).toEqual({ patch: { found: { got: input } } });
    expect(await step.execute(toolNode, NODE)).toEqual(first);
    expect(used).toEqual([
      { input, context: { idempotencyKey: "run1/n/1.0", config: { deep: true } } },
    ]);
    expect(openCount()).toBe(1);
    expect(step.events).toMatchObject([
      { type: "tool.started", tool: "echo", input },
      { type: "output.delta", call: 0, stream: "stdout", text: "working" },
      { type: "tool.finished", tool: "echo", ok: true },
    ]);
  });

  test("execute() fails as the tool does, and makes the call again in the next attempt", async () => {
    let fails = true;
    const { used, port } = tools(async () => {
      if (fails) throw new AppError("unavailable", "Away.");
      return {};
    });
    const step = createTestStep({ ports: { tools: port }, values: VALUES });
    expect((await failureOf(step.execute(toolNode, NODE))).message).toBe("Away.");
    fails = false;
    await step.execute(toolNode, NODE, { attempt: 2 });
    expect(used.map(({ context }) => context.idempotencyKey)).toEqual(["run1/n/1.0", "run1/n/1.0"]);
  });

  test("execute() refuses a name that stands for several tools", async () => {
    const { port } = tools(async () => ({}), 2);
    const step = createTestStep({ ports: { tools: port }, values: VALUES });
    expect(await failureOf(step.execute(toolNode, NODE))).toMatchObject({
      code: "invalid",
      message: "`echo` is not one tool.",
    });
  });

  test("execute() stops a tool at its own time limit", async () => {
    const { port } = tools(() => new Promise(() => undefined));
    const step = createTestStep({ ports: { tools: port }, values: VALUES });
    const node = { ...NODE, tool: { ...NODE.tool, timeoutMs: 20 } };
    expect((await failureOf(step.execute(toolNode, node))).code).toBe("timeout");
  });
});
