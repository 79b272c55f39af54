/** What is said about a workflow text while it is written: its problems, its graph, what it asks for. */
import type { Problem, Workflow, WorkflowRecord } from "../../src/domain/workflow.ts";
import type { Drawing } from "../../src/graph/drawing.ts";
import { formatDuration } from "./duration.ts";
import { EmptyState } from "./empty-state.tsx";
import { Graph, planNodes } from "./graph.tsx";
import { Icon } from "./icon.tsx";
import { formatCost } from "./money.ts";
import { formatCount, plural } from "./number.ts";
import { ProblemList } from "./problem-list.tsx";
import { typeText } from "./type.ts";

/** The form of the editor; its buttons stand in the head of the page and beside the text. */
export const EDITOR_FORM = "editor-form";
/** What its button says that takes the text to the chat. */
export const ASK_INTENT = "ask";

export interface WorkflowCheck {
  readonly source: string;
  /** Undefined when the text has errors. */
  readonly workflow: Workflow | undefined;
  readonly problems: readonly Problem[];
  readonly drawing: Drawing | undefined;
  /** Whether the chat can be asked to mend it. */
  readonly canAsk?: boolean;
  /** What saving would do, where that may surprise. */
  readonly target: SaveTarget;
  /** What a run of this workflow has cost and taken so far, on average. */
  readonly average?: { readonly costNanoUsd: number; readonly durationMs: number } | undefined;
}

export type SaveTarget =
  /** Nothing is known of the name yet, or the text is to be the next version of the workflow it came from. */
  | { readonly kind: "expected" }
  /** The name was changed to one that no workflow has. */
  | { readonly kind: "renamed"; readonly from: string }
  /** Another workflow has this name. */
  | { readonly kind: "taken"; readonly record: WorkflowRecord };

/** The parts that an editor takes over; without a graph it keeps the last one. */
export function CheckParts(props: { check: WorkflowCheck }) {
  return (
    <>
      <CheckPanel {...props} />
      {props.check.workflow === undefined ? null : <PreviewPanel {...props} />}
    </>
  );
}

export function CheckPanel(props: { check: WorkflowCheck }) {
  const { workflow, problems, source } = props.check;
  const isEmpty = source.trim() === "";
  const state = isEmpty ? "Nothing written yet" : summary(workflow, problems);
  const tone = workflow === undefined && !isEmpty ? "critical" : "ok";
  return (
    <section
      class={
        problems.length === 0 || isEmpty ? "panel" : `panel ${workflow ? "caution" : "refusal"}`
      }
      id="check"
      data-part
      aria-labelledby="check-h"
    >
      <header class="panel-head">
        <h2 id="check-h">Check</h2>
        <span class="spacer"></span>
        <span class={`check-state t-${tone}`} id="check-state" role="status">
          <Icon name={tone === "ok" ? "check" : "critical"} size={14} />
          {state}
        </span>
      </header>
      <TargetNote check={props.check} />
      {isEmpty ? null : <ProblemList problems={problems} source={source} linked editable />}
      {workflow === undefined && !isEmpty && props.check.canAsk === true ? (
        <div class="pad">
          <button
            type="submit"
            class="btn ghost small"
            form={EDITOR_FORM}
            name="intent"
            value={ASK_INTENT}
          >
            <Icon name="chat" size={14} />
            Have the chat mend it
          </button>
        </div>
      ) : null}
    </section>
  );
}

