/** How one text came from another: the changed lines with their numbers and a few lines around them. */
import type { DiffLine, DiffPart, TextDiff } from "../../src/lib/diff.ts";
import { formatCount, plural } from "./number.ts";

/** More lines are not drawn. */
const LINE_COUNT_MAX = 2_000;

/**
 * @param props.label What is compared, for screen readers.
 * @param props.same What is said when there is no difference.
 */
export function Diff(props: { diff: TextDiff; label: string; same?: string }) {
  const { diff } = props;
  if (diff.hunks.length === 0)
    return <p class="quiet">{props.same ?? "There is no difference."}</p>;
  let left = LINE_COUNT_MAX;
  const lineCount = diff.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
  return (
    <>
      <div class="diff" tabindex={0} role="region" aria-label={props.label}>
        {diff.hunks.map((hunk, index) => {
          const lines = hunk.lines.slice(0, left);
          left -= lines.length;
          if (lines.length === 0) return null;
          return (
            <>
              {index === 0 ? null : (
                <p class="diff-gap">
                  <span class="sr">Unchanged lines are left out.</span>
                  <span aria-hidden="true">⋯</span>
                </p>
              )}
              <ol>
                {lines.map((line) => (
                  <Line line={line} />
                ))}
              </ol>
            </>
          );
        })}
      </div>
      {lineCount > LINE_COUNT_MAX ? (
        <p class="sub cut">{formatCount(lineCount - LINE_COUNT_MAX)} more lines are not drawn.</p>
      ) : null}
      {diff.isPartial ? (
        <p class="sub cut">The texts are too long or too different to be compared line by line.</p>
      ) : null}
    </>
  );
}

/** `2 lines added, 1 line removed`. */
export function diffNote(diff: TextDiff): string {
  const { addedCount, removedCount } = diff;
  if (addedCount + removedCount === 0) return "no difference";
  return [
    addedCount === 0 ? "" : `${plural(addedCount, "line")} added`,
    removedCount === 0 ? "" : `${plural(removedCount, "line")} removed`,
  ]
    .filter((text) => text !== "")
    .join(", ");
}

const SIGN = { same: "", removed: "−", added: "+" } as const;
const SPOKEN = { same: "", removed: "Removed: ", added: "Added: " } as const;

function Line(props: { line: DiffLine }) {
  const { line } = props;
  return (
    <li class={`d-${line.kind}`}>
      <span class="d-number" aria-hidden="true">
        {line.before ?? ""}
      </span>
      <span class="d-number" aria-hidden="true">
        {line.after ?? ""}
      </span>
      <span class="d-sign" aria-hidden="true">
        {SIGN[line.kind]}
      </span>
      <code>
        {line.kind === "same" ? null : <span class="sr">{SPOKEN[line.kind]}</span>}
        <Words parts={line.parts} kind={line.kind} />
      </code>
    </li>
  );
}

/** Text of which some words differ from another text's: marked as removed or as added. */
export function Words(props: { parts: readonly DiffPart[]; kind: DiffLine["kind"] }) {
  return (
    <>
      {props.parts.map((part) => {
        if (!part.isChanged) return part.text;
        return props.kind === "removed" ? <del>{part.text}</del> : <ins>{part.text}</ins>;
      })}
    </>
  );
}
