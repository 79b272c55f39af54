import type { Schedule, ScheduleOutcome } from "../../src/domain/schedule.ts";
import type { NodeState } from "./badge.tsx";
import { StateBadge } from "./badge.tsx";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { shortId } from "./id.ts";
import { InlineText } from "./inline-text.tsx";
import { TimeAgo, zonedText } from "./time.tsx";
import { isWritable, type Shell } from "../shell.ts";

const OUTCOME: Record<ScheduleOutcome, { readonly state: NodeState; readonly label: string }> = {
  started: { state: "succeeded", label: "Started" },
  overlapped: { state: "skipped", label: "Left out: the run before was under way" },
  missed: { state: "skipped", label: "Missed: agents was not running" },
  failed: { state: "failed", label: "Not started" },
};

/** What became of the newest time that has come. */
export function ScheduleLast(props: { schedule: Schedule; now: number }) {
  const { lastAt, lastOutcome, lastRunId, lastError } = props.schedule;
  if (lastAt === null || lastOutcome === null) return <span>Not yet</span>;
  const { state, label } = OUTCOME[lastOutcome];
  return (
    <div class="schedule-last">
      <StateBadge state={state} label={label} />
      <span class="sub">
        <TimeAgo at={lastAt} now={props.now} />
        {lastRunId === null ? null : (
          <>
            {" · run "}
            <a href={`/runs/${encodeURIComponent(lastRunId)}`}>{shortId(lastRunId)}</a>
          </>
        )}
      </span>
      {lastError === null ? null : (
        <p class="field-error">
          <InlineText text={`${lastError.message} ${lastError.fix ?? ""}`.trim()} />
        </p>
      )}
    </div>
  );
}

export function ScheduleNext(props: { schedule: Schedule }) {
  const { nextAt, timeZone } = props.schedule;
  if (nextAt === null) return <StateBadge state="skipped" label="Paused" />;
  return (
    <span>
      <time datetime={new Date(nextAt).toISOString()}>{zonedText(nextAt, timeZone)}</time>
      <span class="sub"> {timeZone}</span>
    </span>
  );
}

/** @param props.isOwnPage On the schedule's own page there is no link to it. */
export function ScheduleActions(props: { schedule: Schedule; shell: Shell; isOwnPage?: boolean }) {
  const { schedule, shell } = props;
  if (!isWritable(shell)) return null;
  const path = `/schedules/${encodeURIComponent(schedule.id)}`;
  const paused = schedule.nextAt === null;
  const name = <span class="sr"> the schedule of {schedule.workflowName}</span>;
  return (
    <div class="actions">
      {props.isOwnPage === true ? null : (
        <a class="btn ghost" href={path}>
          Change{name}
        </a>
      )}
      <PostForm action={`${path}/state`} csrf={shell.csrf}>
        <button type="submit" class="btn ghost" name="state" value={paused ? "active" : "paused"}>
          <Icon name={paused ? "play" : "pause"} size={14} />
          {paused ? "Resume" : "Pause"}
          {name}
        </button>
      </PostForm>
      <PostForm action={`${path}/runs`} csrf={shell.csrf}>
        <button type="submit" class="btn ghost">
          <Icon name="play" size={14} />
          Run now{name}
        </button>
      </PostForm>
      <PostForm action={`${path}/deletion`} csrf={shell.csrf}>
        <button type="submit" class="btn ghost">
          <Icon name="trash" size={14} />
          Delete{name}
        </button>
      </PostForm>
    </div>
  );
}
