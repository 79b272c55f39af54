/** What is done with many runs at once: to be confirmed, under way, or done. */
import type { BulkAction, BulkJob } from "../src/domain/bulk-job.ts";
import { Layout } from "./layout.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { InlineText } from "./part/inline-text.tsx";
import { formatCount, plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { isWritable, type Shell } from "./shell.ts";

const WORDS: Readonly<
  Record<BulkAction, { ask: string; doing: string; done: string; undo: string; warning: string }>
> = {
  cancel: {
    ask: "Cancel",
    doing: "Cancelling",
    done: "cancelled",
    undo: "Let them go on again",
    warning: "Those that are running are stopped. They can go on later where they stopped.",
  },
  resume: {
    ask: "Let go on",
    doing: "Letting go on",
    done: "going on",
    undo: "Cancel them again",
    warning: "Those that have failed or were cancelled go on where they stopped.",
  },
  rerun: {
    ask: "Run again",
    doing: "Starting again",
    done: "started again",
    undo: "Cancel the new runs",
    warning: "Each becomes a new run with the same inputs, and costs again what it costs.",
  },
  delete: {
    ask: "Delete",
    doing: "Deleting",
    done: "deleted",
    undo: "",
    warning:
      "Their logs, steps, results and memories are gone for good, with those of the runs inside of them. This cannot be undone.",
  },
};

/** Without script a job under way asks for itself this often. */
const REFRESH_SECONDS = 1;

export function BulkPage(props: { shell: Shell; job: BulkJob }) {
  const { shell, job } = props;
  const words = WORDS[job.action];
  const title =
    job.state === "asked"
      ? `${words.ask} ${plural(job.count, "run")}?`
      : `${job.state === "running" ? words.doing : words.ask} ${plural(job.count, "run")}`;
  return (
    <Layout shell={shell} {...(job.state === "running" ? { refreshSeconds: REFRESH_SECONDS } : {})}>
      <PageHead crumb={<a href="/runs">Runs</a>} title={title} />
      {job.state === "asked" ? <Question {...props} /> : <Progress {...props} />}
    </Layout>
  );
}

function Question(props: { shell: Shell; job: BulkJob }) {
  const { shell, job } = props;
  const words = WORDS[job.action];
  if (job.count === 0)
    return (
      <EmptyState icon="search" title="No run matches" text="There is nothing to be done.">
        <a class="btn ghost" href="/runs">
          Back to the list
        </a>
      </EmptyState>
    );
  return (
    <Panel id="question" title="Are you sure?" class="caution">
      <div class="stack pad-x">
        <p>{words.warning}</p>
        {job.isMore ? (
          <p>
            More runs match: these are the first {formatCount(job.count)} of the list. Ask again for
            those after them.
          </p>
        ) : null}
        <div class="actions">
          {isWritable(shell) ? (
            <PostForm action={`/runs/bulk/${job.id}/confirmation`} csrf={shell.csrf}>
              <button
                type="submit"
                class={job.action === "delete" ? "btn danger" : "btn primary"}
                id="confirm"
              >
                {words.ask} {plural(job.count, "run")}
              </button>
            </PostForm>
          ) : null}
          <a class="btn ghost" href="/runs">
            Back to the list
          </a>
        </div>
      </div>
    </Panel>
  );
}

/** The part that keeps itself up to date while the job is under way. */
function Progress(props: { shell: Shell; job: BulkJob }) {
  const { shell, job } = props;
  const words = WORDS[job.action];
  const live = job.state === "running";
  return (
    <div
      id="bulk-job"
      class="column"
      {...(live
        ? {
            "hx-get": `/runs/bulk/${job.id}`,
            "hx-trigger": "every 1s",
            "hx-select": "#bulk-job",
            "hx-swap": "outerMorph",
            "hx-status:4xx": "swap:none",
            "hx-status:5xx": "swap:none",
          }
        : {})}
    >
      <Panel id="progress" title={live ? "Under way" : "Done"}>
        <div class="stack pad-x" role="status">
          <progress
            class="bar"
            value={job.doneCount + job.refusedCount}
            max={Math.max(1, job.count)}
            aria-label="Runs that are dealt with"
          ></progress>
          <p class="num">
            <b>{formatCount(job.doneCount)}</b> {words.done}
            {job.refusedCount === 0 ? "" : `, ${formatCount(job.refusedCount)} refused`}
            {live ? ` of ${formatCount(job.count)}` : ""}.
          </p>
          <div class="actions">
            {job.state === "done" && job.canUndo && isWritable(shell) ? (
              <PostForm action={`/runs/bulk/${job.id}/undo`} csrf={shell.csrf}>
                <button type="submit" class="btn ghost" id="undo">
                  {words.undo}
                </button>
              </PostForm>
            ) : null}
            <a class="btn ghost" href="/runs">
              Back to the list
            </a>
          </div>
        </div>
      </Panel>
      {job.refusals.length === 0 ? null : <Refusals job={job} />}
    </div>
  );
}

function Refusals(props: { job: BulkJob }) {
  const { job } = props;
  const byReason = Map.groupBy(job.refusals, (one) =>
    `${one.message.replaceAll(one.id, "…")} ${one.fix ?? ""}`.trim(),
  );
  const left = job.refusedCount - job.refusals.length;
  return (
    <Panel id="refusals" title="Refused" class="caution">
      <ul class="stack pad-x refusals">
        {[...byReason].map(([reason, some]) => (
          <li>
            <p>
              <Icon name="warning" size={14} /> <InlineText text={reason} />
            </p>
            <p class="sub">
              {some.map(({ id }, index) => (
                <>
                  {index === 0 ? "" : ", "}
                  <a href={`/runs/${encodeURIComponent(id)}`}>{shortId(id)}</a>
                </>
              ))}
            </p>
          </li>
        ))}
      </ul>
      {left > 0 ? <p class="sub cut">{formatCount(left)} more were refused.</p> : null}
    </Panel>
  );
}
