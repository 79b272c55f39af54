/** The workflow beside a conversation as a form: its texts and plain values, each where it is changed. */
import type { EditablePlace } from "../../src/language/edit-source.ts";
import { keepNewline } from "./code.tsx";
import { Field, LiveForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";

/** Its CSRF token stands outside of the live parts. */
export const EDIT_FORM = "result-edit-form";
/** Of the controls; the path of the place follows. */
export const EDIT_PREFIX = "edit:";
const ROWS_MAX = 14;

/** What was sent and refused: it is in the form, and why beside it. */
export interface RefusedEdits {
  readonly values: ReadonlyMap<string, string>;
  readonly message: string;
}

export function ResultForm(props: {
  conversationId: string;
  ordinal: number;
  places: readonly EditablePlace[];
  refused: RefusedEdits | undefined;
}) {
  const { conversationId, ordinal, places, refused } = props;
  if (places.length === 0) {
    return <p class="quiet">There is nothing in this text that a form could show.</p>;
  }
  const groups = Map.groupBy(places, groupOf);
  return (
    <LiveForm
      action={`/chat/${encodeURIComponent(conversationId)}/edits`}
      id={EDIT_FORM}
      class="edit-form"
      stays
    >
      <input type="hidden" name="message" value={String(ordinal)} />
      {refused === undefined ? null : (
        <p class="form-error" role="alert">
          {refused.message}
        </p>
      )}
      {[...groups.values()].map((group) => (
        <Group places={group} values={refused?.values} />
      ))}
      <div class="actions pad edit-actions">
        <button type="submit" class="btn primary small">
          <Icon name="check" size={14} />
          Apply the changes
        </button>
        <span class="sub">They become a message of this conversation; nothing is saved yet.</span>
      </div>
    </LiveForm>
  );
}

/** `nodes/rate/prompt` stands with the other places of this node. */
function groupOf({ path, owner }: EditablePlace): string {
  return `${path.split("/")[0]} ${owner}`;
}

function Group(props: {
  places: readonly EditablePlace[];
  values: ReadonlyMap<string, string> | undefined;
}) {
  const { places, values } = props;
  const [first] = places;
  if (first === undefined) return null;
  const [section] = first.path.split("/");
  return (
    <fieldset class="edit-group stack">
      <legend>
        {section === "nodes" || section === "state" ? (
          <>
            {first.owner} <span class="sub">{section === "nodes" ? "step" : "field"}</span>
          </>
        ) : (
          "Workflow"
        )}
      </legend>
      {places.map((place) => (
        <PlaceField place={place} value={values?.get(place.path) ?? place.value} />
      ))}
    </fieldset>
  );
}

function PlaceField(props: { place: EditablePlace; value: string }) {
  const { place, value } = props;
  const id = `edit-${idPart(place.path)}`;
  return (
    <Field id={id} label={place.label}>
      <Control place={place} value={value} id={id} />
    </Field>
  );
}

function Control(props: { place: EditablePlace; value: string; id: string }) {
  const { place, value, id } = props;
  const name = EDIT_PREFIX + place.path;
  if (place.kind === "boolean") {
    return (
      <select id={id} name={name} class="input">
        {["true", "false"].map((word) => (
          <option value={word} selected={word === value}>
            {word}
          </option>
        ))}
      </select>
    );
  }
  if (place.kind === "long" || place.kind === "code") {
    const isCode = place.kind === "code";
    return (
      <textarea
        id={id}
        name={name}
        class={isCode ? "input grow mono" : "input grow"}
        rows={Math.min(ROWS_MAX, value.split("\n").length + 1)}
        spellcheck={!isCode}
      >
        {keepNewline(value)}
      </textarea>
    );
  }
  return (
    <input
      id={id}
      name={name}
      class="input"
      type="text"
      inputmode={place.kind === "number" ? "decimal" : undefined}
      value={value}
      autocomplete="off"
    />
  );
}
