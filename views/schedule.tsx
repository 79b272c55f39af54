/** One schedule: when, with which inputs, and what came of it. */
import type { Schedule, ScheduleOverlap } from "../src/domain/schedule.ts";
import type { WorkflowRecord } from "../src/domain/workflow.ts";
import { Layout } from "./layout.tsx";
import { describe, Field, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { MoreLink, PageHead, Panel } from "./part/panel.tsx";
import { type RunForm, RunFields } from "./part/run-form.tsx";
import { ScheduleActions, ScheduleLast } from "./part/schedule.tsx";
import { zonedText } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

export const FREQUENCIES = ["hourly", "daily", "weekdays", "weekly", "monthly", "cron"] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** The form as it was sent or is offered. */
export interface ScheduleForm {
  readonly frequency: Frequency;
  /** `09:00`; of an hourly one only the minute counts. */
  readonly time: string;
  /** 0 is Sunday. */
  readonly weekday: string;
  readonly monthday: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly overlap: ScheduleOverlap;
  readonly catchUp: boolean;
  readonly run: RunForm;
  readonly errors: Readonly<Partial<Record<"time" | "monthday" | "cron" | "timeZone", string>>>;
}

/** What the times of the form come to. */
export interface ScheduleTimes {
  readonly words: string;
  readonly timeZone: string;
  readonly times: readonly number[];
}

export interface SchedulePageProps {
  readonly shell: Shell;
  readonly record: WorkflowRecord;
  /** Undefined for a new one. */
  readonly schedule: Schedule | undefined;
  /** Undefined when the workflow has errors and cannot be started. */
  readonly form: ScheduleForm | undefined;
  /** Undefined while the form does not say when. */
  readonly times: ScheduleTimes | undefined;
  readonly timeZones: readonly string[];
}

export function SchedulePage(props: SchedulePageProps) {
  const { shell, record, schedule, form } = props;
  const title = schedule === undefined ? "New schedule" : "Schedule";
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={<a href={workflowPath(record)}>{record.name}</a>}
        title={schedule?.nextAt === null ? `${title}, paused` : title}
      >
        <a class="btn ghost" href="/schedules">
          All schedules
        </a>
      </PageHead>
      <div class="grid run-first">
        <div class="p-run schedule-side">
          <Panel id="times" title="The next times">
            <ScheduleTimesView times={props.times} />
          </Panel>
          {schedule === undefined ? null : (
            <Panel id="last" title="Last time">
              <div class="stack pad">
                <ScheduleLast schedule={schedule} now={shell.now} />
                <ScheduleActions schedule={schedule} shell={shell} isOwnPage />
              </div>
            </Panel>
          )}
        </div>
        <div class="p-main">
          <Panel
            id="plan"
            title="When, and with what"
            action={<MoreLink href={workflowPath(record)} label="Workflow" />}
          >
            {form === undefined ? (
              <p class="quiet">
                {record.name} has errors and cannot be started.{" "}
                <a href={workflowPath(record)}>Look at its problems.</a>
              </p>
            ) : isWritable(shell) ? (
              <PlanForm {...props} form={form} />
            ) : (
              <p class="quiet">Schedules can be changed again when the database can be written.</p>
            )}
          </Panel>
        </div>
      </div>
    </Layout>
  );
}

function workflowPath(record: WorkflowRecord): string {
  return `/workflows/${encodeURIComponent(record.id)}`;
}

/** What htmx fetches while the form is filled in. */
export function ScheduleTimesView(props: { times: ScheduleTimes | undefined }) {
  const { times } = props;
  return (
    <div id="schedule-times" class="stack pad" role="status">
      {times === undefined ? (
        <p class="quiet">Say when, and the next times are shown here.</p>
      ) : (
        <>
          <p>
            <b>{times.words}</b>
          </p>
          {times.times.length === 0 ? (
            <p class="quiet">This time never comes.</p>
          ) : (
            <ol class="rows">
              {times.times.map((at) => (
                <li>
                  <time datetime={new Date(at).toISOString()}>{zonedText(at, times.timeZone)}</time>
                </li>
              ))}
            </ol>
          )}
          <p class="sub">{times.timeZone}</p>
        </>
      )}
    </div>
  );
}

