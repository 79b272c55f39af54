import { loadConfig } from "../../config/load.ts";
import { AppError } from "../../domain/error.ts";
import type { Schedule, ScheduleOutcome } from "../../domain/schedule.ts";
import { nextTime, nextTimes } from "../../lib/cron.ts";
import { defined } from "../../lib/defined.ts";
import { wrapText } from "../../lib/wrap-text.ts";
import type { CommandContext } from "../command.ts";
import type { SCHEDULES } from "../definition.ts";
import { backgroundReporter } from "../error.ts";
import { formatAge, formatTable, formatTime, printable } from "../format.ts";
import type { Product } from "../product.ts";
import { reservation, seeRunThrough } from "../run-here.ts";
import { toIso } from "../run-result.ts";
import { columnsOf, print } from "../terminal.ts";

const LIMIT_DEFAULT = 50;
/** Schedules among which an id is looked for. */
const COUNT_MAX = 1_000;
/** Of `show`. */
const TIME_COUNT = 3;

type Context = CommandContext<typeof SCHEDULES.flags>;

interface Opened {
  readonly product: Product;
  /** A server runs on the data folder. */
  readonly served: boolean;
}

export async function schedules(context: Context): Promise<number> {
  const [action = "list", id] = context.positionals;
  const work = readAction(context, action, id);
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const served = (await app.readInstance(config.dataDir)) !== undefined;
  const reads = action === "list" || action === "show";
  const product = await app.openProduct(config, backgroundReporter(context), { reads });
  try {
    return (await work({ product, served })) ?? 0;
  } finally {
    await product.close();
  }
}

/** @throws AppError `usage`. */
function readAction(
  context: Context,
  action: string,
  id: string | undefined,
): (opened: Opened) => Promise<number | void> {
  if (action === "list") return (opened) => list(context, opened);
  if (id === undefined) {
    throw new AppError("usage", `\`agents schedules ${action}\` needs an ID.`, {
      fix: `Write \`agents schedules ${action} ID\`; \`agents schedules\` shows the ids.`,
    });
  }
  const on =
    <Result>(work: (opened: Opened, schedule: Schedule) => Promise<Result>) =>
    async (opened: Opened) =>
      work(opened, await findSchedule(opened.product, id));
  switch (action) {
    case "pause":
      return on((opened, schedule) => pause(context, opened, schedule));
    case "resume":
      return on((opened, schedule) => resume(context, opened, schedule));
    case "run":
      return on((opened, schedule) => runNow(context, opened, schedule));
    case "remove":
      return on((opened, schedule) => remove(context, opened, schedule));
    default:
      return on((opened, schedule) => show(context, opened, schedule));
  }
}

/** @throws AppError `not_found` when no schedule, or more than one, has an id like that. */
async function findSchedule({ store }: Product, idPart: string): Promise<Schedule> {
  const exact = await store.schedules.get(idPart);
  if (exact !== undefined) return exact;
  const all = await store.schedules.list({ limit: COUNT_MAX });
  const [found, other] = all.filter(({ id }) => id.startsWith(idPart) || id.endsWith(idPart));
  if (found !== undefined && other === undefined) return found;
  throw new AppError(
    "not_found",
    `There is no schedule ${idPart}, or more than one has an id like that.`,
    { fix: "Run `agents schedules` for the ids." },
  );
}

async function list(context: Context, { product, served }: Opened): Promise<void> {
  const { flags, terminal, clock } = context;
  const found = await product.store.schedules.list({
    limit: flags.limit ?? LIMIT_DEFAULT,
    ...defined({ workflowId: await workflowId(product, flags.workflow) }),
  });
  if (flags.json) {
    print(terminal, JSON.stringify({ schedules: found.map(scheduleDocument) }, null, 2));
    return;
  }
  if (found.length === 0) {
    print(terminal, "No schedules. The dashboard makes them: a workflow, Add a schedule.");
    return;
  }
  const rows = found.map((schedule) => [
    schedule.id,
    schedule.nextAt === null ? "paused" : formatTime(schedule.nextAt),
    printable(schedule.workflowName),
    schedule.cron,
    lastWords(schedule, clock.now()),
  ]);
  const header = ["ID", "NEXT", "WORKFLOW", "CRON", "LAST"];
  for (const line of formatTable([header, ...rows], columnsOf(terminal.output)))
    print(terminal, line);
  const isDue = found.some(({ nextAt }) => nextAt !== null);
  if (!served && isDue) say(context, "No server is running: `agents start` starts what is due.");
}

/** @throws AppError `not_found`. */
async function workflowId(
  { store }: Product,
  name: string | undefined,
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const record = await store.workflows.get(name);
  if (record !== undefined) return record.id;
  throw new AppError("not_found", `There is no workflow ${name}.`, {
    fix: "Write the name of a workflow as `agents schedules` shows it.",
  });
}

