import type { WorkflowVersion } from "../../src/domain/workflow.ts";
import { Icon } from "./icon.tsx";

type Numbered = Pick<WorkflowVersion, "number">;

/** Chooses two versions to be compared. @param props.versions The newest first. */
export function CompareForm(props: {
  versions: readonly Numbered[];
  /** Of the workflow. */
  path: string;
  from?: number;
  to?: number;
  split?: boolean;
}) {
  const { versions } = props;
  const { from = versions[1]?.number, to = versions[0]?.number } = props;
  return (
    <form
      method="get"
      action={`${props.path}/diff`}
      class="compare-form"
      aria-label="Compare versions"
    >
      <VersionSelect name="from" label="From" versions={versions} chosen={from} />
      <VersionSelect name="to" label="to" versions={versions} chosen={to} />
      {props.split === true ? <input type="hidden" name="view" value="split" /> : null}
      <button type="submit" class="btn ghost">
        <Icon name="compare" size={14} />
        Compare
      </button>
    </form>
  );
}

function VersionSelect(props: {
  name: string;
  label: string;
  versions: readonly Numbered[];
  chosen: number | undefined;
}) {
  const id = `compare-${props.name}`;
  return (
    <>
      <label for={id}>{props.label}</label>
      <select id={id} name={props.name} class="input">
        {props.versions.map(({ number }) => (
          <option value={String(number)} selected={number === props.chosen}>
            Version {number}
          </option>
        ))}
      </select>
    </>
  );
}