const FREQUENCY_LABEL: Record<Frequency, string> = {
  hourly: "Every hour",
  daily: "Every day",
  weekdays: "Every weekday, Monday to Friday",
  weekly: "Every week",
  monthly: "Every month",
  cron: "As a cron expression says",
};

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function PlanForm(props: SchedulePageProps & { form: ScheduleForm }) {
  const { shell, schedule, record, form } = props;
  const action =
    schedule === undefined
      ? `${workflowPath(record)}/schedules`
      : `/schedules/${encodeURIComponent(schedule.id)}`;
  return (
    <PostForm action={action} csrf={shell.csrf} class="stack pad schedule-form" id="schedule">
      <div
        class="stack"
        hx-get="/schedules/times"
        hx-trigger="input delay:300ms"
        hx-include="#schedule"
        hx-target="#schedule-times"
        hx-swap="outerHTML"
        {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
      >
        <When {...props} />
      </div>
      <fieldset class="stack">
        <legend>Inputs of each run</legend>
        <RunFields form={form.run} refusal="The schedule was not saved" />
      </fieldset>
      <Habits form={form} />
      <div class="actions">
        <button type="submit" class="btn primary">
          <Icon name="check" size={14} />
          {schedule === undefined ? "Save schedule" : "Save changes"}
        </button>
        <button type="submit" class="btn ghost" name="preview" value="yes" formnovalidate>
          Show the next times
        </button>
      </div>
    </PostForm>
  );
}

function When(props: SchedulePageProps & { form: ScheduleForm }) {
  const { form, timeZones } = props;
  return (
    <>
      <Field id="frequency" label="How often">
        <select id="frequency" name="frequency" class="input">
          {FREQUENCIES.map((frequency) => (
            <option value={frequency} selected={frequency === form.frequency}>
              {FREQUENCY_LABEL[frequency]}
            </option>
          ))}
        </select>
      </Field>
      <div class="when-weekday">
        <Field id="weekday" label="On">
          <select id="weekday" name="weekday" class="input">
            {WEEKDAYS.map((name, index) => (
              <option value={String(index)} selected={String(index) === form.weekday}>
                {name}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <div class="when-monthday">
        <Text
          form={form}
          name="monthday"
          label="On day"
          type="number"
          hint="1 to 31. A month without that day is left out."
        />
      </div>
      <div class="when-time">
        <Text form={form} name="time" label="At" type="time" hint="Only the minute counts." />
      </div>
      <div class="when-cron">
        <Text
          form={form}
          name="cron"
          label="Cron expression"
          type="text"
          hint="Minute, hour, day of the month, month, day of the week: 30 9 * * MON-FRI"
        />
      </div>
      <Text form={form} name="timeZone" label="Time zone" type="text" list="time-zones" />
      <datalist id="time-zones">
        {timeZones.map((name) => (
          <option value={name}></option>
        ))}
      </datalist>
    </>
  );
}

function Text(props: {
  form: ScheduleForm;
  name: "time" | "monthday" | "cron" | "timeZone";
  label: string;
  type: "text" | "time" | "number";
  hint?: string;
  list?: string;
}) {
  const { form, name, label, type, hint, list } = props;
  const error = form.errors[name];
  const described = { id: name, error, ...(hint === undefined ? {} : { hint }) };
  return (
    <Field {...described} label={label}>
      <input
        id={name}
        name={name}
        type={type}
        class={name === "cron" ? "input mono" : "input"}
        value={form[name]}
        list={list}
        {...(type === "number" ? { min: 1, max: 31 } : {})}
        autocomplete="off"
        spellcheck={false}
        autofocus={error !== undefined}
        {...describe(described)}
      />
    </Field>
  );
}

function Habits(props: { form: ScheduleForm }) {
  const { overlap, catchUp } = props.form;
  return (
    <fieldset class="stack">
      <legend>When it does not fit</legend>
      <label class="tick">
        <input type="checkbox" name="overlap" value="skip" checked={overlap === "skip"} />
        Leave a time out while the run before is still under way
      </label>
      <label class="tick">
        <input type="checkbox" name="catchUp" value="yes" checked={catchUp} />
        After times that were missed because agents was not running, start once
      </label>
    </fieldset>
  );
}
