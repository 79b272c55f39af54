import type { Hono } from "hono";
import { SchedulePage, ScheduleTimesView, type ScheduleForm } from "../../../views/schedule.tsx";
import { type ScheduleItem, SchedulesPage } from "../../../views/schedules.tsx";
import { AppError } from "../../domain/error.ts";
import type { Schedule } from "../../domain/schedule.ts";
import type { Workflow, WorkflowRecord } from "../../domain/workflow.ts";
import { nextTime } from "../../lib/cron.ts";
import type { WebDeps } from "../deps.ts";
import { readForm, type Form } from "../form.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { requireSchedule, requireWorkflow } from "../require.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { emptyRunForm, readRunForm, runFormOf, type RunFormReading } from "../run-form.ts";
import {
  cronWords,
  isFrequency,
  newScheduleForm,
  readWhen,
  scheduleFormOf,
  timesOf,
  type WhenFields,
} from "../schedule-form.ts";
import { createUndo } from "../undo.ts";

/** Schedules of all workflows that the list shows, the next ones first. */
const SCHEDULE_SHOWN_COUNT_MAX = 500;

export function registerSchedules(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const { schedules, clock } = deps;
  const removed = createUndo<Schedule>();

  app.get(PATTERNS.schedules, async (c) => {
    const found = await readOr<Schedule[]>(
      c,
      schedules.list({ limit: SCHEDULE_SHOWN_COUNT_MAX }),
      [],
    );
    const view = SchedulesPage({
      shell: kit.shell(c, "Schedules"),
      schedules: await scheduleItems(found),
      removed: removed.get(c.req.query("undo")),
    });
    return html(c, view);
  });

  app.get(PATTERNS.scheduleTimes, async (c) => {
    const plan = readWhen(
      whenFields((name) => c.req.query(name) ?? ""),
      clock.now(),
    );
    const times = "errors" in plan ? undefined : await timesOf(plan, clock.now());
    return html(c, ScheduleTimesView({ times }));
  });

  app.post(PATTERNS.scheduleRestorations, async (c) => {
    const schedule = removed.require((await readForm(c)).text("id"));
    const { id, workflowId, cron, timeZone, inputs, overrides, overlap, catchUp } = schedule;
    const plan = { cron, timeZone, inputs, overrides, overlap, catchUp };
    const nextAt =
      schedule.nextAt === null ? null : (nextTime(cron, timeZone, clock.now()) ?? null);
    await schedules.create({ id, workflowId, nextAt, ...plan });
    removed.drop(id);
    return c.redirect(pathTo.schedules(), 303);
  });

  app.post(PATTERNS.scheduleState, async (c) => {
    const { id, cron, timeZone } = await requireSchedule(deps, c.req.param("id"));
    const paused = (await readForm(c)).text("state") === "paused";
    const nextAt = paused ? null : (nextTime(cron, timeZone, clock.now()) ?? null);
    await schedules.update(id, { nextAt });
    return c.redirect(pathTo.schedules(), 303);
  });

  app.post(PATTERNS.scheduleRuns, async (c) => {
    const { record, schedule } = await subjectOf(deps, c.req.param("id"));
    const { workflow } = await kit.reader.version(record.version);
    const { readInputs } = await import("../../language/input.ts");
    const { inputs, overrides } = schedule;
    const reading = workflow === undefined ? undefined : readInputs(workflow, inputs);
    if (workflow === undefined || reading?.values === undefined) {
      const reason = reading?.problems[0]?.message ?? `The workflow ${record.name} has errors.`;
      throw new AppError("invalid", reason, { fix: "Change the schedule or mend the workflow." });
    }
    const versionHash = record.version.hash;
    const request = { workflowId: record.id, versionHash, workflow, inputs, overrides };
    const run = await deps.createRun({ ...request, values: reading.values });
    return c.redirect(pathTo.run(run.id), 303);
  });

  app.post(PATTERNS.scheduleDeletion, async (c) => {
    const schedule = await schedules.remove(c.req.param("id"));
    removed.keep(schedule);
    return c.redirect(`${pathTo.schedules()}?undo=${encodeURIComponent(schedule.id)}`, 303);
  });

  // Last: an id is anything that is not one of the addresses above.
  registerPlans(app, kit);
}

