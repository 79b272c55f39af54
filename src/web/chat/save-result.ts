/** Saves the workflow of a message as the page showed it, or says what is in the way. */
import type { ConversationConflict } from "../../../views/conversation.tsx";
import { AppError } from "../../domain/error.ts";
import type { Workflow, WorkflowRecord, WorkflowStore } from "../../domain/workflow.ts";
import { diffTexts } from "../../lib/diff.ts";

interface WorkflowText {
  readonly workflow: Workflow;
  readonly source: string;
  /** The hash of the newest version as it was shown; null for none. */
  readonly base: string | null;
}

type Saved =
  | { readonly record: WorkflowRecord; readonly conflict?: undefined }
  | { readonly error: AppError; readonly conflict: ConversationConflict };

/** Its newest version when that has this very text, else a new one, when the newest is the one that was shown. */
export async function saveOrSay(
  workflows: Pick<WorkflowStore, "get" | "save">,
  { workflow, source, base }: WorkflowText,
): Promise<Saved> {
  const { name, description = null } = workflow;
  const known = await workflows.get(name);
  if (known?.name === name && known.version.source === source) return { record: known };
  try {
    const text = { name, description, source, format: "yaml", base } as const;
    return { record: await workflows.save(text) };
  } catch (error) {
    if (!(error instanceof AppError && error.code === "conflict")) throw error;
    return { error, conflict: await conflictWith(workflows, { name, source, error }) };
  }
}

/** What saving it would change now. */
async function conflictWith(
  workflows: Pick<WorkflowStore, "get">,
  { name, source, error }: { name: string; source: string; error: AppError },
): Promise<ConversationConflict> {
  const record = await workflows.get(name);
  if (record?.name !== name) return { error: error.toRecord() };
  const { number, source: theirs } = record.version;
  const change = { name, versionNumber: number, diff: diffTexts(theirs, source) };
  return { error: error.toRecord(), change };
}
