/** What an editor asks for while somebody writes: the schema, completions, help. */
import type { Hono } from "hono";
import { WORKFLOW_COUNT_MAX } from "../../domain/workflow.ts";
import { AppError } from "../../domain/error.ts";
import type { Vocabulary } from "../../language/completion.ts";
import { readForm } from "../form.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { PATTERNS } from "../routes.ts";
import { requireSource } from "../workflow-upload.ts";

const SCHEMA_TYPE = "application/schema+json";

export function registerWorkflowAssist(app: Hono<WebEnv>, kit: Kit): void {
  app.get(PATTERNS.workflowSchema, async (c) => {
    const { workflowSchemaJson } = await import("../../language/schema-lookup.ts");
    return c.body(JSON.stringify(workflowSchemaJson()), 200, {
      "Content-Type": SCHEMA_TYPE,
      "Cache-Control": "no-cache",
    });
  });

  app.post(PATTERNS.workflowCompletions, async (c) => {
    const { source, offset } = await readPlace(c);
    const { completeWorkflow } = await import("../../language/completion.ts");
    return c.json(completeWorkflow(source, offset, await vocabularyOf(kit)));
  });

  app.post(PATTERNS.workflowHover, async (c) => {
    const { source, offset } = await readPlace(c);
    const { describeWorkflowAt } = await import("../../language/hover.ts");
    return c.json(describeWorkflowAt(source, offset, await vocabularyOf(kit)) ?? {});
  });
}

/** @throws AppError `too_large`, `invalid`. */
async function readPlace(c: WebContext): Promise<{ source: string; offset: number }> {
  const form = await readForm(c);
  const source = requireSource(form.text("source"));
  const offset = Number(form.text("offset"));
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > source.length) {
    throw new AppError("invalid", "The place lies outside of the text.", {
      fix: "Send its offset in characters.",
    });
  }
  return { source, offset };
}

async function vocabularyOf({ deps }: Kit): Promise<Vocabulary> {
  const listings = await deps.workflows
    .listings({ order: "name", sinceMs: 0 })
    // Proposals are a comfort: without the database there are fewer.
    .catch(() => []);
  const workflows = listings.slice(0, WORKFLOW_COUNT_MAX).map(({ name, description }) => ({
    name,
    description: description ?? "",
  }));
  return { ...(await deps.vocabulary()), workflows };
}
