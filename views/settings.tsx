/** Providers and their keys, the password, what is configured and where each value came from. */
import type { ErrorRecord } from "../src/domain/error.ts";
import type { ServiceStatus } from "../src/domain/service.ts";
import { Layout } from "./layout.tsx";
import { StateBadge } from "./part/badge.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { describe, Field, HiddenUsername, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { safeUrl } from "./part/link.ts";
import { formatBytes } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { ServiceTable } from "./part/service-table.tsx";
import { ADMINISTRATOR, isWritable, type Shell } from "./shell.ts";

export interface ProviderStatus {
  readonly name: string;
  readonly label: string;
  readonly configured: boolean;
  /** The variable that holds its key; "" for a provider without one. */
  readonly variable: string;
  readonly baseUrl: string | null;
  /** Where the key came from. */
  readonly origin: string | null;
  /** The result of the last check; null when it was not checked. */
  readonly check: { readonly ok: boolean; readonly message: string } | null;
}

export interface SettingValue {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly description: string;
  /** Never shown: only whether it is set. */
  readonly secret: boolean;
}

export interface SettingsPageProps {
  readonly shell: Shell;
  readonly providers: readonly ProviderStatus[];
  readonly values: readonly SettingValue[];
  readonly dataDir: string;
  readonly databaseBytes: number | null;
  readonly passwordSet: boolean;
  readonly services: readonly ServiceStatus[];
  /** What a form of this page has just done. */
  readonly notice?: string | undefined;
  /** Why a form of this page was refused. */
  readonly error?: ErrorRecord | undefined;
}

export function SettingsPage(props: SettingsPageProps) {
  const { shell } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="System" title="Settings" />
      {props.notice === undefined ? null : (
        <div class="banner ok" role="status">
          <Icon name="check" />
          <p>{props.notice}</p>
        </div>
      )}
      {props.error === undefined ? null : (
        <div class="panel pad gap-below" role="alert">
          <ErrorBox error={props.error} />
        </div>
      )}
      <div class="grid">
        <div class="p-main">
          <Panel id="providers" title="Model providers">
            <ul class="providers">
              {props.providers.map((provider) => (
                <Provider provider={provider} shell={shell} />
              ))}
            </ul>
          </Panel>
        </div>
        <div class="p-side">
          <Password {...props} />
          <Panel id="services-panel" title="Services">
            <ServiceTable services={props.services} now={shell.now} />
          </Panel>
          <About {...props} />
        </div>
        <div class="p-all">
          <Values values={props.values} />
        </div>
      </div>
    </Layout>
  );
}

function Provider(props: { provider: ProviderStatus; shell: Shell }) {
  const { provider, shell } = props;
  const keyed = provider.variable !== "";
  return (
    <li class="provider">
      <div class="card-head">
        <h3>{provider.label}</h3>
        <StateBadge
          state={provider.configured ? "succeeded" : "queued"}
          label={provider.configured ? "Ready" : "Not set up"}
        />
      </div>
      <p class="sub">
        {keyed ? <code>{provider.variable}</code> : "Needs no key."}
        {provider.origin === null ? null : ` · ${provider.origin}`}
        {provider.baseUrl === null ? null : (
          <>
            {" · "}
            <Address url={provider.baseUrl} />
          </>
        )}
      </p>
      <Hint provider={provider} />
      <Check check={provider.check} />
      {isWritable(shell) ? (
        <div class="provider-forms">
          {keyed ? <KeyForm provider={provider} csrf={shell.csrf} /> : null}
          {provider.configured ? (
            <PostForm action="/settings/checks" csrf={shell.csrf}>
              <input type="hidden" name="provider" value={provider.name} />
              <button type="submit" class="btn ghost">
                <Icon name="refresh" size={14} />
                Check<span class="sr"> {provider.label}</span>
              </button>
            </PostForm>
          ) : null}
        </div>
      ) : null}
    </li>
  );
}

function Address(props: { url: string }) {
  const url = safeUrl(props.url);
  if (url === undefined) return <code>{props.url}</code>;
  return (
    <a href={url} rel="noopener noreferrer" class="plain-link">
      {url}
    </a>
  );
}

/** What this page cannot set. */
function Hint(props: { provider: ProviderStatus }) {
  const { provider } = props;
  const text = provider.configured ? undefined : HINTS[provider.name];
  if (text === undefined) return null;
  return (
    <p class="sub">
      <InlineText text={text} />
    </p>
  );
}

