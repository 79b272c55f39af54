/** A workflow as indented lines, for a terminal. */
import { END, START, type Workflow, type WorkflowNode } from "../domain/workflow.ts";
import { waysOf } from "./ways.ts";

/** One entry a node, in the order in which a run reaches them: what it is, and where it leads to. */
export function toLines(workflow: Workflow): string[] {
  const ways = waysOf(workflow);
  const nodes = new Map(workflow.nodes.map((node) => [node.id, node]));
  const order = [START];
  for (const id of order)
    for (const way of ways)
      if (way.from === id && way.to !== END && !order.includes(way.to)) order.push(way.to);
  const isAbove = (id: string, place: number) => id !== END && order.indexOf(id) < place;
  return order.flatMap((id, place) => {
    const out = ways.filter((way) => way.from === id);
    const lines = out.map((way, index) => {
      const corner = index === out.length - 1 ? "└" : "├";
      const above = isAbove(way.to, place) ? " (above)" : "";
      const label = way.label === undefined ? "" : `  [${way.label}]`;
      return `  ${corner}─> ${way.to === id ? "again" : way.to}${above}${label}`;
    });
    return [describe(id, nodes.get(id))].concat(lines);
  });
}

function describe(id: string, node: WorkflowNode | undefined): string {
  if (node === undefined) return id;
  const notes: string[] = [node.kind];
  if (node.map !== undefined) notes.push(`for each of ${node.map.itemsField}`);
  if (node.when !== undefined) notes.push(`when ${node.when}`);
  return `${id}  (${notes.join(", ")})`;
}
