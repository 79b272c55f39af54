/** Schedules for the pages that show them. */
import type { Schedule } from "../../src/domain/schedule.ts";
import { type ScheduleForm, SchedulePage } from "../../views/schedule.tsx";
import { SchedulesPage } from "../../views/schedules.tsx";
import type { Shell } from "../../views/shell.ts";
import { DEGRADED, form, HOSTILE, NOW, record } from "./fixtures.ts";

const HOUR_MS = 3_600_000;

const SCHEDULE: Schedule = {
  id: "01kae9x7msched00",
  workflowId: "01kae9x7mflow000",
  workflowName: "two_step_article",
  cron: "30 9 * * 1-5",
  timeZone: "Europe/Berlin",
  inputs: { topic: "Tides" },
  overrides: {},
  overlap: "skip",
  catchUp: true,
  nextAt: NOW + 5 * HOUR_MS,
  lastAt: NOW - 19 * HOUR_MS,
  lastOutcome: "started",
  lastRunId: "01kae9x7mrun0000",
  lastError: null,
  createdAt: NOW - 40 * HOUR_MS,
  updatedAt: NOW - 40 * HOUR_MS,
};
const WORDS = "At 09:30, Monday through Friday";

export const SCHEDULES = [
  { schedule: SCHEDULE, words: WORDS },
  {
    schedule: {
      ...SCHEDULE,
      id: "01kae9x7msched01",
      lastOutcome: "failed",
      lastError: { code: "invalid", message: "The input topic is required and was not given." },
    },
    words: "Every hour",
  },
  {
    schedule: { ...SCHEDULE, id: "01kae9x7msched02", nextAt: null, lastOutcome: "overlapped" },
    words: "At 00:00",
  },
  {
    schedule: {
      ...SCHEDULE,
      id: "01kae9x7msched03",
      lastAt: null,
      lastOutcome: null,
      lastRunId: null,
    },
    words: "On day 1 of the month",
  },
] as const;

const FORM: ScheduleForm = {
  frequency: "weekdays",
  time: "09:30",
  weekday: "1",
  monthday: "1",
  cron: "30 9 * * 1-5",
  timeZone: "Europe/Berlin",
  overlap: "skip",
  catchUp: true,
  run: form(),
  errors: {},
};
const TIMES = {
  words: WORDS,
  timeZone: "Europe/Berlin",
  times: [1, 2, 3, 4, 5].map((days) => NOW + days * 24 * HOUR_MS),
};
const TIME_ZONES = ["Europe/Berlin", "UTC"];

interface ScheduleCase {
  readonly name: string;
  readonly path: string;
  readonly view: (shell: (title: string) => Shell) => ReturnType<typeof SchedulesPage>;
  readonly over?: Partial<Shell>;
}

export const SCHEDULE_CASES: readonly ScheduleCase[] = [
  {
    name: "schedules",
    path: "/schedules",
    view: (shell) => (
      <SchedulesPage shell={shell("Schedules")} schedules={SCHEDULES} removed={SCHEDULE} />
    ),
  },
  {
    name: "schedules-empty",
    path: "/schedules?empty",
    view: (shell) => (
      <SchedulesPage shell={shell("Schedules")} schedules={[]} removed={undefined} />
    ),
  },
  {
    name: "schedules-degraded",
    path: "/schedules?degraded",
    over: { health: DEGRADED },
    view: (shell) => (
      <SchedulesPage shell={shell("Schedules")} schedules={SCHEDULES} removed={undefined} />
    ),
  },
  {
    name: "schedule",
    path: `/schedules/${SCHEDULE.id}`,
    view: (shell) => (
      <SchedulePage
        shell={shell("Schedule")}
        record={record()}
        schedule={SCHEDULE}
        form={FORM}
        times={TIMES}
        timeZones={TIME_ZONES}
      />
    ),
  },
  {
    name: "schedule-refused",
    path: "/workflows/01kae9x7mflow000/schedules",
    view: (shell) => (
      <SchedulePage
        shell={shell("Schedule")}
        record={record({ name: HOSTILE })}
        schedule={undefined}
        form={{
          ...FORM,
          frequency: "cron",
          cron: HOSTILE,
          timeZone: HOSTILE,
          errors: { cron: HOSTILE, timeZone: HOSTILE },
        }}
        times={undefined}
        timeZones={TIME_ZONES}
      />
    ),
  },
  {
    name: "schedule-broken",
    path: "/workflows/01kae9x7mflow001/schedules",
    view: (shell) => (
      <SchedulePage
        shell={shell("Schedule")}
        record={record()}
        schedule={undefined}
        form={undefined}
        times={undefined}
        timeZones={TIME_ZONES}
      />
    ),
  },
];
