/** The form of a schedule: a frequency and a time, which come to a cron expression, and back. */
import type { ScheduleForm, ScheduleTimes } from "../../views/schedule.tsx";
import { FREQUENCIES, type Frequency } from "../../views/schedule.tsx";
import type { RunForm } from "../../views/part/run-form.tsx";
import type { Schedule } from "../domain/schedule.ts";
import { nextTime, nextTimes } from "../lib/cron.ts";

/** What the form says of the time, as texts. */
export type WhenFields = Pick<
  ScheduleForm,
  "frequency" | "time" | "weekday" | "monthday" | "cron" | "timeZone"
>;

const SHOWN_COUNT = 5;
const TIME_DEFAULT = "09:00";

/** The zone of this machine. */
export function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function newScheduleForm(run: RunForm): ScheduleForm {
  return {
    ...whenOf("0 9 * * *", localTimeZone()),
    overlap: "skip",
    catchUp: true,
    run,
    errors: {},
  };
}

export function scheduleFormOf(schedule: Schedule, run: RunForm): ScheduleForm {
  const { cron, timeZone, overlap, catchUp } = schedule;
  return { ...whenOf(cron, timeZone), overlap, catchUp, run, errors: {} };
}

/** The fields that come to this expression; `cron` itself where no frequency does. */
function whenOf(cron: string, timeZone: string): WhenFields {
  const base = { time: TIME_DEFAULT, weekday: "1", monthday: "1", cron, timeZone };
  const found =
    /^(?<minute>\d{1,2}) (?<hour>\d{1,2}|\*) (?<monthday>\d{1,2}|\*) \* (?<weekday>[0-6]|1-5|\*)$/.exec(
      cron,
    )?.groups;
  if (found === undefined) return { ...base, frequency: "cron" };
  const { minute = "0", hour = "*", monthday = "*", weekday = "*" } = found;
  const time = `${(hour === "*" ? "0" : hour).padStart(2, "0")}:${minute.padStart(2, "0")}`;
  const frequency = frequencyOf({ hour, monthday, weekday });
  if (frequency === undefined) return { ...base, frequency: "cron" };
  return {
    ...base,
    frequency,
    time,
    weekday: /^[0-6]$/.test(weekday) ? weekday : base.weekday,
    monthday: monthday === "*" ? base.monthday : monthday,
  };
}

function frequencyOf(fields: {
  hour: string;
  monthday: string;
  weekday: string;
}): Frequency | undefined {
  const { hour, monthday, weekday } = fields;
  if (hour === "*") return monthday === "*" && weekday === "*" ? "hourly" : undefined;
  if (monthday !== "*") return weekday === "*" ? "monthly" : undefined;
  if (weekday === "*") return "daily";
  return weekday === "1-5" ? "weekdays" : "weekly";
}

export function isFrequency(text: string): text is Frequency {
  return FREQUENCIES.some((one) => one === text);
}

export type WhenReading =
  | { readonly cron: string; readonly timeZone: string; readonly nextAt: number }
  | { readonly errors: ScheduleForm["errors"] };

/** Everything wrong with the time is said at once. @param now The next time comes after it. */
export function readWhen(fields: WhenFields, now: number): WhenReading {
  const timeZone = fields.timeZone.trim() === "" ? localTimeZone() : fields.timeZone.trim();
  const errors: { -readonly [Name in keyof ScheduleForm["errors"]]: ScheduleForm["errors"][Name] } =
    {};
  if (!isTimeZone(timeZone))
    errors.timeZone = `There is no time zone ${JSON.stringify(timeZone)}. Write it as Europe/Berlin, or UTC.`;
  const cron = cronOf(fields);
  if ("error" in cron) return { errors: { ...errors, [cron.field]: cron.error } };
  try {
    const nextAt = nextTime(cron.cron, isTimeZone(timeZone) ? timeZone : "UTC", now);
    if (nextAt === undefined) errors.cron = "This time never comes. Look at the day and the month.";
    else if (errors.timeZone === undefined) return { cron: cron.cron, timeZone, nextAt };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    errors.cron = `${error.message.replace("Bun.cron uses 5 fields", "Write 5 fields")}.`;
  }
  return { errors };
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function cronOf(
  fields: WhenFields,
): { cron: string } | { field: "time" | "monthday"; error: string } {
  const { frequency, monthday } = fields;
  if (frequency === "cron") return { cron: fields.cron.trim().replaceAll(/\s+/g, " ") };
  const time = /^(?<hour>[01]?\d|2[0-3]):(?<minute>[0-5]\d)$/.exec(fields.time.trim())?.groups;
  if (time === undefined) return { field: "time", error: "Write a time such as 09:30." };
  const [hour, minute] = [Number(time["hour"]), Number(time["minute"])];
  if (frequency === "hourly") return { cron: `${minute} * * * *` };
  if (frequency === "daily") return { cron: `${minute} ${hour} * * *` };
  if (frequency === "weekdays") return { cron: `${minute} ${hour} * * 1-5` };
  if (frequency === "weekly") {
    const weekday = /^[0-6]$/.test(fields.weekday) ? fields.weekday : "1";
    return { cron: `${minute} ${hour} * * ${weekday}` };
  }
  const day = Number(monthday);
  if (!Number.isInteger(day) || day < 1 || day > 31)
    return { field: "monthday", error: "Write a day from 1 to 31." };
  return { cron: `${minute} ${hour} ${day} * *` };
}

/** The expression in words; itself where there are none. */
export async function cronWords(cron: string): Promise<string> {
  const { default: cronstrue } = await import("cronstrue");
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true, verbose: true });
  } catch (error) {
    // The library throws texts. Bun has taken the expression, so it is right all the same.
    if (typeof error === "string" || error instanceof Error) return cron;
    throw error;
  }
}

/** The next times of a plan that can be read. */
export async function timesOf(
  plan: { readonly cron: string; readonly timeZone: string },
  now: number,
): Promise<ScheduleTimes> {
  return {
    words: await cronWords(plan.cron),
    timeZone: plan.timeZone,
    times: nextTimes(plan, now, SHOWN_COUNT),
  };
}
