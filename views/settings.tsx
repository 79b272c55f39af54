/** Providers and their keys, the password, what is configured and where each value came from. */
import type { ErrorRecord } from "../src/domain/error.ts";
import type { ServiceStatus } from "../src/domain/service.ts";
import { Layout } from "./layout.tsx";
import { BackupsPanel, type BackupsProps } from "./part/backup-list.tsx";
import { StateBadge } from "./part/badge.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { describe, Field, HiddenUsername, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { safeUrl } from "./part/link.ts";
import { Notice } from "./part/notice.tsx";
import { formatBytes } from "./part/number.ts";
import { MoreLink, PageHead, Panel } from "./part/panel.tsx";
import { ServiceTable } from "./part/service-table.tsx";
import {
  type Removal,
  SETTING_SECTIONS,
  SettingsForm,
  SettingsPanel,
  type SettingValue,
} from "./part/settings-form.tsx";
import { ADMINISTRATOR, isWritable, type Shell } from "./shell.ts";

export type { SettingControl, SettingValue } from "./part/settings-form.tsx";

export interface ProviderStatus {
  readonly name: string;
  readonly label: string;
  readonly configured: boolean;
  /** The variable that holds its key; "" for a provider without one. */
  readonly variable: string;
  readonly baseUrl: string | null;
  /** Where the key came from. */
  readonly origin: string | null;
  /** The key was saved here, so it can be removed here. */
  readonly isSaved?: boolean;
  /** The result of the last check; null when it was not checked. */
  readonly check: { readonly ok: boolean; readonly message: string } | null;
}

export interface SettingsPageProps extends BackupsProps {
  readonly shell: Shell;
  readonly providers: readonly ProviderStatus[];
  readonly values: readonly SettingValue[];
  readonly dataDir: string;
  readonly databaseBytes: number | null;
  readonly passwordSet: boolean;
  readonly services: readonly ServiceStatus[];
  readonly commit: string;
  readonly databasePath: string;
  /** Something was saved that only a new start takes up. */
  readonly needsRestart: boolean;
  /** What was sent for settings and refused, with the reasons, by name. */
  readonly draft?: Readonly<Record<string, string>> | undefined;
  readonly faults?: Readonly<Record<string, string>> | undefined;
  /** Saving would remove so many runs: asked first. */
  readonly removals?: readonly Removal[] | undefined;
  /** What a form of this page has just done. */
  readonly notice?: string | undefined;
  /** Why a form of this page was refused. */
  readonly error?: ErrorRecord | undefined;
}

const INDEX = [
  ["providers-h", "Providers and keys"],
  ["defaults-h", "Defaults"],
  ["limits-h", "Limits"],
  ["retention-h", "Retention"],
  ["password-panel-h", "Password and sessions"],
  ["backups-h", "Backup and restore"],
  ["services-panel-h", "Services"],
  ["values-h", "All settings"],
  ["about-h", "About"],
] as const;

export function SettingsPage(props: SettingsPageProps) {
  const { shell } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="System" title="Settings" />
      <Notices {...props} />
      <div class="with-index">
        <nav class="index" aria-label="Sections">
          <ul>
            {INDEX.map(([id, label]) => (
              <li>
                <a href={`#${id}`}>{label}</a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="column">
          <Panel id="providers" title="Providers and keys">
            <ul class="providers">
              {props.providers.map((provider) => (
                <Provider {...props} provider={provider} />
              ))}
            </ul>
            <SettingsForm {...props} section="addresses" folded="Addresses" />
          </Panel>
          <SettingsPanel {...props} section="defaults" title="Defaults" />
          <SettingsPanel {...props} section="limits" title="Limits" note="0: no limit" />
          <SettingsPanel {...props} section="retention" title="Retention" note="0: no limit" />
          <Password {...props} />
          <BackupsPanel {...props} />
          <Panel id="api-panel" title="API" action={<MoreLink href="/api" label="Reference" />}>
            <div class="stack pad">
              <p class="sub">Programs on other machines prove themselves with tokens.</p>
              <a class="btn ghost" href="/settings/tokens">
                <Icon name="key" size={14} />
                Tokens
              </a>
            </div>
          </Panel>
          <Panel id="services-panel" title="Services">
            <ServiceTable services={props.services} now={shell.now} />
            <RestartForm shell={shell} />
          </Panel>
          <Values values={props.values} />
          <About {...props} />
        </div>
      </div>
    </Layout>
  );
}

function Notices(props: SettingsPageProps) {
  const { shell, notice, error, needsRestart } = props;
  return (
    <>
      {notice === undefined ? null : <Notice>{notice}</Notice>}
      {error === undefined ? null : (
        <div class="panel pad gap-below" role="alert">
          <ErrorBox error={error} />
        </div>
      )}
      {needsRestart && isWritable(shell) ? (
        <div class="banner info">
          <Icon name="refresh" />
          <p>What was saved here counts after a restart.</p>
          <PostForm action="/settings/restart" csrf={shell.csrf}>
            <button type="submit" class="btn ghost">
              Restart now
            </button>
          </PostForm>
        </div>
      ) : null}
    </>
  );
}

function RestartForm(props: { shell: Shell }) {
  const { shell } = props;
  if (!isWritable(shell)) return null;
  return (
    <PostForm action="/settings/restart" csrf={shell.csrf} class="stack pad">
      <p class="sub">
        Runs that are under way go on where they are, a moment later. The page follows.
      </p>
      <div class="actions">
        <button type="submit" class="btn ghost">
          <Icon name="refresh" size={14} />
          Restart agents
        </button>
      </div>
    </PostForm>
  );
}

function Provider(props: SettingsPageProps & { provider: ProviderStatus }) {
  const { provider, shell } = props;
  const section = SETTING_SECTIONS.find((one) => one === provider.name);
  const keyed = provider.variable !== "";
  return (
    <li class="provider" id={`${provider.name}-h`}>
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
          {keyed && provider.isSaved === true ? (
            <PostForm action="/settings/keys/removals" csrf={shell.csrf}>
              <input type="hidden" name="provider" value={provider.name} />
              <button type="submit" class="btn ghost">
                <Icon name="trash" size={14} />
                Remove<span class="sr"> the key for {provider.label}</span>
              </button>
            </PostForm>
          ) : null}
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
      {section === undefined ? null : (
        <SettingsForm {...props} section={section} folded="Model and limits" of={provider.label} />
      )}
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
      {isWritable(shell) && shell.needsLogin ? (
        <PostForm action="/settings/sessions" csrf={shell.csrf} class="stack pad">
          <p class="sub">Ends every session in every browser, this one too.</p>
          <button type="submit" class="btn ghost">
            <Icon name="logout" size={14} />
            Log out everywhere
          </button>
        </PostForm>
      ) : null}
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
          <dd>
            agents {props.shell.version} <span class="sub">commit {props.commit}</span>
          </dd>
        </div>
        <div>
          <dt>Bun</dt>
          <dd>{Bun.version}</dd>
        </div>
        <div>
          <dt>Licence</dt>
          <dd>
            MIT. Inside: Bun (MIT; JavaScriptCore LGPL-2.1), SQLite (public domain), htmx (0BSD),
            hono, drizzle-orm, zod and the AI SDK (MIT or Apache-2.0). Fonts Inter and JetBrains
            Mono: SIL Open Font License 1.1.
          </dd>
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
            <code class="path">{props.databasePath}</code>{" "}
            {props.databaseBytes === null ? "size unknown" : formatBytes(props.databaseBytes)}
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
