/** What each problem of a workflow file means, and an example of each from the golden files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../src/domain/workflow.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { PROBLEM_CODES, type ProblemCode } from "../../src/language/report.ts";
import { markdownTable } from "../../src/lib/markdown-table.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { code } from "./markdown.ts";

const TEXTS: Readonly<Record<ProblemCode, string>> = {
  "too-large": "The file is larger than 1 MiB.",
  syntax: "The text is not valid YAML or JSON.",
  "many-documents": "The file holds more than one YAML document.",
  "too-deep": "Lists and maps nest too deep.",
  "too-many-values": "The file holds too many values, counting what aliases stand for.",
  "duplicate-key": "A key stands twice in the same map.",
  "bad-key": "A key is not a plain word or text.",
  "bad-alias": "An alias leads nowhere, into itself, or merges what is no map.",
  "empty-file": "There is nothing in the file.",
  "unknown-key": "The key is not known at this place.",
  "missing-key": "A key that is needed is not there, or has no value.",
  "wrong-type": "The value is of another kind than the key takes.",
  "bad-value": "The value is not one of those that the key takes.",
  "empty-value": "A text, list or map that needs something in it is empty.",
  "out-of-range": "A number is below or above its limits.",
  "too-many": "A list is longer than its limit.",
  "bad-identifier": "The word cannot be a name.",
  "bad-type": "The type cannot be read.",
  "bad-schema": "A `schema` or `fields` stands beside a type that has no fields.",
  "bad-default": "A default does not fit the type of its field.",
  "required-with-default": "A field has a default although runs must give it.",
  "duplicate-name": "A name that must be the only one is there twice.",
  "reserved-name": "START or END is used as the id of a node, or `item` for an input in a map.",
  "unknown-field": "The state has no such field.",
  "unknown-node": "An edge names a node that is not there.",
  "unknown-placeholder": "A placeholder names no input and no state field, or what is not in it.",
  "unknown-tool": "There is no such tool, or no such MCP server in the file.",
  "bad-kind": "A node has keys of two kinds, or one that its kind has no use for.",
  "output-mismatch":
    "`outputs` and `output_schema` do not name the same outputs, or the node has no such results.",
  "type-mismatch": "A type is stated differently in two places.",
  "bad-edge":
    "An edge leads nowhere, into START or out of END, or a node has two kinds of ways out.",
  "bad-routes": "Routes need exactly one default.",
  "bad-condition": "A condition cannot be read, or names what is not there.",
  "duplicate-edge": "The same edge is there twice.",
  "no-start": "No edge begins at START.",
  "many-starts": "More than one edge begins at START.",
  "no-end": "No edge leads to END.",
  unreachable: "No path leads from START to the node.",
  "dead-end": "No path leads from the node to END.",
  endless: "A circle that can never be left.",
  "parallel-write": "Branches that run side by side write the same field, which states no `merge`.",
  "shadowed-name":
    "A warning: `{item}` and `{index}` of a map hide state fields of the same names.",
  unsupported: "The file asks for something that this version cannot do.",
  "ignored-key": "A warning: nothing has ever read this key.",
  "no-effect": "A warning: the key does nothing here.",
  "more-problems": "There are more problems than are shown.",
};

const GOLDEN = join(import.meta.dir, "../../tests/golden/language");
const DIVIDER = "\n----------\n";

/** Code, meaning and a real message. */
export function problemTable(): string {
  const examples = new Map<string, Problem>();
  for (const file of readdirSync(GOLDEN).toSorted()) {
    const [source = ""] = readFileSync(join(GOLDEN, file), "utf8").split(DIVIDER);
    const format = file.endsWith(".json.txt") ? "json" : "yaml";
    for (const problem of parseWorkflow(source, { format, knownTools: TOOL_NAMES }).problems) {
      if (!examples.has(problem.code)) examples.set(problem.code, problem);
    }
  }
  const rows = PROBLEM_CODES.map((name) => {
    const { message = "", fix = "" } = examples.get(name) ?? {};
    return [code(name), TEXTS[name], message === "" ? "" : `${message} Fix: ${fix}`];
  });
  return markdownTable(["Code", "Meaning", "For example"], rows);
}
