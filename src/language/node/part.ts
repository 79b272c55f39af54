/** What the readers of the kinds share. */
import type { OutputField, StateType, WorkflowNode } from "../../domain/workflow.ts";
import type { Json } from "../../lib/json.ts";
import { member } from "../raw.ts";
import type { Path, Reporter } from "../report.ts";
import type { TextContext } from "../text-check.ts";
import type { ToolContext } from "../tool-use.ts";

export interface NodeContext extends TextContext, ToolContext {
  readonly config: Json | undefined;
}

/** A node that is being read. */
export interface NodePart {
  readonly raw: Json;
  /** Of the node. */
  readonly path: Path;
  /** Names that its templates may use before those of the state. */
  readonly locals: ReadonlyMap<string, StateType>;
  readonly outputs: readonly OutputField[];
}

type Common =
  | "id"
  | "description"
  | "inputs"
  | "outputs"
  | "when"
  | "timeoutMs"
  | "retry"
  | "onError"
  | "map";

/** What a kind adds to what all nodes have. */
export type Own<Node extends WorkflowNode> = Omit<Node, Common>;

/** Text without a form fills one output, of type str. */
export function checkTextOutput({ raw, path, outputs }: NodePart, reporter: Reporter): void {
  const [only, second] = outputs;
  const isText = only === undefined || only.type.kind === "str" || only.type.kind === "any";
  if (isText && second === undefined) return;
  reporter.error(member(raw, "outputs") === undefined ? path : [...path, "outputs"], {
    code: "output-mismatch",
    message: "`response: text` gives one text, which is not what the outputs take.",
    fix: "Name one output of type str, or write `response: json`.",
  });
}

/** `timeout` limits an attempt that works; a node that only waits has its own. */
export function checkOuterTimeout({ raw, path }: NodePart, reporter: Reporter): void {
  if (member(raw, "timeout") === undefined) return;
  const wait = member(raw, "wait");
  const owner = wait === undefined ? "approval" : "wait";
  const isLimited = wait === undefined || member(wait, "signal") !== undefined;
  reporter.warning([...path, "timeout"], {
    code: "no-effect",
    message: "`timeout` does not limit how long the node waits.",
    fix: isLimited ? `Move it into \`${owner}:\`.` : "Remove it; `wait` says how long.",
    at: "key",
  });
}
