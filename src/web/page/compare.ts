import type { Hono } from "hono";
import { ComparePage } from "../../../views/compare.tsx";
import { shortId } from "../../../views/part/id.ts";
import { STATE_LABEL } from "../../../views/part/badge.tsx";
import type { Run, RunSummary } from "../../domain/run.ts";
import type { WebDeps } from "../deps.ts";
import { readOr, type Kit, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { compareRuns } from "../run-comparison.ts";
import { PATTERNS } from "../routes.ts";

/** Runs to choose from. */
const RECENT_COUNT_MAX = 30;

export function registerCompare(app: Hono<WebEnv>, { deps, shell }: Kit): void {
  app.get(PATTERNS.runsComparison, async (c) => {
    const ids = { a: c.req.query("a")?.trim() ?? "", b: c.req.query("b")?.trim() ?? "" };
    const found = await readOr(c, readBoth(deps, ids), {});
    const recent = await readOr<readonly RunSummary[]>(
      c,
      deps.runs.page({ limit: RECENT_COUNT_MAX }).then((page) => page.runs),
      [],
    );
    return html(
      c,
      ComparePage({
        shell: shell(c, "Compare"),
        ids: { a: found.a?.id ?? ids.a, b: found.b?.id ?? ids.b },
        comparison:
          found.a === undefined || found.b === undefined
            ? undefined
            : await compareRuns(deps, found.a, found.b),
        problem: found.problem,
        recent: recent.map((run) => ({
          id: run.id,
          label: `${run.workflowName} ${shortId(run.id)}, ${STATE_LABEL[run.state]}`,
        })),
      }),
      found.problem === undefined ? 200 : 404,
    );
  });
}

interface Both {
  readonly a?: Run | undefined;
  readonly b?: Run | undefined;
  readonly problem?: string;
}

/** The whole ids, or their ends as the pages show them. */
async function readBoth({ runs }: WebDeps, ids: { a: string; b: string }): Promise<Both> {
  const find = async (id: string) => (id === "" ? undefined : await runs.find(id));
  const [a, b] = await Promise.all([find(ids.a), find(ids.b)]);
  const missing = [
    ids.a === "" || a !== undefined ? "" : ids.a,
    ids.b === "" || b !== undefined ? "" : ids.b,
  ].filter((id) => id !== "");
  if (missing.length === 0) return { a, b };
  return {
    a,
    b,
    problem: `There is no run ${missing.join(" and no run ")}. Choose one of the list.`,
  };
}
