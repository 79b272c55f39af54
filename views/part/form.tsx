import type { Child, PropsWithChildren } from "hono/jsx";
import { InlineText } from "./inline-text.tsx";

interface FormProps {
  readonly action: string;
  readonly id?: string;
  readonly class?: string;
  /** Carries a file. */
  readonly multipart?: boolean;
  /**
   * With script it is sent without leaving the page, for what comes back to this page and shows in its live parts:
   * the button is busy until they say so, and a refusal stands beside it.
   */
  readonly stays?: boolean;
  /** What was typed has gone with it: one that stays is empty afterwards. */
  readonly clears?: boolean;
}

/**
 * A form that changes something. It is sent by the browser itself, not by htmx: refusals (422) and
 * redirects then work the same with and without script.
 */
export function PostForm(props: PropsWithChildren<FormProps & { csrf: string }>) {
  return (
    <SentForm {...props}>
      <input type="hidden" name="_csrf" value={props.csrf} />
      {props.children}
    </SentForm>
  );
}

/** The same inside of a live part, which is drawn without the CSRF token of a page: `FormToken` gives it, outside. */
export function LiveForm(props: PropsWithChildren<FormProps & { id: string }>) {
  return <SentForm {...props} />;
}

function SentForm(props: PropsWithChildren<FormProps>) {
  return (
    <form
      method="post"
      action={props.action}
      class={props.class}
      id={props.id}
      enctype={props.multipart === true ? "multipart/form-data" : undefined}
      hx-boost="false"
      data-stays={props.stays === true ? "" : undefined}
      data-clears={props.clears === true ? "" : undefined}
    >
      {props.children}
    </form>
  );
}

/** @param props.form The id of a `LiveForm`. */
export function FormToken(props: { form: string; csrf: string }) {
  return <input type="hidden" name="_csrf" value={props.csrf} form={props.form} />;
}

/**
 * The account that a password belongs to, for password managers. It is neither shown nor sent: there
 * is nothing to type.
 */
export function HiddenUsername(props: { value: string }) {
  return <input type="text" autocomplete="username" value={props.value} hidden readonly />;
}

export interface FieldProps {
  /** Id of the control; the hint is `{id}-hint`, the error `{id}-error`. */
  readonly id: string;
  readonly label: Child;
  readonly required?: boolean;
  /** The type or unit, beside the label. */
  readonly note?: string;
  readonly hint?: Child;
  readonly error?: string | undefined;
}

/** Label, hint, control and error of one field, tied together for screen readers. */
export function Field(props: PropsWithChildren<FieldProps>) {
  return (
    <div class={props.error === undefined ? "field" : "field invalid"}>
      <div class="field-head">
        <label for={props.id}>{props.label}</label>
        {props.required === true ? <span class="required">required</span> : null}
        <span class="spacer"></span>
        {props.note === undefined ? null : <code class="type">{props.note}</code>}
      </div>
      {props.hint === undefined ? null : (
        <p class="hint" id={`${props.id}-hint`}>
          {props.hint}
        </p>
      )}
      {props.children}
      <FieldError id={props.id} error={props.error} />
    </div>
  );
}

export function FieldError(props: { id: string; error: string | undefined }) {
  if (props.error === undefined) return null;
  return (
    <p class="field-error" id={`${props.id}-error`}>
      <InlineText text={props.error} />
    </p>
  );
}

/** The attributes that tie a control to its hint and error. */
export function describe(props: Pick<FieldProps, "id" | "hint" | "error">) {
  const ids = [
    props.hint === undefined ? "" : `${props.id}-hint`,
    props.error === undefined ? "" : `${props.id}-error`,
  ].filter((id) => id !== "");
  return {
    "aria-describedby": ids.length === 0 ? undefined : ids.join(" "),
    "aria-invalid": props.error === undefined ? undefined : ("true" as const),
  };
}
