import { keepNewline } from "./code.tsx";
import { describe, Field, PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";

/** As it was sent, with what is wrong. */
export interface SignalFormState {
  readonly name: string;
  readonly payload: string;
  readonly nameError?: string | undefined;
  readonly payloadError?: string | undefined;
}

export const NO_SIGNAL: SignalFormState = { name: "", payload: "" };

export function SignalForm(props: { action: string; csrf: string; form: SignalFormState }) {
  const { form } = props;
  const name = {
    id: "signal-name",
    label: "Name",
    hint: "As the workflow waits for it.",
    required: true,
    error: form.nameError,
  };
  const payload = {
    id: "signal-payload",
    label: "Payload",
    note: "JSON",
    hint: "Empty: null.",
    error: form.payloadError,
  };
  return (
    <PostForm action={props.action} csrf={props.csrf} class="stack">
      <Field {...name}>
        <input
          id={name.id}
          name="name"
          class="input mono"
          value={form.name}
          required
          autocomplete="off"
          spellcheck={false}
          autofocus={form.nameError !== undefined}
          {...describe(name)}
        />
      </Field>
      <Field {...payload}>
        <textarea
          id={payload.id}
          name="payload"
          class="input grow mono"
          rows={3}
          spellcheck={false}
          autofocus={form.payloadError !== undefined && form.nameError === undefined}
          {...describe(payload)}
        >
          {keepNewline(form.payload)}
        </textarea>
      </Field>
      <div class="actions">
        <button type="submit" class="btn">
          <Icon name="play" size={14} />
          Send
        </button>
      </div>
    </PostForm>
  );
}