const HINTS: Readonly<Record<string, string>> = {
  ollama:
    "Workflows that name it can use it. Set `AGENTS_PROVIDER=ollama` to make it the one for all others.",
  "openai-compatible":
    "Set `OPENAI_COMPATIBLE_BASE_URL` to the server's address; a key is needed only where it wants one.",
};

function Check(props: { check: ProviderStatus["check"] }) {
  const { check } = props;
  if (check === null) return null;
  return (
    <p class={check.ok ? "check-result ok" : "check-result failed"} role="status">
      <Icon name={check.ok ? "check" : "critical"} size={14} />
      <span>
        <span class="sr">{check.ok ? "Check passed: " : "Check failed: "}</span>
        <InlineText text={check.message} />
      </span>
    </p>
  );
}

/** The key can be written, never read: the field is always empty. */
function KeyForm(props: { provider: ProviderStatus; csrf: string }) {
  const { provider } = props;
  const id = `key-${provider.name}`;
  return (
    <PostForm action="/settings/keys" csrf={props.csrf} class="key-form">
      <input type="hidden" name="provider" value={provider.name} />
      <HiddenUsername value={provider.name} />
      <label for={id} class="sr">
        {provider.configured ? "New key" : "Key"} for {provider.label}
      </label>
      <input
        id={id}
        name="key"
        type="password"
        class="input"
        placeholder={provider.configured ? "Replace the key" : "Paste the key"}
        autocomplete="off"
        spellcheck={false}
        required
      />
      <button type="submit" class="btn ghost">
        <Icon name="key" size={14} />
        Save<span class="sr"> the key for {provider.label}</span>
      </button>
    </PostForm>
  );
}

function Password(props: SettingsPageProps) {
  const { shell, passwordSet } = props;
  const hint = "At least 8 characters. Needed to listen on more than this machine.";
  return (
    <Panel
      id="password-panel"
      title="Administrator password"
      action={
        <StateBadge
          state={passwordSet ? "succeeded" : "queued"}
          label={passwordSet ? "Set" : "Not set"}
        />
      }
    >
      {isWritable(shell) ? (
        <PostForm action="/settings/password" csrf={shell.csrf} class="stack pad">
          <HiddenUsername value={ADMINISTRATOR} />
          {passwordSet ? (
            <Field id="current" label="Current password">
              <input
                id="current"
                name="current"
                type="password"
                class="input"
                autocomplete="current-password"
                required
              />
            </Field>
          ) : null}
          <Field id="password" label="New password" hint={hint}>
            <input
              id="password"
              name="password"
              type="password"
              class="input"
              autocomplete="new-password"
              minlength={8}
              required
              {...describe({ id: "password", hint })}
            />
          </Field>
          <button type="submit" class="btn ghost">
            <Icon name="lock" size={14} />
            {passwordSet ? "Change password" : "Set password"}
          </button>
        </PostForm>
      ) : (
        <p class="quiet">It can be changed again when the database can be written.</p>
      )}
    </Panel>
  );
}

function Values(props: { values: readonly SettingValue[] }) {
  return (
    <Panel id="values" title="Configuration" note="flag, environment, .env files, default">
      <div class="table-wrap">
        <table class="settings">
          <caption class="sr">Effective configuration</caption>
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {props.values.map((setting) => (
              <tr>
                <th scope="row">
                  <code>{setting.name}</code>
                  <span class="sub">
                    <InlineText text={setting.description} />
                  </span>
                </th>
                <td>
                  <span class="cell-label" aria-hidden="true">
                    Value
                  </span>
                  {setting.secret ? (
                    <span class="sub">{setting.value === "" ? "not set" : "set, hidden"}</span>
                  ) : setting.value === "" ? (
                    <span class="sub">not set</span>
                  ) : (
                    <code>{setting.value}</code>
                  )}
                </td>
                <td>
                  <span class="cell-label" aria-hidden="true">
                    From
                  </span>
                  <span class="origin">{setting.origin}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function About(props: SettingsPageProps) {
  return (
    <Panel id="about" title="About">
      <dl class="pairs">
        <div>
          <dt>Version</dt>
          <dd>agents {props.shell.version}</dd>
        </div>
        <div>
          <dt>Licence</dt>
          <dd>MIT. Fonts Inter and JetBrains Mono: SIL Open Font License 1.1.</dd>
        </div>
        <div>
          <dt>Data folder</dt>
          <dd>
            <code class="path">{props.dataDir}</code>
          </dd>
        </div>
        <div>
          <dt>Database</dt>
          <dd>
            {props.databaseBytes === null ? "size unknown" : formatBytes(props.databaseBytes)}
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