/** The pages with the form: a new schedule of a workflow, and one that is there. */
function registerPlans(app: Hono<WebEnv>, kit: Kit): void {
  const { deps } = kit;
  const { schedules } = deps;

  app.get(PATTERNS.workflowSchedules, async (c) =>
    planPage(c, kit, { record: await requireWorkflow(deps, c.req.param("id")) }),
  );

  app.post(PATTERNS.workflowSchedules, async (c) => {
    const record = await requireWorkflow(deps, c.req.param("id"));
    const { plan, page } = await readPlan(c, kit, { record });
    if (plan === undefined) return page();
    await schedules.create({ workflowId: record.id, ...plan });
    return c.redirect(pathTo.schedules(), 303);
  });

  app.get(PATTERNS.schedule, async (c) =>
    planPage(c, kit, await subjectOf(deps, c.req.param("id"))),
  );

  app.post(PATTERNS.schedule, async (c) => {
    const subject = await subjectOf(deps, c.req.param("id"));
    const { plan, page } = await readPlan(c, kit, subject);
    if (plan === undefined) return page();
    const { nextAt, ...rest } = plan;
    const { id } = subject.schedule;
    await schedules.update(id, subject.schedule.nextAt === null ? rest : { ...rest, nextAt });
    return c.redirect(pathTo.schedule(id), 303);
  });
}

async function subjectOf(deps: WebDeps, id: string): Promise<Subject & { schedule: Schedule }> {
  const schedule = await requireSchedule(deps, id);
  return { schedule, record: await requireWorkflow(deps, schedule.workflowId) };
}

export async function scheduleItems(schedules: readonly Schedule[]): Promise<ScheduleItem[]> {
  return Promise.all(
    schedules.map(async (schedule) => ({ schedule, words: await cronWords(schedule.cron) })),
  );
}

/** What the form is about. */
interface Subject {
  readonly record: WorkflowRecord;
  readonly schedule?: Schedule;
}

/** The form as it is offered, or, after it was sent, as it was sent. */
async function planPage(
  c: WebContext,
  kit: Kit,
  ...[{ record, schedule }, sent]: [
    subject: Subject,
    sent?: { readonly form: ScheduleForm; readonly status: 200 | 422 },
  ]
): Promise<Response> {
  const { deps, reader } = kit;
  const { workflow } = await reader.version(record.version);
  const form = sent?.form ?? offeredForm(workflow, deps, schedule);
  const now = deps.clock.now();
  const plan = form === undefined ? { errors: {} } : readWhen(form, now);
  const view = SchedulePage({
    shell: kit.shell(c, `Schedule of ${record.name}`),
    record,
    schedule,
    form,
    times: "errors" in plan ? undefined : await timesOf(plan, now),
    timeZones: Intl.supportedValuesOf("timeZone"),
  });
  return html(c, view, sent?.status ?? 200);
}

function offeredForm(
  workflow: Workflow | undefined,
  deps: WebDeps,
  schedule: Schedule | undefined,
): ScheduleForm | undefined {
  if (workflow === undefined) return undefined;
  const run = runFormOf(workflow, deps.providers(), schedule);
  return schedule === undefined ? newScheduleForm(run) : scheduleFormOf(schedule, run);
}

/** Reads the form that was sent. Without a plan, `page` answers with what is wrong, or with the next times. */
async function readPlan(c: WebContext, kit: Kit, subject: Subject) {
  const { deps, reader } = kit;
  const sent = await readForm(c);
  const { workflow } = await reader.version(subject.record.version);
  const reading: RunFormReading =
    workflow === undefined
      ? { form: emptyRunForm(), request: undefined }
      : await readRunForm(sent, workflow, deps.providers());
  const fields = whenFields((name) => sent.text(name));
  const when = readWhen(fields, deps.clock.now());
  const habits = habitsOf(sent);
  const errors = "errors" in when ? when.errors : {};
  const isPreview = sent.has("preview");
  const form: ScheduleForm = { ...fields, ...habits, run: reading.form, errors };
  const page = () => planPage(c, kit, subject, { form, status: isPreview ? 200 : 422 });
  if (isPreview || "errors" in when || reading.request === undefined)
    return { plan: undefined, page };
  const { inputs, overrides } = reading.request;
  return { plan: { ...when, ...habits, inputs, overrides }, page };
}

function whenFields(text: (name: string) => string): WhenFields {
  const frequency = text("frequency");
  return {
    frequency: isFrequency(frequency) ? frequency : "cron",
    time: text("time"),
    weekday: text("weekday"),
    monthday: text("monthday"),
    cron: text("cron"),
    timeZone: text("timeZone"),
  };
}

function habitsOf(sent: Form): Pick<ScheduleForm, "overlap" | "catchUp"> {
  return { overlap: sent.has("overlap") ? "skip" : "start", catchUp: sent.has("catchUp") };
}
