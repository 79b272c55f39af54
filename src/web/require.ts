/** What an address names, or the refusal that says that there is no such thing: the same for pages and the API. */
import { AppError } from "../domain/error.ts";
import type { RegisteredAgent } from "../domain/registered-agent.ts";
import type { Run } from "../domain/run.ts";
import type { Schedule } from "../domain/schedule.ts";
import type { WorkflowRecord } from "../domain/workflow.ts";
import { clip } from "../lib/clip.ts";
import type { WebDeps } from "./deps.ts";

/** An address may hold anything; so much of it is repeated. */
const ID_CHARS_MAX = 80;

/** @throws AppError `not_found`, as the others. */
export async function requireRun({ runs }: Pick<WebDeps, "runs">, id: string): Promise<Run> {
  return (await runs.get(id)) ?? refuse("run", id);
}

/** By id or by name. */
export async function requireWorkflow(
  { workflows }: Pick<WebDeps, "workflows">,
  idOrName: string,
): Promise<WorkflowRecord> {
  return (await workflows.get(idOrName)) ?? refuse("workflow", idOrName);
}

export async function requireSchedule(
  { schedules }: Pick<WebDeps, "schedules">,
  id: string,
): Promise<Schedule> {
  return (await schedules.get(id)) ?? refuse("schedule", id);
}

export async function requireAgent(
  { agents }: Pick<WebDeps, "agents">,
  id: string,
): Promise<RegisteredAgent> {
  return (await agents.get(id)) ?? refuse("agent", id);
}

export function notFound(what: "run" | "workflow" | "schedule" | "agent", id: string): AppError {
  return new AppError("not_found", `There is no ${what} ${clip(id, ID_CHARS_MAX)}.`, {
    fix: `Go to the list of ${what}s and choose one.`,
  });
}

function refuse(...args: Parameters<typeof notFound>): never {
  throw notFound(...args);
}
