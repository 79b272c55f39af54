/** How the runs of a workflow went, in a number and a small picture. */
import { type RunState, RUN_STATES } from "../../src/domain/run.ts";
import type { WorkflowFigures } from "../../src/domain/workflow.ts";
import { STATE_LABEL } from "./badge.tsx";
import { Segments } from "./chart.tsx";

/** The share of runs that succeeded, and the newest runs one by one, the newest on the right. */
export function Success(props: { figures: WorkflowFigures }) {
  const { recent } = props.figures;
  if (recent.length === 0) return <span class="sub">–</span>;
  const states = recent.map(({ state }) => state).toReversed();
  return (
    <>
      <span class="num share">{successText(props.figures)}</span>
      <Segments states={states} label={recentText(states)} />
    </>
  );
}

function successText({ succeeded, failed }: WorkflowFigures): string {
  const ended = succeeded + failed;
  return ended === 0 ? "–" : `${Math.round((100 * succeeded) / ended)} %`;
}

function recentText(states: readonly RunState[]): string {
  const counts = RUN_STATES.flatMap((state) => {
    const count = states.filter((one) => one === state).length;
    return count === 0 ? [] : [`${count} ${STATE_LABEL[state].toLowerCase()}`];
  });
  return `Last ${states.length}: ${counts.join(", ")}`;
}
