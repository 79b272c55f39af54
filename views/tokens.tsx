/** Tokens of the API: make one, see who has one, revoke it. */
import type { AccessToken, TokenScope } from "../src/domain/access-token.ts";
import type { ErrorRecord } from "../src/domain/error.ts";
import { Layout } from "./layout.tsx";
import { StateBadge } from "./part/badge.tsx";
import { CopyButton } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { describe, Field, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { Notice } from "./part/notice.tsx";
import { plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { DateTime, TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** Days that a new token counts; "" for ever. */
export const TOKEN_DAYS = ["30", "90", "365", ""] as const;
export type TokenDays = (typeof TOKEN_DAYS)[number];

/** The form as it was sent; empty at first. */
export interface TokenForm {
  readonly name: string;
  readonly scope: TokenScope;
  readonly days: TokenDays;
  readonly nameError?: string | undefined;
}

export interface TokensPageProps {
  readonly shell: Shell;
  readonly tokens: readonly AccessToken[];
  readonly form: TokenForm;
  /** What was just made, and is shown this once. */
  readonly made?: { readonly name: string; readonly token: string } | undefined;
  readonly isRevoked?: boolean;
  readonly error?: ErrorRecord | undefined;
}

const SCOPES: Readonly<Record<TokenScope, { readonly label: string; readonly text: string }>> = {
  read: { label: "Read", text: "Look at workflows, runs and what they did" },
  write: { label: "Write", text: "Look, start, change and cancel" },
  admin: { label: "Admin", text: "Everything, also tokens, keys and settings" },
};

export function TokensPage(props: TokensPageProps) {
  const { shell, tokens, made } = props;
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={
          <a class="plain-link" href="/settings">
            Settings
          </a>
        }
        title="Tokens"
      >
        <a class="btn ghost" href="/api">
          API reference
        </a>
      </PageHead>
      {props.isRevoked === true ? <Notice>The token was revoked.</Notice> : null}
      {props.error === undefined ? null : (
        <div class="panel pad gap-below" role="alert">
          <ErrorBox error={props.error} />
        </div>
      )}
      <div class="grid">
        <div class="p-main">
          {made === undefined ? null : <Made {...made} />}
          <Panel
            id="tokens"
            title="Who has one"
            note={tokens.length === 0 ? undefined : plural(tokens.length, "token")}
          >
            {tokens.length === 0 ? (
              <EmptyState
                icon="key"
                title="No tokens yet"
                text="A program on another machine needs one to use the API. Make it with the form."
              />
            ) : (
              <ul class="providers">
                {tokens.map((token) => (
                  <Token token={token} shell={shell} />
                ))}
              </ul>
            )}
          </Panel>
        </div>
        <div class="p-side">
          <NewToken {...props} />
        </div>
      </div>
    </Layout>
  );
}

function Made(props: { name: string; token: string }) {
  return (
    <section class="panel pad stack" aria-labelledby="made-h" role="status">
      <h2 id="made-h">The token of {props.name}</h2>
      <p class="sub">Copy it now: it is not shown again.</p>
      <div class="value-box">
        <pre class="value" id="made-token">
          {props.token}
        </pre>
        <CopyButton target="made-token" label="the token" />
      </div>
    </section>
  );
}

function Token(props: { token: AccessToken; shell: Shell }) {
  const { token, shell } = props;
  const { id, name, scope, createdAt, lastUsedAt, expiresAt } = token;
  const isExpired = expiresAt !== null && expiresAt <= shell.now;
  return (
    <li class="provider">
      <div class="card-head">
        <h3>{name}</h3>
        <StateBadge
          state={isExpired ? "failed" : "succeeded"}
          label={isExpired ? "Expired" : SCOPES[scope].label}
        />
      </div>
      <p class="sub">
        {SCOPES[scope].text} · made <TimeAgo at={createdAt} now={shell.now} />
        {" · "}
        {lastUsedAt === null ? (
          "never used"
        ) : (
          <>
            last used <TimeAgo at={lastUsedAt} now={shell.now} />
          </>
        )}
        {" · "}
        {expiresAt === null ? (
          "never expires"
        ) : (
          <>
            {isExpired ? "expired" : "expires"} <DateTime at={expiresAt} />
          </>
        )}
      </p>
      {isWritable(shell) ? (
        <div class="provider-forms">
          <PostForm
            action={`/settings/tokens/${encodeURIComponent(id)}/revocation`}
            csrf={shell.csrf}
          >
            <button type="submit" class="btn danger small">
              <Icon name="trash" size={14} />
              Revoke<span class="sr"> the token of {name}</span>
            </button>
          </PostForm>
        </div>
      ) : null}
    </li>
  );
}

const DAYS: Readonly<Record<TokenDays, string>> = {
  "30": "30 days",
  "90": "90 days",
  "365": "A year",
  "": "For ever",
};

function NewToken(props: TokensPageProps) {
  const { shell, form } = props;
  const name = {
    id: "token-name",
    hint: "Who uses it: a machine, a program, a person.",
    error: form.nameError,
  };
  return (
    <Panel id="new-token" title="New token">
      {isWritable(shell) ? (
        <PostForm action="/settings/tokens" csrf={shell.csrf} class="stack pad">
          <Field {...name} label="Name">
            <input
              id="token-name"
              name="name"
              class="input"
              value={form.name}
              maxlength={100}
              autocomplete="off"
              required
              autofocus={form.nameError !== undefined}
              {...describe(name)}
            />
          </Field>
          <Field id="token-scope" label="May">
            <select id="token-scope" name="scope" class="input">
              {Object.entries(SCOPES).map(([scope, { label, text }]) => (
                <option value={scope} selected={scope === form.scope}>
                  {label}: {text.charAt(0).toLowerCase() + text.slice(1)}
                </option>
              ))}
            </select>
          </Field>
          <Field id="token-days" label="Counts for">
            <select id="token-days" name="days" class="input">
              {TOKEN_DAYS.map((days) => (
                <option value={days} selected={days === form.days}>
                  {DAYS[days]}
                </option>
              ))}
            </select>
          </Field>
          <button type="submit" class="btn primary">
            <Icon name="plus" size={14} />
            Make token
          </button>
        </PostForm>
      ) : (
        <p class="quiet">One can be made again when the database can be written.</p>
      )}
    </Panel>
  );
}
