/** The workflows that come with the product, each with a small picture of its graph. */
import type { Child } from "hono/jsx";
import { START } from "../../src/domain/workflow.ts";
import { type Drawing, END_RADIUS, pathOf } from "../../src/graph/drawing.ts";

export interface ExampleCard {
  readonly name: string;
  readonly description: string;
  readonly drawing: Drawing | undefined;
}

export function ExampleGallery(props: {
  examples: readonly ExampleCard[];
  /** What can be done with one. */
  action: (example: ExampleCard) => Child;
}) {
  return (
    <ul class="gallery">
      {props.examples.map((example) => (
        <li>
          <MiniGraph drawing={example.drawing} />
          <div class="gallery-text">
            <p class="example-name">{example.name}</p>
            <p class="sub">{example.description}</p>
          </div>
          {props.action(example)}
        </li>
      ))}
    </ul>
  );
}

/** Shapes without words: how many steps there are, and how they hang together. */
export function MiniGraph(props: { drawing: Drawing | undefined }) {
  const { drawing } = props;
  if (drawing === undefined) return <span class="mini"></span>;
  return (
    <svg
      class="mini"
      viewBox={`0 0 ${drawing.width} ${drawing.height}`}
      aria-hidden="true"
      focusable="false"
    >
      <path class="mini-edge" d={drawing.edges.map(pathOf).join("")} />
      {drawing.nodes.map(({ id, kind, x, y, width, height }) =>
        kind === undefined ? (
          <circle
            class={id === START ? "mini-end" : "mini-end stop"}
            cx={x}
            cy={y}
            r={END_RADIUS}
          />
        ) : (
          <rect
            class="mini-node"
            x={x - width / 2}
            y={y - height / 2}
            width={width}
            height={height}
            rx="9"
          />
        ),
      )}
    </svg>
  );
}
