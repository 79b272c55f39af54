/** `edges[]`, one by one: what each leads to, with the place where that is stated. */
import { type Edge, END, type Route, START, type StateField } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { listOf, member, numberOf, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";
import { fieldOfKind } from "./state-use.ts";
import { checkCondition } from "./text-check.ts";

const EDGE_KINDS = ["to", "routes", "loop", "parallel"] as const;
export const LOOP_COUNT_DEFAULT = 10;
const DEFAULT_ROUTE = "default";

export interface NodePlace {
  /** Undefined when the file states none that could be read. */
  readonly id: string | undefined;
  readonly path: Path;
}

export interface EdgeContext {
  readonly reporter: Reporter;
  readonly nodes: readonly NodePlace[];
  readonly fields: readonly StateField[] | undefined;
}

/** One way out, with the place where its target is stated. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly path: Path;
  /** `error`: the `on_error` of a node. */
  readonly kind: (typeof EDGE_KINDS)[number] | "error";
}

/** One entry of `edges`. */
export interface Entry {
  readonly from: string;
  /** Undefined where there is not exactly one. */
  readonly kind: (typeof EDGE_KINDS)[number] | undefined;
  readonly path: Path;
  readonly ways: readonly Way[];
  /** As it is when the source has no other entry. */
  readonly edge: Edge;
}

/** Undefined for an entry without `from`, which has been reported. */
export function readEntry(raw: Json, path: Path, context: EdgeContext): Entry | undefined {
  const from = textOf(member(raw, "from"));
  if (from === undefined) return undefined;
  const kinds = EDGE_KINDS.filter((kind) => member(raw, kind) !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1) {
    context.reporter.error(path, {
      code: "bad-edge",
      message:
        kinds.length === 0
          ? "The edge leads nowhere."
          : `The edge has ${kinds.map((each) => `\`${each}\``).join(" and ")}: only one is possible.`,
      fix: kinds.length === 0 ? "Add `to:` with a node id or END." : "Keep one of them.",
    });
  }
  checkReference(from, { path: [...path, "from"], wrong: END }, context);
  const ways = kinds.flatMap((each) => readWays(raw, { from, path, kind: each }));
  for (const way of ways) checkReference(way.to, { path: way.path, wrong: START }, context);
  const routes = readRoutes(member(raw, "routes"), [...path, "routes"], context);
  const only = kinds.length === 1 ? kind : undefined;
  return {
    from,
    kind: only,
    path,
    ways,
    edge: readEdge(raw, { from, path, ways, routes }, context),
  };
}

function readWays(
  raw: Json,
  { from, path, kind }: { from: string; path: Path; kind: (typeof EDGE_KINDS)[number] },
): Way[] {
  const value = member(raw, kind);
  const found: { to: Json | undefined; path: Path }[] = [];
  if (kind === "to" && typeof value === "string") found.push({ to: value, path: [...path, kind] });
  if (kind === "to" || kind === "routes") {
    for (const [index, each] of listOf(value).entries()) {
      const at = [...path, kind, index];
      found.push(
        kind === "to" ? { to: each, path: at } : { to: member(each, "to"), path: [...at, "to"] },
      );
    }
  }
  if (kind === "loop") {
    if (from !== START) found.push({ to: from, path: [...path, "from"] });
    found.push({ to: member(value, "exit_to") ?? END, path: [...path, "loop", "exit_to"] });
  }
  if (kind === "parallel")
    found.push({ to: member(value, "target_node"), path: [...path, kind, "target_node"] });
  return found.flatMap((each) => {
    const to = textOf(each.to);
    return to === undefined ? [] : [{ from, to, path: each.path, kind }];
  });
}

export function checkReference(
  id: string,
  { path, wrong }: { readonly path: Path; readonly wrong: string },
  { reporter, nodes }: EdgeContext,
): void {
  if (id === wrong) {
    reporter.error(path, {
      code: "bad-edge",
      message: wrong === END ? "Nothing comes after END." : "Nothing leads to START.",
      fix: "Write a node id here.",
    });
  }
  if (id === START || id === END || nodes.some((node) => node.id === undefined || node.id === id))
    return;
  const ids = nodes.flatMap((node) => node.id ?? []);
  reporter.error(path, {
    code: "unknown-node",
    message: `There is no node \`${id}\`.`,
    fix: ids.length === 0 ? "Add the node." : `Add the node, or write one of: ${shortList(ids)}.`,
    word: id,
    among: [...ids, wrong === END ? START : END],
  });
}

function shortList(ids: readonly string[]): string {
  const most = 8;
  return ids.length <= most ? ids.join(", ") : `${ids.slice(0, most).join(", ")}, …`;
}

/** The default comes last, wherever the file has it. */
function readRoutes(raw: Json | undefined, path: Path, context: EdgeContext): Route[] {
  const routes: Route[] = [];
  const defaults: Route[] = [];
  for (const [index, each] of listOf(raw).entries()) {
    const logic = textOf(member(member(each, "condition"), "logic"));
    const to = textOf(member(each, "to"));
    if (logic === undefined || to === undefined) continue;
    if (logic === DEFAULT_ROUTE) {
      defaults.push({ to });
    } else {
      const at = [...path, index, "condition", "logic"];
      checkCondition(logic, { path: at, locals: new Map() }, context);
      routes.push({ condition: logic, to });
    }
  }
  const [only] = defaults;
  if (listOf(raw).length > 0 && defaults.length !== 1) {
    context.reporter.error(path, {
      code: "bad-routes",
      message: `The routes have ${only === undefined ? "no" : "more than one"} default.`,
      fix: "End the list with one `{condition: {logic: default}, to: …}`.",
      at: "key",
    });
  }
  return only === undefined ? routes : [...routes, only];
}

function readEdge(
  raw: Json,
  entry: Pick<Entry, "from" | "path" | "ways"> & { readonly routes: readonly Route[] },
  context: EdgeContext,
): Edge {
  const { from, path, ways, routes } = entry;
  if (routes.length > 0) return { kind: "routes", from, routes };
  const loop = member(raw, "loop");
  if (loop === undefined) return { kind: "to", from, to: [...new Set(ways.map(({ to }) => to))] };
  const conditionField = textOf(member(loop, "condition_field")) ?? "";
  if (conditionField !== "") {
    const at = [...path, "loop", "condition_field"];
    fieldOfKind(conditionField, { path: at, kind: "bool" }, context);
  }
  const exitTo = textOf(member(loop, "exit_to")) ?? END;
  if (from === START || exitTo === from) {
    context.reporter.error(from === START ? path : [...path, "loop", "exit_to"], {
      code: "bad-edge",
      message:
        from === START ? "START cannot be repeated." : "The loop would begin again where it ends.",
      fix:
        from === START ? "Write `to:` here, and the loop at a node." : "Name another node, or END.",
    });
  }
  const maxIterations = numberOf(member(loop, "max_iterations")) ?? LOOP_COUNT_DEFAULT;
  return { kind: "loop", from, conditionField, maxIterations, exitTo };
}