function summary(workflow: Workflow | undefined, problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const parts = [
    workflow === undefined
      ? plural(errors, "error")
      : `Valid, ${plural(workflow.nodes.length, "step")}`,
    warnings === 0 ? "" : plural(warnings, "warning"),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function TargetNote(props: { check: WorkflowCheck }) {
  const { target, workflow } = props.check;
  if (workflow === undefined || target.kind === "expected") return null;
  return (
    <p class="quiet">
      {target.kind === "renamed" ? (
        <>
          The name has changed: saving makes a new workflow <b>{workflow.name}</b>, and{" "}
          <b>{target.from}</b> stays as it is.
        </>
      ) : (
        <>
          There is a workflow{" "}
          <a href={`/workflows/${encodeURIComponent(target.record.id)}`}>{target.record.name}</a>{" "}
          already. Choose another name, or save: the difference is shown before it gets a version{" "}
          {target.record.version.number + 1}.
        </>
      )}
    </p>
  );
}

export function PreviewPanel(props: { check: WorkflowCheck }) {
  const { workflow, drawing, source } = props.check;
  return (
    <section class="panel" id="preview" data-part aria-labelledby="preview-h">
      <header class="panel-head">
        <h2 id="preview-h">Preview</h2>
        {workflow === undefined ? null : <span class="panel-note">{workflow.name}</span>}
      </header>
      <p class="quiet stale-note">This is the last text without errors.</p>
      {workflow === undefined ? (
        <EmptyState
          icon="workflows"
          title="No graph yet"
          text="It shows up here as soon as the text has no errors."
        />
      ) : (
        <>
          {drawing === undefined ? (
            <p class="quiet">
              {plural(workflow.nodes.length, "step")}: too many to be drawn while you write.
            </p>
          ) : (
            <PreviewGraph workflow={workflow} drawing={drawing} source={source} />
          )}
          <Facts check={props.check} workflow={workflow} />
        </>
      )}
    </section>
  );
}

function PreviewGraph(props: { workflow: Workflow; drawing: Drawing; source: string }) {
  const { workflow, drawing } = props;
  const lines = nodeLines(props.source);
  return (
    <Graph
      drawing={drawing}
      label={`Steps of ${workflow.name}`}
      id="preview-graph"
      nodes={planNodes(workflow, (id) => `#L${lines.get(id) ?? 1}`)}
    />
  );
}

/** The line on which each id is given; good enough to jump to. */
function nodeLines(source: string): ReadonlyMap<string, number> {
  const lines = source.split(/\r?\n/).flatMap((line, index): [string, number][] => {
    const id = /(?:^|[\s{,])["']?id["']?:\s*["']?(?<id>[\p{L}_][\p{L}\p{N}_]*)/u.exec(line)
      ?.groups?.["id"];
    return id === undefined ? [] : [[id, index + 1]];
  });
  return new Map(lines);
}

function stepsText(count: number, models: number): string {
  if (models === 0) return `${count}, without a model`;
  if (models < count) return `${count}, ${models} of them with a model`;
  return count === 1 ? "1, with a model" : `${count}, all with a model`;
}

function Facts(props: { check: WorkflowCheck; workflow: Workflow }) {
  const { workflow } = props;
  const { average } = props.check;
  const { budget } = workflow;
  const written = new Set(workflow.nodes.flatMap((node) => node.outputs.map(({ name }) => name)));
  const inputs = workflow.state.filter((field) => field.required || !written.has(field.name));
  const models = workflow.nodes.filter((node) => node.kind === "llm").length;
  const limits = [
    budget.maxCostNanoUsd === undefined ? "" : formatCost(budget.maxCostNanoUsd),
    budget.maxTokens === undefined ? "" : `${formatCount(budget.maxTokens)} tokens`,
    budget.maxDurationMs === undefined ? "" : formatDuration(budget.maxDurationMs),
  ].filter((text) => text !== "");
  return (
    <dl class="pairs facts-list">
      <div>
        <dt>Steps</dt>
        <dd>{stepsText(workflow.nodes.length, models)}</dd>
      </div>
      <div>
        <dt>Inputs</dt>
        <dd>
          {inputs.length === 0
            ? "none"
            : inputs.map((field, index) => (
                <>
                  {index === 0 ? "" : ", "}
                  <code>{field.name}</code> {typeText(field.type)}
                  {field.required ? " (required)" : ""}
                </>
              ))}
        </dd>
      </div>
      {limits.length === 0 ? null : (
        <div>
          <dt>Budget</dt>
          <dd>at most {limits.join(", ")}</dd>
        </div>
      )}
      {average === undefined ? null : (
        <div>
          <dt>A run so far</dt>
          <dd>
            {formatCost(average.costNanoUsd)}, {formatDuration(average.durationMs)} on average
          </dd>
        </div>
      )}
    </dl>
  );
}
