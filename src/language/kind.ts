/** What kind of node a node is, and which of its keys belong to that. */
import type { NodeKind } from "../domain/workflow.ts";
import type { Json } from "../lib/json.ts";
import { member, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";

/** Kinds of nodes as `kind` names them. */
export const NODE_KINDS = [
  "llm",
  "code",
  "tool",
  "http",
  "cli",
  "agent",
  "workflow",
  "approval",
  "wait",
] as const satisfies readonly NodeKind[];

/** Every kind but `llm` is told by the key of its name. */
export const KIND_KEYS = NODE_KINDS.filter((kind) => kind !== "llm");

/** Keys without which a node of the kind says nothing. */
export const REQUIRED_KEYS: Readonly<Record<NodeKind, readonly string[]>> = {
  llm: ["prompt", "output_schema", "outputs"],
  code: ["code"],
  tool: ["tool"],
  http: ["http"],
  cli: ["cli"],
  agent: ["agent"],
  workflow: ["workflow"],
  approval: ["approval"],
  wait: ["wait"],
};

/** Keys that only some kinds act on. CA has those with `isOld`, and accepts them anywhere. */
const KEYS_OF_KINDS: readonly {
  readonly key: string;
  readonly kinds: readonly NodeKind[];
  readonly isOld: boolean;
}[] = [
  // CA wants a prompt from code nodes too.
  { key: "prompt", kinds: ["llm", "code", "cli", "agent"], isOld: true },
  { key: "tools", kinds: ["llm"], isOld: true },
  { key: "llm", kinds: ["llm"], isOld: true },
  { key: "memory", kinds: ["llm"], isOld: true },
  { key: "sandbox", kinds: ["code", "cli"], isOld: true },
  { key: "cache", kinds: ["llm"], isOld: false },
  { key: "files", kinds: ["llm"], isOld: false },
  { key: "language", kinds: ["code"], isOld: false },
  { key: "arguments", kinds: ["tool"], isOld: false },
];

/** The kind that a node states, else the one that its keys tell. */
export function kindOf(raw: Json): NodeKind {
  const stated = textOf(member(raw, "kind"));
  const known = NODE_KINDS.find((kind) => kind === stated);
  return known ?? KIND_KEYS.find((key) => member(raw, key) !== undefined) ?? "llm";
}

/** Reports keys of two kinds in one node, and keys that its kind has no use for. */
export function checkKind(raw: Json, path: Path, reporter: Reporter): void {
  const kind = kindOf(raw);
  for (const other of KIND_KEYS) {
    if (other === kind || member(raw, other) === undefined) continue;
    reporter.error([...path, other], {
      code: "bad-kind",
      message: `\`${other}\` does not fit here: this is ${aNode(kind)}.`,
      fix:
        kind === "llm"
          ? `Remove \`kind\`, or write \`kind: ${other}\`.`
          : `Remove it, or put it into a node of its own.`,
      at: "key",
    });
  }
  for (const { key, kinds, isOld } of KEYS_OF_KINDS) {
    if (kinds.includes(kind) || member(raw, key) === undefined) continue;
    const report = isOld ? reporter.warning : reporter.error;
    report([...path, key], {
      code: isOld ? "no-effect" : "bad-kind",
      message: `\`${key}\` has no effect in ${aNode(kind)}.`,
      fix: fixOf(key, kind) ?? "Remove it.",
      at: "key",
    });
  }
}

function fixOf(key: string, kind: NodeKind): string | undefined {
  if (key === "prompt" && kind === "approval") return "Write it as `approval.message`.";
  if (key === "arguments" && kind === "workflow") return "Write it as `workflow.inputs`.";
  if (key === "arguments" && kind === "llm") return "Name the tool: `tool: …`, or remove it.";
  return undefined;
}

/** `a code node`, `an http node` */
export function aNode(kind: NodeKind): string {
  const article = ["llm", "http", "agent", "approval"].includes(kind) ? "an" : "a";
  return `${article} ${kind} node`;
}
