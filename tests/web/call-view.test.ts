import { expect, test } from "bun:test";
import type { ChatCall } from "../../src/domain/conversation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Json } from "../../src/lib/json.ts";
import { readDecision, viewCall } from "../../src/web/chat/call-view.ts";
import { createWorkflowReader } from "../../src/web/workflow-reader.ts";
import { say, scriptedModels } from "../engine/script.ts";
import { GREETING, startWorld, type World } from "./world.ts";

function call(tool: string, input: Json, state: ChatCall["state"] = "asked"): ChatCall {
  return {
    number: 1,
    callId: "c1",
    tool,
    arguments: input,
    state,
    result: null,
    link: null,
    approvedAt: null,
    seen: null,
  };
}

function view({ store }: World, asked: ChatCall, models = scriptedModels(() => say(""))) {
  const { workflows, runs } = store;
  const reader = createWorkflowReader([]);
  return viewCall({ workflows, runs, reader, models, clock: systemClock }, 2, asked);
}

test("what is to be saved is shown against the newest version, or drawn when it is new", async () => {
  await using world = await startWorld();
  const asked = call("save_workflow", { yaml: GREETING.replace("Greet", "Welcome") });
  const fresh = await view(world, asked);
  if (fresh.plan?.kind !== "save") throw new Error("no plan");
  expect(fresh).toMatchObject({ ordinal: 2, asks: true });
  expect(fresh.plan.before).toBeUndefined();
  expect(fresh.plan.drawing?.nodes.length).toBe(3);
  await world.addWorkflow();
  const { plan } = await view(world, asked);
  if (plan?.kind !== "save") throw new Error("no plan");
  expect(plan.before).toMatchObject({ versionNumber: 1, diff: { addedCount: 1, removedCount: 1 } });
  // What is decided needs no plan, and what only looks has none.
  expect((await view(world, { ...asked, state: "done" })).plan).toBeUndefined();
  expect(await view(world, call("list_runs", {}, "begun"))).toMatchObject({ asks: false });
});

test("what is to be run is shown with its inputs and what it is likely to cost", async () => {
  await using world = await startWorld();
  const { id } = await world.addWorkflow();
  const input = { workflow: "greeting", inputs: { name: "Ada", count: 7 } };
  const { plan } = await view(world, call("run_workflow", input));
  expect(plan).toMatchObject({
    kind: "run",
    workflow: { id, name: "greeting", versionNumber: 1 },
    inputs: [
      { name: "name", value: "Ada" },
      { name: "count", value: 7 },
    ],
    defaultCount: 3,
    estimate: { kind: "prompts" },
  });
});

test("a provider that does not answer holds up no card", async () => {
  await using world = await startWorld();
  await world.addWorkflow();
  const silent = { ...scriptedModels(() => say("")), resolve: () => new Promise<never>(() => {}) };
  const input = { workflow: "greeting", inputs: { name: "Ada" } };
  const { plan } = await view(world, call("run_workflow", input), silent);
  expect(plan).toMatchObject({ kind: "run", estimate: { kind: "unknown" } });
});

test("what can no longer be done says why", async () => {
  await using world = await startWorld();
  const gone = call("run_workflow", { workflow: "greeting", inputs: { name: "Ada" } });
  expect(await view(world, gone)).toEqual({
    call: gone,
    ordinal: 2,
    asks: true,
    problem: "There is no workflow greeting.",
  });
  expect((await view(world, call("save_workflow", { yaml: "a: 1" }))).problem).toBeDefined();
  expect((await view(world, call("save_workflow", "nonsense"))).problem).toBeDefined();
});

test("readDecision() takes only what the buttons of a card send", () => {
  expect(readDecision("12-3-approve")).toEqual({
    ordinal: 12,
    number: 3,
    approved: true,
    seen: null,
  });
  expect(readDecision("12-3-decline")).toEqual({
    ordinal: 12,
    number: 3,
    approved: false,
    seen: null,
  });
  expect(readDecision("12-3-approve-new")).toMatchObject({ approved: true, seen: "new" });
  const hash = "0f".repeat(32);
  expect(readDecision(`12-3-approve-${hash}`)).toMatchObject({ approved: true, seen: hash });
  for (const text of [
    "",
    `12-3-decline-${hash}`,
    `12-3-approve-${hash}0`,
    `12-3-approve-${hash.toUpperCase()}`,
    `12-3-approve-${hash}\n`,
    "12-3-approve-old",
    "12-3-approve-",
    "12-3-new",
    "1234567890-3-approve-new",
    "12-approve",
    "12-3-approved",
    "a-3-approve",
    " 12-3-approve",
    "1-1-1-decline",
  ])
    expect(readDecision(text)).toBeUndefined();
});
