/**
 * Markdown of people and models. Every element here is one of ours: no HTML, id, class or address that was not
 * checked comes from the text.
 */
import type { Child } from "hono/jsx";
import type { Block, Inline, ListItem } from "../../src/lib/markdown-node.ts";
import { CodeBlock } from "./code-block.tsx";
import { SafeText } from "./safe-text.tsx";

/** Where a text stands: what its ids begin with, and what it is called. */
interface Place {
  readonly id: string;
  readonly name: string;
}

const HEADINGS = ["h3", "h4", "h5", "h6"] as const;

export function Markdown(props: { blocks: readonly Block[]; place: Place }) {
  const { blocks, place } = props;
  return <div class="md">{blocks.map((block) => toElement(block, place))}</div>;
}

function toElement(block: Block, place: Place): Child {
  switch (block.kind) {
    case "paragraph":
      return <p class="said">{inlines(block.children)}</p>;
    case "heading":
      return <Heading block={block} />;
    case "quote":
      return <blockquote>{block.children.map((child) => toElement(child, place))}</blockquote>;
    case "list":
      return <List block={block} place={place} />;
    case "table":
      return <Table block={block} place={place} />;
    case "code": {
      const { id, label } = named("code", block.number, place);
      return <CodeBlock {...block} id={id} label={label} />;
    }
    case "rule":
      return <hr />;
  }
}

function named(what: string, number: number, place: Place): { id: string; label: string } {
  const id = `${place.id}-${number}`;
  return {
    id,
    label: `${what} ${id.replace(/^message-\d+-/, "").replace("-", ".")} of ${place.name}`,
  };
}

/** Below the head of the message, which is an h2. */
function Heading(props: { block: Block & { kind: "heading" } }) {
  const { depth, children } = props.block;
  const Tag = HEADINGS[depth - 1] ?? "h6";
  return <Tag>{inlines(children)}</Tag>;
}

function List(props: { block: Block & { kind: "list" }; place: Place }) {
  const { block, place } = props;
  const items = block.items.map((item) => <Item item={item} place={place} />);
  if (block.start === undefined) return <ul>{items}</ul>;
  return <ol start={block.start === 1 ? undefined : block.start}>{items}</ol>;
}

function Item(props: { item: ListItem; place: Place }) {
  const { isDone, children } = props.item;
  return (
    <li class={isDone === undefined ? undefined : "task"}>
      {isDone === undefined ? null : (
        <span class="tick">
          <span aria-hidden="true">{isDone ? "☑" : "☐"}</span>
          <span class="sr">{isDone ? "Done: " : "Open: "}</span>
        </span>
      )}
      {children.map((child) => toElement(child, props.place))}
    </li>
  );
}

function Table(props: { block: Block & { kind: "table" }; place: Place }) {
  const { block, place } = props;
  const { label } = named("table", block.number, place);
  return (
    <div class="md-table" role="region" aria-label={label} tabindex={0}>
      <table>
        <thead>
          <tr>
            {block.head.map((cell) =>
              cell.length === 0 ? <td></td> : <th scope="col">{inlines(cell)}</th>,
            )}
          </tr>
        </thead>
        {block.rows.length === 0 ? null : (
          <tbody>
            {block.rows.map((cells) => (
              <tr>
                {cells.map((cell) => (
                  <td>{inlines(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        )}
      </table>
    </div>
  );
}

function inlines(children: readonly Inline[]): Child[] {
  return children.map((inline) => {
    switch (inline.kind) {
      case "text":
        return <SafeText text={inline.text} />;
      case "code":
        return (
          <code>
            <SafeText text={inline.text} />
          </code>
        );
      case "emphasis":
        return <em>{inlines(inline.children)}</em>;
      case "strong":
        return <strong>{inlines(inline.children)}</strong>;
      case "strike":
        return <s>{inlines(inline.children)}</s>;
      case "link":
        return <Link link={inline} />;
    }
  });
}

/** Never by script: what is fetched so is put into the page, and this may be a file. */
function Link(props: { link: Inline & { kind: "link" } }) {
  const { href, shown, children } = props.link;
  return (
    <>
      <a href={href} rel="noopener noreferrer nofollow" class="plain-link" hx-boost="false">
        {inlines(children)}
      </a>
      {shown === undefined ? null : <span class="address"> ({shown})</span>}
    </>
  );
}
