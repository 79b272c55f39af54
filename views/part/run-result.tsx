/** What a run came to. */
import type { Child } from "hono/jsx";
import type { Run, StepAttempt } from "../../src/domain/run.ts";
import type { RunGlance } from "../../src/domain/run-reader.ts";
import { CopyButton, Value } from "./code.tsx";
import { ErrorBox } from "./error-box.tsx";
import { idPart } from "./id.ts";
import { formatBytes } from "./number.ts";
import { Panel } from "./panel.tsx";

/**
 * What came out: the failure, or the values that the steps wrote.
 *
 * @param props.steps Without them every value that was not an input counts as written.
 */
export function RunResult(props: {
  run: Run;
  steps?: readonly StepAttempt[];
  omitted?: RunGlance["omitted"];
  /** What can be asked of a failure. */
  ask?: Child;
}) {
  const { run, omitted } = props;
  const outputs = written(run, props.steps);
  return (
    <div id="run-result" class="column">
      {run.error === null ? null : (
        <Panel id="failure" title="Why it failed" class="refusal">
          <div class="pad-x">
            <ErrorBox error={run.error} />
            {props.ask}
          </div>
        </Panel>
      )}
      {outputs.length === 0 ? null : (
        <Panel id="outputs" title={run.state === "succeeded" ? "Result" : "Result so far"}>
          <ValueList values={outputs} prefix="output" />
        </Panel>
      )}
      {omitted?.values === undefined ? null : (
        <Panel id="outputs" title="Result">
          <LargeValue bytes={omitted.values} run={run} />
        </Panel>
      )}
    </div>
  );
}

/** In the place of values that are too large for a page. */
export function LargeValue(props: { bytes: number; run: Run }) {
  return (
    <p class="quiet">
      The values have {formatBytes(props.bytes)}: more than fits a page.{" "}
      <a
        class="inline-link"
        href={`/runs/${encodeURIComponent(props.run.id)}.json`}
        download={`${props.run.id}.json`}
      >
        Download the run
      </a>
    </p>
  );
}

type Pair = readonly [name: string, value: unknown];

function written(run: Run, steps: readonly StepAttempt[] | undefined): Pair[] {
  if (run.doneNodeIds.length === 0) return [];
  const names =
    steps === undefined
      ? Object.keys(run.values).filter((name) => !Object.hasOwn(run.inputs, name))
      : steps.toReversed().flatMap((step) => Object.keys(step.patch ?? {}));
  // The last step's results are what the run was made for, so they come first.
  return [...new Set(names)]
    .filter((name) => Object.hasOwn(run.values, name))
    .map((name) => [name, run.values[name]]);
}

export function ValueList(props: { values: readonly Pair[]; prefix: string }) {
  return (
    <dl class="values">
      {props.values.map(([name, value]) => {
        const id = `${props.prefix}-${idPart(name)}`;
        return (
          <div>
            <dt>
              <code>{name}</code>
            </dt>
            <dd class="value-box">
              <Value value={value} id={id} />
              <CopyButton target={id} label={name} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
