import { inputKind } from "../../views/part/type.ts";
import { inputName, type RunForm, type RunFormField } from "../../views/part/run-form.tsx";
import type { ProviderStatus } from "../../views/settings.tsx";
import type { RunOverrides } from "../domain/run.ts";
import { AppError } from "../domain/error.ts";
import {
  PROVIDERS,
  type ProviderName,
  type StateField,
  type Workflow,
} from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { Form } from "./form.ts";

export interface RunFormReading {
  /** As it was sent, with what is wrong beside each field. */
  readonly form: RunForm;
  /** Undefined when something is wrong. */
  readonly request:
    | {
        readonly values: JsonObject;
        readonly inputs: JsonObject;
        readonly overrides: RunOverrides;
      }
    | undefined;
}

export function emptyRunForm(): RunForm {
  return { fields: [], provider: "", model: "", providers: [] };
}

/** The form of a workflow, filled in with what is given, else with the defaults. */
export function runFormOf(
  workflow: Workflow,
  providers: readonly ProviderStatus[],
  given: { readonly inputs: JsonObject; readonly overrides: RunOverrides } = NOTHING_GIVEN,
): RunForm {
  const { inputs, overrides } = given;
  const fields = askedFields(workflow).map((field) => ({
    field,
    text: textOf(field, inputs[field.name] ?? field.default),
  }));
  const { provider = "", model = "" } = overrides;
  return { fields, provider, model, providers: choices(providers) };
}

const NOTHING_GIVEN = { inputs: {}, overrides: {} };

/**
 * Reads a form that was sent; everything wrong with it is reported at once.
 * @throws AppError `invalid`, `missing_key` for a provider that the form does not offer.
 */
export async function readRunForm(
  form: Form,
  workflow: Workflow,
  providers: readonly ProviderStatus[],
): Promise<RunFormReading> {
  const { parseInputText, readInputs } = await import("../language/input.ts");
  const sent = askedFields(workflow).map((field) => ({ field, text: sentText(form, field) }));
  const inputs: Record<string, Json> = {};
  for (const { field, text } of sent) {
    if (isGiven(field, text)) inputs[field.name] = parseInputText(field, text);
  }
  const { values, problems } = readInputs(workflow, inputs);
  const fields = sent.map(({ field, text }): RunFormField => {
    const problem = problems.find((one) => one.field === field.name);
    return problem === undefined
      ? { field, text }
      : { field, text, error: `${problem.message} ${problem.fix}` };
  });
  const overrides = readOverrides(form, providers);
  return {
    form: {
      fields,
      provider: overrides.provider ?? "",
      model: overrides.model ?? "",
      providers: choices(providers),
    },
    request: values === undefined ? undefined : { values, inputs, overrides },
  };
}

/** What is worth asking for: not what the nodes write, unless it has to be given. */
function askedFields(workflow: Workflow): StateField[] {
  const written = new Set(
    workflow.nodes.flatMap((node) => node.outputs.map((output) => output.name)),
  );
  return workflow.state.filter((field) => field.required || !written.has(field.name));
}

/** A value of a field as its control shows it. */
export function textOf(field: StateField, value: Json): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  const isLines = inputKind(field.type) === "lines" && Array.isArray(value);
  if (isLines) return value.join("\n");
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}

/** What was sent for a field; a checkbox that is off reads as `false`. */
export function sentText(form: Form, field: StateField): string {
  const name = inputName(field.name);
  // A checkbox that is off is not sent at all.
  if (inputKind(field.type) === "checkbox") return form.has(name) ? "true" : "false";
  return form.text(name).replaceAll("\r\n", "\n");
}

/** An empty control is no input, except that a text which was filled in may have been emptied. */
function isGiven(field: StateField, text: string): boolean {
  return text !== "" || (field.type.kind === "str" && textOf(field, field.default) !== "");
}

function readOverrides(form: Form, providers: readonly ProviderStatus[]): RunOverrides {
  const name = form.text("provider");
  const model = form.text("model").trim();
  const provider = name === "" ? undefined : requireProvider(name, providers);
  return defined({ provider, model: model === "" ? undefined : model });
}

function requireProvider(name: string, providers: readonly ProviderStatus[]): ProviderName {
  const provider = PROVIDERS.find((one) => one === name);
  if (provider === undefined) {
    throw new AppError("invalid", `There is no provider ${name}.`, {
      fix: `Use one of: ${PROVIDERS.join(", ")}.`,
    });
  }
  requireUsable(provider, providers);
  return provider;
}

/** @throws AppError `missing_key` for a provider that is not set up. */
export function requireUsable(name: ProviderName, providers: readonly ProviderStatus[]): void {
  const status = providers.find((one) => one.name === name);
  if (status?.configured === false) {
    throw new AppError("missing_key", `The provider ${name} is not set up.`, {
      fix: status.variable === "" ? "Set it up in the settings." : `Set ${status.variable}.`,
    });
  }
}

function choices(providers: readonly ProviderStatus[]): RunForm["providers"] {
  return providers.map(({ name, configured }) => ({
    name,
    usable: configured,
    note: name === "demo" ? "made-up answers, offline" : configured ? "" : "not set up",
  }));
}
