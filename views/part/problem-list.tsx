import type { Problem } from "../../src/domain/workflow.ts";
import {
  lineStartsOf,
  type QuickFix,
  quickFixOf,
  rangeOfProblem,
} from "../../src/language/quick-fix.ts";
import { Icon } from "./icon.tsx";
import { InlineText } from "./inline-text.tsx";

/** Columns of a source line that are shown around the place of a problem. */
const FRAME_CHARS = 110;

/** Every problem of a file: what, where (with the line and a caret), the nearest name, the fix. */
export function ProblemList(props: {
  problems: readonly Problem[];
  source: string;
  /** The source is on the same page with numbered lines, so that places can be links. */
  linked?: boolean;
  /** For an editor on the same page, which marks the places and takes over the fixes. */
  editable?: boolean;
}) {
  const lines = props.source.split(/\r?\n/);
  const starts = props.editable === true ? lineStartsOf(props.source) : [];
  return (
    <ol class="problems">
      {props.problems.map((problem) => (
        <li
          class={`problem ${problem.severity}`}
          {...(props.editable === true ? placeOf(problem, props.source, starts) : {})}
        >
          <p class="problem-head">
            <Icon name={problem.severity === "error" ? "critical" : "warning"} size={14} />
            <span class="sr">{problem.severity === "error" ? "Error: " : "Warning: "}</span>
            <span class="problem-text">
              <InlineText text={problem.message} />
            </span>
            {props.linked === true ? (
              <a class="place num" href={`#L${problem.line}`}>
                line {problem.line}:{problem.column}
              </a>
            ) : (
              <span class="place num">
                line {problem.line}:{problem.column}
              </span>
            )}
          </p>
          <Frame problem={problem} line={lines[problem.line - 1]} />
          {problem.suggestion === undefined ? null : (
            <p class="problem-fix">
              Did you mean <code>{problem.suggestion}</code>?
            </p>
          )}
          {problem.fix === undefined ? null : (
            <p class="problem-fix">
              <b>Fix:</b> <InlineText text={problem.fix} links />
            </p>
          )}
          {props.editable === true ? (
            <FixButton fix={quickFixOf(problem, props.source, starts)} />
          ) : null}
        </li>
      ))}
    </ol>
  );
}

/** Where the editor marks it. */
function placeOf(problem: Problem, source: string, starts: readonly number[]) {
  const { from, to } = rangeOfProblem(problem, source, starts);
  return { "data-severity": problem.severity, "data-to": to, "data-from": from };
}

function FixButton(props: { fix: QuickFix | undefined }) {
  const { fix } = props;
  if (fix === undefined) return null;
  return (
    <button
      type="button"
      class="btn ghost small js-only"
      data-from={fix.from}
      data-to={fix.to}
      data-insert={fix.insert}
    >
      <Icon name="check" size={12} />
      Write {fix.insert}
    </button>
  );
}

/** The offending line with a caret under the place; a long line is cut around it. */
function Frame(props: { problem: Problem; line: string | undefined }) {
  const { problem, line } = props;
  if (line === undefined || line.trim() === "") return null;
  const column = Math.max(0, problem.column - 1);
  const start = column > FRAME_CHARS - 30 ? column - 30 : 0;
  const shown = line.slice(start, start + FRAME_CHARS);
  const length = Math.max(1, Math.min(problem.text?.length ?? 1, shown.length - (column - start)));
  return (
    <pre class="frame" tabindex={0}>
      <span class="frame-number">{problem.line} </span>
      {`${shown}\n`}
      <span class="frame-caret" aria-hidden="true">
        {" ".repeat(String(problem.line).length + 1 + column - start)}
        {"^".repeat(length)}
      </span>
    </pre>
  );
}