async function show(context: Context, _: Opened, schedule: Schedule): Promise<void> {
  const { flags, terminal, clock } = context;
  if (flags.json) {
    print(terminal, JSON.stringify(scheduleDocument(schedule), null, 2));
    return;
  }
  const { cron, timeZone, nextAt, lastRunId, lastError, inputs, overrides } = schedule;
  const now = clock.now();
  const rows: readonly (readonly [name: string, text: string])[] = [
    ["workflow", printable(schedule.workflowName)],
    ["when", `${cron} in ${timeZone}`],
    [
      "next",
      nextAt === null ? "paused" : nextTimes(schedule, now, TIME_COUNT).map(formatTime).join(", "),
    ],
    ["last", lastWords(schedule, now)],
    ...(lastRunId === null ? [] : [["run", lastRunId] as const]),
    ...(lastError === null
      ? []
      : [["why", printable(`${lastError.message} ${lastError.fix ?? ""}`.trim())] as const]),
    ["inputs", printable(JSON.stringify(inputs))],
    ...(overrides.provider === undefined ? [] : [["provider", overrides.provider] as const]),
    ...(overrides.model === undefined ? [] : [["model", printable(overrides.model)] as const]),
    ["overlap", OVERLAP_WORDS[schedule.overlap]],
    ["missed", schedule.catchUp ? "one run makes up for what was missed" : "left out"],
  ];
  const columns = columnsOf(terminal.output);
  print(terminal, schedule.id);
  for (const [name, text] of rows) {
    const [first = "", ...more] = wrapText(text, columns - NAME_COLUMNS);
    print(terminal, `  ${name.padEnd(NAME_COLUMNS - 2)}${first}`.trimEnd());
    for (const line of more) print(terminal, " ".repeat(NAME_COLUMNS) + line);
  }
}

const NAME_COLUMNS = 12;

const OVERLAP_WORDS = {
  skip: "left out while the run before is under way",
  start: "started also while the run before is under way",
} as const;

const OUTCOME_WORDS: Readonly<Record<ScheduleOutcome, string>> = {
  started: "started",
  overlapped: "left out, overlapped",
  missed: "missed",
  failed: "not started",
};

/** What became of the newest time that has come. */
function lastWords({ lastAt, lastOutcome }: Schedule, now: number): string {
  if (lastAt === null || lastOutcome === null) return "not yet";
  return `${OUTCOME_WORDS[lastOutcome]} ${formatAge(lastAt, now)}`;
}

/** As the API tells of one. */
function scheduleDocument(schedule: Schedule) {
  const { overrides, lastError } = schedule;
  return {
    id: schedule.id,
    workflow: schedule.workflowName,
    workflow_id: schedule.workflowId,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    inputs: schedule.inputs,
    provider: overrides.provider ?? null,
    model: overrides.model ?? null,
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    paused: schedule.nextAt === null,
    next_at: toIso(schedule.nextAt),
    last_at: toIso(schedule.lastAt),
    last_outcome: schedule.lastOutcome,
    last_run: schedule.lastRunId,
    last_error: lastError,
    created_at: toIso(schedule.createdAt),
    updated_at: toIso(schedule.updatedAt),
  };
}

/** Says what was done, or with --json how the schedule is now. */
function tell({ flags, terminal }: Context, schedule: Schedule, text: string): void {
  print(terminal, flags.json ? JSON.stringify(scheduleDocument(schedule), null, 2) : text);
}

function say({ terminal }: Context, text: string): void {
  for (const line of wrapText(text, columnsOf(terminal.output))) print(terminal, line);
}

function nameOf({ id, workflowName }: Schedule): string {
  return `schedule ${id} of ${printable(workflowName)}`;
}

async function pause(context: Context, { product }: Opened, { id }: Schedule): Promise<void> {
  const schedule = await product.store.schedules.update(id, { nextAt: null });
  tell(context, schedule, `Paused: ${nameOf(schedule)}`);
}

async function resume(context: Context, { product }: Opened, known: Schedule): Promise<void> {
  const { id, cron, timeZone } = known;
  const nextAt = nextTime(cron, timeZone, context.clock.now()) ?? null;
  const schedule = await product.store.schedules.update(id, { nextAt });
  const when = nextAt === null ? "" : `, next at ${formatTime(nextAt)}`;
  tell(context, schedule, `Goes on: ${nameOf(schedule)}${when}`);
}

async function remove(context: Context, { product }: Opened, { id }: Schedule): Promise<void> {
  const schedule = await product.store.schedules.remove(id);
  tell(context, schedule, `Removed: ${nameOf(schedule)}; its runs stay`);
}

/** @returns the exit code that the end of the run means. */
async function runNow(
  context: Context,
  { product, served }: Opened,
  schedule: Schedule,
): Promise<number> {
  const reservedFor = reservation(context.flags, served);
  const run = await product.runSchedule(schedule, defined({ reservedFor }));
  return await seeRunThrough(context, product, { run, served });
}
