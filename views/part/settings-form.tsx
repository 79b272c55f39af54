/** Settings that are changed on a page: what they are, where they come from, when a change counts. */
import { isWritable, type Shell } from "../shell.ts";
import { describe, Field, PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { InlineText } from "./inline-text.tsx";
import { plural } from "./number.ts";
import { Panel } from "./panel.tsx";

export const SETTING_SECTIONS = [
  "addresses",
  "defaults",
  "limits",
  "retention",
  // Of one provider each, by its name.
  "openai",
  "anthropic",
  "google",
  "openai-compatible",
  "ollama",
] as const;
export type SettingSection = (typeof SETTING_SECTIONS)[number];

export interface SettingControl {
  readonly section: SettingSection;
  readonly label: string;
  readonly kind: "text" | "number" | "choice";
  readonly choices?: readonly string[];
  readonly unit?: string;
  readonly applies: "now" | "restart";
  /** It was saved here before, so it can go back to its default. */
  readonly isSaved: boolean;
  /** What wins over anything saved here: a flag, the environment. */
  readonly fixedBy: string | null;
}

export interface SettingValue {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly description: string;
  /** Never shown: only whether it is set. */
  readonly secret: boolean;
  readonly default?: string;
  /** How the page changes it; none: it does not. */
  readonly control?: SettingControl | null;
}

/** What would go when less is kept. */
export interface Removal {
  /** Which ones: those older than so many days, or those behind so many newest. */
  readonly beyond: { readonly days: number } | { readonly newest: number };
  readonly count: number;
  /** There are more than were counted. */
  readonly isMore: boolean;
}

export interface SettingsFormProps {
  readonly shell: Shell;
  readonly values: readonly SettingValue[];
  readonly draft?: Readonly<Record<string, string>> | undefined;
  readonly faults?: Readonly<Record<string, string>> | undefined;
  readonly removals?: readonly Removal[] | undefined;
}

type Props = SettingsFormProps & { section: SettingSection };

export function SettingsPanel(props: Props & { title: string; note?: string }) {
  return (
    <Panel
      id={props.section}
      title={props.title}
      {...(props.note === undefined ? {} : { note: props.note })}
    >
      <SettingsForm {...props} />
    </Panel>
  );
}

/** @param props.folded Its title, with whose they are: then it is closed at first, unless something in it was refused. */
export function SettingsForm(props: Props & { folded?: string; of?: string }) {
  const { shell, section, folded, of, faults = {} } = props;
  const own = props.values.filter(({ control }) => control?.section === section);
  if (own.length === 0) return null;
  const isRefused = own.some(({ name }) => faults[name] !== undefined);
  const form = isWritable(shell) ? <Form {...props} values={own} /> : <ReadOnly values={own} />;
  if (folded === undefined) return form;
  return (
    <details class="fold pad" id={`${section}-fold`} open={isRefused}>
      <summary>
        <Icon name="chevron" size={12} />
        {folded}
        {of === undefined ? null : <span class="sr"> of {of}</span>}
      </summary>
      {form}
    </details>
  );
}

function Form(props: Props) {
  const { shell, section, removals = [] } = props;
  return (
    <PostForm action="/settings/values" csrf={shell.csrf} class="stack pad">
      <input type="hidden" name="section" value={section} />
      {/* The first button is the one that Enter presses: it must not be one that resets. */}
      <button type="submit" class="sr" tabindex={-1} aria-hidden="true">
        Save
      </button>
      {section === "retention" && removals.length > 0 ? <Confirm removals={removals} /> : null}
      <div class="setting-grid">
        {props.values.map((setting) => (
          <Setting {...props} setting={setting} />
        ))}
      </div>
      <div class="actions">
        <button type="submit" class="btn primary">
          Save<span class="sr"> {section}</span>
        </button>
      </div>
    </PostForm>
  );
}

function Confirm(props: { removals: readonly Removal[] }) {
  return (
    <div class="banner warning" role="alert">
      <Icon name="warning" />
      <div>
        {props.removals.map(({ beyond, count, isMore }) => (
          <p>
            <b>
              {isMore ? `More than ${plural(count, "run")}` : plural(count, "run")}{" "}
              {"days" in beyond
                ? `that ended more than ${plural(beyond.days, "day")} ago`
                : `behind the ${plural(beyond.newest, "newest run")}`}{" "}
              would be removed,
            </b>{" "}
            with their logs, within the next minutes. This cannot be undone.
          </p>
        ))}
        <label class="tick">
          <input type="checkbox" name="sure" value="yes" />
          Remove them
        </label>
      </div>
    </div>
  );
}

function Setting(props: Props & { setting: SettingValue }) {
  const { setting, draft = {}, faults = {} } = props;
  const { name, control } = setting;
  if (control === null || control === undefined) return null;
  const id = `setting-${name}`;
  const error = faults[name];
  const hint = <InlineText text={setting.description} />;
  const value = draft[name] ?? setting.value;
  return (
    <div class="setting">
      <Field id={id} label={control.label} hint={hint} error={error} note={noteOf(control)}>
        {control.fixedBy === null ? (
          <Control id={id} setting={setting} control={control} value={value} error={error} />
        ) : (
          <input
            id={id}
            class="input"
            value={setting.value}
            readonly
            aria-describedby={`${id}-hint`}
          />
        )}
      </Field>
      <p class="setting-origin sub">
        {control.fixedBy === null
          ? control.isSaved
            ? "Saved here. "
            : "Default. "
          : `Set by ${control.fixedBy}, which wins. `}
        {control.isSaved ? (
          <button type="submit" name="reset" value={name} class="link-btn" formnovalidate>
            Reset<span class="sr"> {control.label}</span>
          </button>
        ) : null}
      </p>
    </div>
  );
}

function noteOf(control: SettingControl): string {
  const when = control.applies === "now" ? "at once" : "after a restart";
  return control.unit === undefined ? when : `${control.unit} · ${when}`;
}

function Control(props: {
  id: string;
  setting: SettingValue;
  control: SettingControl;
  value: string;
  error: string | undefined;
}) {
  const { id, setting, control, value, error } = props;
  const about = describe({ id, hint: true, error });
  if (control.kind === "choice") {
    const isOptional = (setting.default ?? "") === "";
    return (
      <select id={id} name={setting.name} class="input" {...about}>
        {isOptional ? <option value="">Whichever is set up</option> : null}
        {(control.choices ?? []).map((choice) => (
          <option value={choice} selected={choice === value}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      id={id}
      name={setting.name}
      class="input"
      inputmode={control.kind === "number" ? "numeric" : undefined}
      value={value}
      autocomplete="off"
      spellcheck={false}
      placeholder={placeholderOf(setting, control)}
      {...about}
    />
  );
}

function placeholderOf(setting: SettingValue, control: SettingControl): string | undefined {
  if (control.kind !== "number") return "not set";
  return (setting.default ?? "") === "" ? "as for all" : undefined;
}

function ReadOnly(props: { values: readonly SettingValue[] }) {
  return (
    <dl class="pairs">
      {props.values.map(({ control, value }) => (
        <div>
          <dt>{control?.label}</dt>
          <dd>{value === "" ? <span class="sub">not set</span> : value}</dd>
        </div>
      ))}
    </dl>
  );
}
