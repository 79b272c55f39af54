import type { StateField } from "../../src/domain/workflow.ts";
import { keepNewline } from "./code.tsx";
import { describe, Field, FieldError, PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { inputKind, typeText } from "./type.ts";

/** The form that starts a run, as it was sent: with the texts and errors after a refusal. */
export interface RunForm {
  readonly fields: readonly RunFormField[];
  /** "" is what the workflow says. */
  readonly provider: string;
  readonly model: string;
  readonly providers: readonly {
    readonly name: string;
    readonly usable: boolean;
    /** Why it cannot be used, or what it is. */
    readonly note: string;
  }[];
}

export interface RunFormField {
  readonly field: StateField;
  /** As typed; `true` or `false` for a checkbox, one item a line for a list. */
  readonly text: string;
  readonly error?: string | undefined;
}

/** The name of a field's control in the form. */
export function inputName(field: string): string {
  return `input.${field}`;
}

export function RunFormView(props: { form: RunForm; action: string; csrf: string }) {
  return (
    <PostForm action={props.action} csrf={props.csrf} class="stack pad" id="run">
      <RunFields form={props.form} refusal="The run was not started" />
      <button type="submit" class="btn primary">
        <Icon name="play" size={14} />
        Start run
      </button>
    </PostForm>
  );
}

/**
 * What a run is started with: inputs, provider, model.
 *
 * @param props.refusal What did not happen because of an input that does not fit.
 */
export function RunFields(props: { form: RunForm; refusal: string }) {
  const { form } = props;
  const required = form.fields.filter(({ field }) => field.required);
  const optional = form.fields.filter(({ field }) => !field.required);
  const invalid = form.fields.find(({ error }) => error !== undefined);
  return (
    <>
      {invalid === undefined ? null : (
        <p class="form-error" role="alert">
          {props.refusal}: some inputs need another look.
        </p>
      )}
      {required.map((item) => (
        <InputField item={item} autofocus={item === invalid} />
      ))}
      {optional.length === 0 ? null : (
        <details
          class="fold"
          open={required.length === 0 || optional.some((item) => item.error !== undefined)}
        >
          <summary>
            <Icon name="chevron" size={12} />
            Optional inputs
          </summary>
          <div class="stack">
            {optional.map((item) => (
              <InputField item={item} autofocus={item === invalid} />
            ))}
          </div>
        </details>
      )}
      <details class="fold" open={form.provider !== "" || form.model !== ""}>
        <summary>
          <Icon name="chevron" size={12} />
          Provider and model
        </summary>
        <Overrides form={form} />
      </details>
    </>
  );
}

/** @param props.autofocus The first field with an error: a browser scrolls there by itself. */
export function InputField(props: { item: RunFormField; autofocus: boolean }) {
  const { field, error } = props.item;
  const id = `input-${field.name}`;
  const kind = inputKind(field.type);
  const hint = [field.description, KIND_HINT[kind]].filter((text) => text !== undefined).join(" ");
  const described = { id, error, ...(hint === "" ? {} : { hint }) };
  if (kind === "checkbox") return <CheckboxField {...props} id={id} hint={hint} />;
  return (
    <Field {...described} label={field.name} required={field.required} note={typeText(field.type)}>
      <Control {...props} id={id} described={describe(described)} />
    </Field>
  );
}

const KIND_HINT: Partial<Record<ReturnType<typeof inputKind>, string>> = {
  lines: "One item a line.",
  json: "As JSON.",
};

function Control(props: {
  item: RunFormField;
  autofocus: boolean;
  id: string;
  described: ReturnType<typeof describe>;
}) {
  const { field, text } = props.item;
  const kind = inputKind(field.type);
  const common = {
    id: props.id,
    name: inputName(field.name),
    autofocus: props.autofocus,
    ...props.described,
  };
  if (kind === "integer" || kind === "number")
    return (
      <input
        {...common}
        class="input"
        type="number"
        step={kind === "integer" ? "1" : "any"}
        value={text}
        required={field.required}
      />
    );
  return (
    <textarea
      {...common}
      class={kind === "json" ? "input grow mono" : "input grow"}
      rows={kind === "text" ? 2 : 4}
      spellcheck={kind !== "json"}
      required={field.required}
    >
      {keepNewline(text)}
    </textarea>
  );
}

function CheckboxField(props: {
  item: RunFormField;
  autofocus: boolean;
  id: string;
  hint: string;
}) {
  const { field, text, error } = props.item;
  const described = { id: props.id, error, ...(props.hint === "" ? {} : { hint: props.hint }) };
  return (
    <div class={error === undefined ? "field" : "field invalid"}>
      <div class="field-head check">
        <input
          id={props.id}
          name={inputName(field.name)}
          type="checkbox"
          value="true"
          checked={text === "true"}
          autofocus={props.autofocus}
          {...describe(described)}
        />
        <label for={props.id}>{field.name}</label>
        <span class="spacer"></span>
        <code class="type">bool</code>
      </div>
      {props.hint === "" ? null : (
        <p class="hint" id={`${props.id}-hint`}>
          {props.hint}
        </p>
      )}
      <FieldError id={props.id} error={error} />
    </div>
  );
}

function Overrides(props: { form: RunForm }) {
  const { form } = props;
  return (
    <div class="stack">
      <Field id="provider" label="Provider">
        <select id="provider" name="provider" class="input">
          <option value="">As the workflow says</option>
          {form.providers.map(({ name, usable, note }) => (
            <option value={name} selected={name === form.provider} disabled={!usable}>
              {note === "" ? name : `${name} (${note})`}
            </option>
          ))}
        </select>
      </Field>
      <Field id="model" label="Model" hint="Empty: as the workflow says.">
        <input
          id="model"
          name="model"
          type="text"
          class="input"
          value={form.model}
          autocomplete="off"
          spellcheck={false}
          aria-describedby="model-hint"
        />
      </Field>
    </div>
  );
}
