/** A workflow as a picture in a file of its own: colours for light and dark, no script, no font to load. */
import { AppError } from "../domain/error.ts";
import { clip } from "../lib/clip.ts";
import type { Workflow } from "../domain/workflow.ts";
import { END_RADIUS, KIND_LABELS, pathOf, type PlacedEdge, type PlacedNode } from "./drawing.ts";
import { DRAWN_NODE_COUNT_MAX, drawWorkflow } from "./layout.ts";

const NAME_CHARS_MAX = 20;

const STYLE = `
text{font:13px system-ui,sans-serif;fill:#1c2430}
.kind{font-size:11px;fill:#5b6776}.label{font-size:11px;fill:#5b6776}
.label{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}.plate{fill:#fff}.box{fill:#f5f7fa;stroke:#b6c0cc}.edge{fill:none;stroke:#7b8898;stroke-width:1.4}
.tip,.start{fill:#7b8898}.stop{fill:none;stroke:#7b8898;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#e8edf4}.kind,.label{fill:#9fadbd}
.label{stroke:#12171e}.plate{fill:#12171e}.box{fill:#1c242e;stroke:#46535f}.edge{stroke:#8b99a8}.tip,.start{fill:#8b99a8}.stop{stroke:#8b99a8}}
`.trim();

/** @throws AppError `too_large` for a workflow that `drawWorkflow` does not draw. */
export function toSvg(workflow: Workflow): string {
  const drawing = drawWorkflow(workflow);
  if (drawing === undefined) {
    throw new AppError("too_large", `A workflow of ${workflow.nodes.length} nodes is not drawn.`, {
      fix: `Use --format text or mermaid, or split the workflow: at most ${DRAWN_NODE_COUNT_MAX} nodes are drawn.`,
    });
  }
  const { width, height, nodes, edges } = drawing;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(workflow.name)}">`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
    `<rect class="plate" width="${width}" height="${height}"/>`,
    ...edges.map(edgeSvg),
    ...nodes.map(nodeSvg),
    "</svg>\n",
  ].join("\n");
}

function nodeSvg({ id, kind, x, y, width, height }: PlacedNode): string {
  if (kind === undefined) {
    const style = id === "START" ? "start" : "stop";
    return `<circle class="${style}" cx="${x}" cy="${y}" r="${END_RADIUS - 1}"><title>${id}</title></circle>`;
  }
  return (
    `<g><title>${escape(id)}</title>` +
    `<rect class="box" x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="9"/>` +
    `<text x="${x}" y="${y - 3}" text-anchor="middle">${escape(clip(id, NAME_CHARS_MAX))}</text>` +
    `<text class="kind" x="${x}" y="${y + 13}" text-anchor="middle">${KIND_LABELS[kind]}</text></g>`
  );
}

function edgeSvg(edge: PlacedEdge): string {
  const path = `<path class="edge" d="${pathOf(edge)}" marker-end="url(#tip)"/>`;
  if (edge.label === undefined) return path;
  const { text, title, at } = edge.label;
  return `${path}<text class="label" x="${at.x}" y="${at.y + 4}" text-anchor="middle"><title>${escape(title)}</title>${escape(text)}</text>`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
