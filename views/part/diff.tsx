/** How one text came from another: the changed lines with their numbers and a few lines around them. */
import { type DiffLine, type DiffPart, pairLines, type TextDiff } from "../../src/lib/diff.ts";
import { Icon } from "./icon.tsx";
import { formatCount, plural } from "./number.ts";

/** More lines are not drawn. */
const LINE_COUNT_MAX = 2_000;
/** Of one stretch that is the same in both. */
const FOLD_LINE_COUNT_MAX = 500;

/**
 * @param props.label What is compared, for screen readers.
 * @param props.same What is said when there is no difference.
 * @param props.equal As `equalStretches` has them: what is the same is then folded, else it is left out.
 * @param props.split The one text beside the other.
 */
export function Diff(props: {
  diff: TextDiff;
  label: string;
  same?: string;
  equal?: readonly (readonly DiffLine[])[];
  split?: boolean;
}) {
  const { diff, equal } = props;
  if (diff.hunks.length === 0)
    return <p class="quiet">{props.same ?? "There is no difference."}</p>;
  let left = LINE_COUNT_MAX;
  const lineCount = diff.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
  const Lines = props.split === true ? SplitLines : UnifiedLines;
  return (
    <>
      <div
        class={props.split === true ? "diff split" : "diff"}
        tabindex={0}
        role="region"
        aria-label={props.label}
      >
        {diff.hunks.map((hunk, index) => {
          const lines = hunk.lines.slice(0, left);
          left -= lines.length;
          if (lines.length === 0) return null;
          return (
            <>
              {equal === undefined ? (
                index > 0 && <Gap />
              ) : (
                <Fold lines={equal[index] ?? []} Lines={Lines} />
              )}
              <Lines lines={lines} />
            </>
          );
        })}
        {left > 0 && equal !== undefined ? <Fold lines={equal.at(-1) ?? []} Lines={Lines} /> : null}
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

function Gap() {
  return (
    <p class="diff-gap">
      <span class="sr">Unchanged lines are left out.</span>
      <span aria-hidden="true">⋯</span>
    </p>
  );
}

type LinesView = (props: { lines: readonly DiffLine[] }) => ReturnType<typeof Gap>;

function Fold(props: { lines: readonly DiffLine[]; Lines: LinesView }) {
  const { lines, Lines } = props;
  if (lines.length === 0) return null;
  const more = lines.length - FOLD_LINE_COUNT_MAX;
  return (
    <details class="diff-fold">
      <summary>
        <Icon name="chevron" size={12} />
        {plural(lines.length, "equal line")}
      </summary>
      <Lines lines={lines.slice(0, FOLD_LINE_COUNT_MAX)} />
      {more > 0 ? <p class="diff-gap">{plural(more, "more line")} not drawn</p> : null}
    </details>
  );
}

function UnifiedLines(props: { lines: readonly DiffLine[] }) {
  return (
    <ol>
      {props.lines.map((line) => (
        <Line line={line} />
      ))}
    </ol>
  );
}

function SplitLines(props: { lines: readonly DiffLine[] }) {
  return (
    <ol>
      {pairLines(props.lines).map(({ before, after }) => (
        <li>
          <Half line={before} number={before?.before} />
          <Half line={after} number={after?.after} spoken={before !== after} />
        </li>
      ))}
    </ol>
  );
}

/** @param props.spoken False for a line that is the same on both sides: it is read to nobody twice. */
function Half(props: { line: DiffLine | undefined; number: number | undefined; spoken?: boolean }) {
  const { line, number, spoken = true } = props;
  if (line === undefined) return <div class="d-none"></div>;
  return (
    <div class={`d-${line.kind}`} aria-hidden={spoken ? undefined : "true"}>
      <span class="d-number" aria-hidden="true">
        {number}
      </span>
      <Sign kind={line.kind} />
      <Text line={line} />
    </div>
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
      <Sign kind={line.kind} />
      <Text line={line} />
    </li>
  );
}

function Sign(props: Pick<DiffLine, "kind">) {
  return (
    <span class="d-sign" aria-hidden="true">
      {SIGN[props.kind]}
    </span>
  );
}

function Text(props: { line: DiffLine }) {
  const { parts, kind } = props.line;
  return (
    <code>
      {kind === "same" ? null : <span class="sr">{SPOKEN[kind]}</span>}
      <Words parts={parts} kind={kind} />
    </code>
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
