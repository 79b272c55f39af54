/** The trace of a run in windows: every step that has begun, with its calls, over time. */
import type { StepAttempt, StepCall } from "../src/domain/run.ts";
import type { Run } from "../src/domain/run.ts";
import { Layout } from "./layout.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { formatCount, plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { windowSpans } from "./part/run-spans.ts";
import { Waterfall } from "./part/waterfall.tsx";
import type { Shell } from "./shell.ts";

/** A part of a trace: attempts in the order in which they began, or items of a map by their number. */
export interface TraceWindow {
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  /** Maps among the steps, whose items have windows of their own. */
  readonly maps: readonly { readonly key: string; readonly count: number }[];
  /** The map whose items these are. */
  readonly map: { readonly key: string; readonly from: number; readonly count: number } | undefined;
  /** Queries of the windows before and after this one. */
  readonly earlier: string | undefined;
  readonly later: string | undefined;
}

export interface TracePageProps extends TraceWindow {
  readonly shell: Shell;
  readonly run: Run;
}

export function TracePage(props: TracePageProps) {
  const { shell, run, steps, map } = props;
  const path = `/runs/${encodeURIComponent(run.id)}`;
  const title = map === undefined ? "Trace" : `Trace of ${map.key}`;
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={
          <>
            <a href="/runs">Runs</a> /{" "}
            <a href={path}>
              {run.workflowName} {shortId(run.id)}
            </a>
            {map === undefined ? null : (
              <>
                {" / "}
                <a href={`${path}/trace`}>Trace</a>
              </>
            )}
          </>
        }
        title={title}
      />
      <div class="column">
        <Panel
          id="trace"
          title={map === undefined ? "Steps and calls" : "Items"}
          note={note(props)}
        >
          {steps.length === 0 ? (
            <EmptyState
              icon="runs"
              title="No steps here"
              text="The run has begun no step at this place."
            >
              <a class="btn ghost" href={`${path}/trace`}>
                The newest
              </a>
            </EmptyState>
          ) : (
            <>
              <Waterfall spans={windowSpans({ ...props, now: shell.now }, path)} isWindow />
              <Maps {...props} path={path} />
            </>
          )}
          <Pager {...props} path={path} />
        </Panel>
      </div>
    </Layout>
  );
}

function note({ steps, map }: TracePageProps): string {
  if (map === undefined) return plural(steps.length, "attempt");
  const last = map.from + Math.max(0, steps.length - 1);
  return `${formatCount(map.from)} to ${formatCount(last)} of ${formatCount(map.count)}`;
}

function Maps(props: TracePageProps & { path: string }) {
  if (props.maps.length === 0) return null;
  return (
    <ul class="rows">
      {props.maps.map(({ key, count }) => (
        <li>
          <a
            class="plain-link"
            href={`${props.path}/trace?${new URLSearchParams({ map: key }).toString()}`}
          >
            Items of {key}
          </a>
          <span class="sub num">{plural(count, "item")}</span>
        </li>
      ))}
    </ul>
  );
}

function Pager({ earlier, later, path }: TracePageProps & { path: string }) {
  if (earlier === undefined && later === undefined) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {earlier === undefined ? null : (
        <a class="btn ghost" href={`${path}/trace?${earlier}`} rel="prev">
          Earlier
        </a>
      )}
      <span class="spacer"></span>
      {later === undefined ? null : (
        <a class="btn ghost" href={`${path}/trace?${later}`} rel="next">
          Later
          <Icon name="chevron" size={12} />
        </a>
      )}
    </nav>
  );
}
