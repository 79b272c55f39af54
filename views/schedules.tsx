/** All schedules, the next one first. */
import type { Schedule } from "../src/domain/schedule.ts";
import { Layout } from "./layout.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { idPart } from "./part/id.ts";
import { UndoNotice } from "./part/notice.tsx";
import { PageHead } from "./part/panel.tsx";
import { ScheduleActions, ScheduleLast, ScheduleNext } from "./part/schedule.tsx";
import type { Shell } from "./shell.ts";

/** With its cron expression in words. */
export interface ScheduleItem {
  readonly schedule: Schedule;
  readonly words: string;
}

export interface SchedulesPageProps {
  readonly shell: Shell;
  readonly schedules: readonly ScheduleItem[];
  /** What was just deleted, while it can be put back. */
  readonly removed: Schedule | undefined;
}

export function SchedulesPage(props: SchedulesPageProps) {
  const { shell, schedules, removed } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="Monitor" title="Schedules" />
      {removed === undefined ? null : (
        <UndoNotice
          text={
            <>
              Deleted: the schedule of <b>{removed.workflowName}</b>
            </>
          }
          id={removed.id}
          action="/schedules/restorations"
          shell={shell}
        />
      )}
      <section class="panel" aria-label="Schedules">
        <div
          id="schedule-list"
          hx-get="/schedules"
          hx-trigger="every 5s"
          hx-select="#schedule-list"
          hx-swap="outerMorph"
          {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
        >
          {schedules.length === 0 ? (
            <EmptyState
              icon="schedules"
              title="Nothing is scheduled"
              text="A schedule starts a workflow by the clock: every hour, every weekday at nine, or as a cron expression says. Open a workflow and add one."
            >
              <a class="btn primary" href="/workflows">
                Choose a workflow
              </a>
            </EmptyState>
          ) : (
            <ScheduleList items={schedules} shell={shell} withWorkflow />
          )}
        </div>
      </section>
    </Layout>
  );
}

export function ScheduleList(props: {
  items: readonly ScheduleItem[];
  shell: Shell;
  withWorkflow?: boolean;
}) {
  const Heading = props.withWorkflow === true ? "h2" : "h3";
  return (
    <ul class="node-list">
      {props.items.map(({ schedule, words }) => (
        <li class="node-item" id={`schedule-${idPart(schedule.id)}`}>
          <div class="card-head">
            <Heading class="entry-title">
              {props.withWorkflow === true ? (
                <a href={`/workflows/${encodeURIComponent(schedule.workflowId)}`}>
                  {schedule.workflowName}
                </a>
              ) : (
                words
              )}
            </Heading>
          </div>
          <ul class="facts">
            {props.withWorkflow === true ? (
              <li>
                <span class="fact-name">when</span>
                {words}
              </li>
            ) : null}
            <li>
              <span class="fact-name">next</span>
              <ScheduleNext schedule={schedule} />
            </li>
            <li>
              <span class="fact-name">last</span>
              <ScheduleLast schedule={schedule} now={props.shell.now} />
            </li>
          </ul>
          <ScheduleActions schedule={schedule} shell={props.shell} />
        </li>
      ))}
    </ul>
  );
}
