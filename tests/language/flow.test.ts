import { expect, test } from "bun:test";
import { END, START, type Workflow } from "../../src/domain/workflow.ts";
import {
  arrowsOf,
  backEdgesOf,
  edgeFrom,
  orderOf,
  predecessorsOf,
  reachersOf,
  successorsOf,
} from "../../src/language/flow.ts";
import { defined } from "../../src/lib/defined.ts";
import { parseWorkflow } from "../../src/language/parse.ts";

/** Edges as in a file; every node waits, and `fails` go on elsewhere when they fail. */
function workflowOf(
  edges: readonly Record<string, unknown>[],
  fails: Readonly<Record<string, string>> = {},
): Workflow {
  const ids = new Set(edges.map(({ from }) => String(from)));
  ids.delete(START);
  const nodes = [...ids].map((id) =>
    defined({ id, wait: 1, on_error: fails[id] && { route: fails[id] } }),
  );
  const state = { fields: { done: { type: "bool" } } };
  const file = { schema_version: "1.0", flow: { name: "flow" }, state, nodes, edges };
  const { workflow, problems } = parseWorkflow(JSON.stringify(file), {
    format: "json",
    knownTools: [],
  });
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return workflow;
}

const routes = (from: string, ...to: string[]) => ({
  from,
  routes: to.map((target, index) => ({
    condition: { logic: index === 0 ? "default" : "state.done" },
    to: target,
  })),
});
const reachers = (workflow: Workflow, id: string) => [...reachersOf(workflow, id)].toSorted();

test("successorsOf, predecessorsOf and arrowsOf name each way, those of on_error last", () => {
  const workflow = workflowOf(
    [
      { from: START, to: ["a", "b"] },
      { from: "a", loop: { condition_field: "done", exit_to: "c" } },
      { from: "b", to: "c" },
      routes("c", END, "b"),
    ],
    { b: END },
  );
  expect(successorsOf(workflow, START)).toEqual(["a", "b"]);
  expect(successorsOf(workflow, "a")).toEqual(["a", "c"]);
  expect(successorsOf(workflow, END)).toEqual([]);
  expect(predecessorsOf(workflow, "c")).toEqual(["a", "b"]);
  expect(edgeFrom(workflow, "b")).toEqual({ kind: "to", from: "b", to: ["c"] });
  expect(edgeFrom(workflow, "z")).toBeUndefined();
  expect(arrowsOf(workflow)).toEqual([
    { from: START, to: "a", onError: false, isCertain: true },
    { from: START, to: "b", onError: false, isCertain: true },
    { from: "a", to: "a", label: "until done", onError: false, isCertain: true },
    { from: "a", to: "c", label: "done", onError: false, isCertain: true },
    { from: "b", to: "c", onError: false, isCertain: true },
    { from: "c", to: "b", label: "state.done", onError: false, isCertain: false },
    { from: "c", to: END, label: "default", onError: false, isCertain: false },
    { from: "b", to: END, label: "on error", onError: true, isCertain: false },
  ]);
});

test("reachersOf a join are all branches, also those that an error takes there", () => {
  const workflow = workflowOf(
    [
      { from: START, to: ["a", "b"] },
      { from: "a", to: "x" },
      { from: "x", to: "join" },
      routes("b", END, "join"),
      { from: "join", to: END },
    ],
    { a: "join" },
  );
  expect(reachers(workflow, "join")).toEqual([START, "a", "b", "x"]);
  expect(reachers(workflow, "x")).toEqual([START, "a"]);
  expect(reachersOf(workflow, "join")).toBe(reachersOf(workflow, "join"));
});

test("reachersOf a node of a loop leave out its next round, and those of a node behind it do not", () => {
  const workflow = workflowOf([
    { from: START, to: "write" },
    { from: "write", to: "review" },
    routes("review", "publish", "write"),
    { from: "publish", to: END },
  ]);
  expect(backEdgesOf(workflow)).toEqual([{ from: "review", to: "write" }]);
  expect(reachers(workflow, "write")).toEqual([START]);
  expect(reachers(workflow, "review")).toEqual([START, "write"]);
  expect(reachers(workflow, "publish")).toEqual([START, "review", "write"]);
});

test("reachersOf a node of an inner loop hold the outer loop's nodes before it", () => {
  const workflow = workflowOf([
    { from: START, to: "outer" },
    { from: "outer", to: "inner" },
    { from: "inner", loop: { condition_field: "done", exit_to: "check" } },
    routes("check", END, "outer"),
  ]);
  expect(reachers(workflow, "inner")).toEqual([START, "outer"]);
  expect(reachers(workflow, "outer")).toEqual([START]);
  expect(reachers(workflow, "check")).toEqual([START, "inner", "outer"]);
});

test("a review that may send a draft back waits for the first draft, in whatever order the file has them", () => {
  const tail = [
    { from: "draft", to: "review" },
    { from: "research", to: "review" },
  ];
  for (const to of [
    ["draft", "research"],
    ["research", "draft"],
  ]) {
    const workflow = workflowOf([{ from: START, to }, ...tail, routes("review", END, "draft")]);
    expect(reachers(workflow, "review")).toEqual([START, "draft", "research"]);
    expect(reachers(workflow, "draft")).toEqual([START]);
    expect(orderOf(workflow).slice(-2)).toEqual(["review", END]);
  }
});
