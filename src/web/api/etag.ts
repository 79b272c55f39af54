/** Entity tags: what a client has is compared with what there is. */
import { createHash } from "node:crypto";
import type { WorkflowMark, WorkflowRecord } from "../../domain/workflow.ts";
import type { WebContext } from "../kit.ts";
import { RequestProblem } from "../problem.ts";

const TAG_LENGTH = 27;

export function tagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, TAG_LENGTH)}"`;
}

/** The same for as long as the workflow stays as it is, in every answer that shows it. */
export function workflowTag({ id, updatedAt, version }: WorkflowRecord): string {
  return tagOf(JSON.stringify([id, updatedAt, version.hash]));
}

/** True when the client has this already. */
export function isKnown(c: WebContext, tag: string): boolean {
  const header = c.req.header("If-None-Match");
  return header !== undefined && names(header, tag);
}

/**
 * @returns what has to hold while it is written; undefined when the request does not ask for that.
 * @throws RequestProblem 412 when it does not hold now.
 */
export function matchedMark(c: WebContext, record: WorkflowRecord): WorkflowMark | undefined {
  const header = c.req.header("If-Match");
  if (header === undefined) return undefined;
  if (!names(header, workflowTag(record), true)) throw preconditionFailed();
  return { hash: record.version.hash, updatedAt: record.updatedAt };
}

export function preconditionFailed(): RequestProblem {
  return new RequestProblem(412, "precondition_failed", {
    message: "The workflow is not the one that If-Match names: it was changed meanwhile.",
    fix: "Read it again, make your change anew, and send the new ETag.",
  });
}

/** Weak tags are equal for reading, never for writing (RFC 9110, 13.1). */
function names(header: string, tag: string, isStrong = false): boolean {
  return header
    .split(",")
    .map((one) => one.trim())
    .some((one) => one === "*" || one === tag || (!isStrong && one === `W/${tag}`));
}
