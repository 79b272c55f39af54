import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Schedule } from "../../src/domain/schedule.ts";
import { nextTimes } from "../../src/lib/cron.ts";
import {
  cronWords,
  newScheduleForm,
  readWhen,
  scheduleFormOf,
  type WhenFields,
} from "../../src/web/schedule-form.ts";
import { emptyRunForm } from "../../src/web/run-form.ts";

const NOW = Date.UTC(2026, 2, 28, 12);
const FIELDS: WhenFields = {
  frequency: "daily",
  time: "09:30",
  weekday: "1",
  monthday: "1",
  cron: "",
  timeZone: "UTC",
};

function offered(cron: string): WhenFields {
  const { frequency, time, weekday, monthday, timeZone } = scheduleFormOf(
    { cron, timeZone: "UTC" } as Schedule,
    emptyRunForm(),
  );
  return { frequency, time, weekday, monthday, cron, timeZone };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

test("what a form comes to is offered again as the same form", () => {
  const fields = fc.record({
    frequency: fc.constantFrom("hourly", "daily", "weekdays", "weekly", "monthly"),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    weekday: fc.integer({ min: 0, max: 6 }),
    monthday: fc.integer({ min: 1, max: 31 }),
  });
  fc.assert(
    fc.property(fields, ({ frequency, hour, minute, weekday, monthday }) => {
      const plan = readWhen(
        {
          ...FIELDS,
          frequency,
          time: `${two(hour)}:${two(minute)}`,
          weekday: String(weekday),
          monthday: String(monthday),
        },
        NOW,
      );
      if ("errors" in plan) throw new Error(JSON.stringify(plan.errors));
      const again = readWhen({ ...offered(plan.cron), cron: "" }, NOW);
      expect(offered(plan.cron).frequency).toBe(frequency);
      expect(again).toEqual(plan);
    }),
  );
});

describe("readWhen()", () => {
  const REFUSED: readonly [Partial<WhenFields>, object][] = [
    [{ time: "24:00" }, { time: "Write a time such as 09:30." }],
    [{ time: "" }, { time: "Write a time such as 09:30." }],
    [{ frequency: "monthly", monthday: "32" }, { monthday: "Write a day from 1 to 31." }],
    [{ frequency: "cron", cron: "0 0 30 2 *" }, { cron: expect.stringContaining("never comes") }],
    [{ frequency: "cron", cron: "nonsense" }, { cron: expect.stringContaining("5 ") }],
    [{ frequency: "cron", cron: "99 * * * *" }, { cron: expect.stringContaining("out of range") }],
    [{ timeZone: "Mars/North" }, { timeZone: expect.stringContaining("Mars/North") }],
    [
      { timeZone: "Mars/North", frequency: "cron", cron: "x" },
      { timeZone: expect.any(String), cron: expect.any(String) },
    ],
  ];
  for (const [over, errors] of REFUSED) {
    test(`refuses ${JSON.stringify(over)}`, () => {
      expect(readWhen({ ...FIELDS, ...over }, NOW)).toEqual({ errors });
    });
  }

  test("keeps to the wall clock of the zone when summer begins", () => {
    const plan = readWhen({ ...FIELDS, timeZone: "Europe/Berlin" }, NOW);
    if ("errors" in plan) throw new Error(JSON.stringify(plan.errors));
    const hours = nextTimes(plan, NOW, 2).map((at) => new Date(at).toISOString());
    expect(hours).toEqual(["2026-03-29T07:30:00.000Z", "2026-03-30T07:30:00.000Z"]);
    expect(nextTimes(plan, Date.UTC(2026, 2, 27), 1)).toEqual([Date.UTC(2026, 2, 27, 8, 30)]);
  });

  test("takes an expression that is no frequency as it is", () => {
    const cron = "*/15 9-17 * JAN,JUN MON-FRI";
    expect(readWhen({ ...FIELDS, frequency: "cron", cron }, NOW)).toMatchObject({ cron });
    expect(offered(cron).frequency).toBe("cron");
    expect(offered("0 9 1 * 1").frequency).toBe("cron");
  });
});

test("a new schedule is offered at nine in this machine's zone", () => {
  expect(newScheduleForm(emptyRunForm())).toMatchObject({
    frequency: "daily",
    time: "09:00",
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
});

test("cronWords() says expressions in words, nicknames too", async () => {
  expect(await cronWords("30 9 * * 1-5")).toBe("At 09:30, Monday through Friday");
  expect(await cronWords("@daily")).toBe("At 00:00, every day");
});
