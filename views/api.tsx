/** The reference of the HTTP API, as its OpenAPI document says it. */
import { Layout } from "./layout.tsx";
import { CopyButton } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { SearchInput } from "./part/search-input.tsx";
import type { Shell } from "./shell.ts";

/** Words, or the name of a schema to link to. */
export type TypePiece = string | { readonly schema: string };

export interface ApiField {
  readonly name: string;
  readonly type: readonly TypePiece[];
  readonly isRequired: boolean;
  readonly description: string;
  /** Limits and defaults. */
  readonly notes: readonly string[];
}

export interface ApiOperation {
  readonly id: string;
  readonly tag: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly (ApiField & { readonly in: string })[];
  readonly body: { readonly type: readonly TypePiece[]; readonly isRequired: boolean } | undefined;
  readonly answers: readonly {
    readonly status: string;
    readonly description: string;
    readonly type: readonly TypePiece[];
    readonly mediaType: string;
  }[];
  /** An example for a shell. */
  readonly curl: string;
}

export interface ApiSchema {
  readonly name: string;
  readonly description: string;
  readonly type: readonly TypePiece[];
  readonly fields: readonly ApiField[];
}

export interface ApiReference {
  readonly version: string;
  readonly introduction: string;
  /** Where the paths begin. */
  readonly base: string;
  readonly groups: readonly {
    readonly name: string;
    readonly description: string;
    readonly operations: readonly ApiOperation[];
  }[];
  readonly schemas: readonly ApiSchema[];
}

export interface ApiPageProps {
  readonly shell: Shell;
  readonly reference: ApiReference;
  readonly search: string;
  /** Nobody gets in without a token or a login. */
  readonly needsToken: boolean;
}

export function ApiPage(props: ApiPageProps) {
  const { shell, reference, search } = props;
  const groups = reference.groups
    .map((group) => ({
      ...group,
      operations: group.operations.filter((one) => matches(search, wordsOf(one))),
    }))
    .filter(({ operations }) => operations.length > 0);
  const page = search === "" ? "" : "/api";
  const schemas = reference.schemas.filter((one) => matches(search, [one.name, one.description]));
  return (
    <Layout shell={shell}>
      <PageHead crumb="System" title="API">
        <form method="get" action="/api" class="search inline" role="search" aria-label="API">
          <SearchInput
            id="api-search"
            label="Search the API"
            value={search}
            placeholder="Search the API"
          />
        </form>
        <a class="btn ghost" href="/api/v1/openapi.json" hx-boost="false">
          <Icon name="download" size={14} />
          OpenAPI document
        </a>
      </PageHead>
      <div class="column api">
        {search === "" ? <Introduction {...props} /> : null}
        {groups.length === 0 && schemas.length === 0 ? <Nothing search={search} /> : null}
        {groups.map((group) => (
          <Panel id={`api-${group.name}`} title={title(group.name)} note={group.description}>
            <ul class="api-list">
              {group.operations.map((one) => (
                <Operation
                  operation={one}
                  isOpen={search !== "" && groups.length < 3}
                  page={page}
                />
              ))}
            </ul>
          </Panel>
        ))}
        {schemas.length === 0 ? null : (
          <Panel id="api-schemas" title="Schemas" note={plural(schemas.length, "schema")}>
            <ul class="api-list">
              {schemas.map((schema) => (
                <Schema schema={schema} page={page} />
              ))}
            </ul>
          </Panel>
        )}
      </div>
    </Layout>
  );
}

function matches(search: string, texts: readonly string[]): boolean {
  const text = texts.join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function wordsOf({ id, method, path, summary, tag }: ApiOperation): string[] {
  return [id, method, path, summary, tag];
}

function title(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function Introduction(props: ApiPageProps) {
  const { reference, needsToken } = props;
  const command = needsToken
    ? `curl -H "Authorization: Bearer $TOKEN" ${reference.base}/runs`
    : `curl ${reference.base}/runs`;
  return (
    <Panel id="api-start" title="Start here" note={`Version ${reference.version}`}>
      <div class="pad api-intro">
        <p>
          <InlineText text={reference.introduction} />
        </p>
        <Command id="api-first" text={command} label="the command" />
        <p>
          {needsToken
            ? "Every request needs a token. "
            : "On this machine no token is needed; from elsewhere every request needs one. "}
          <a class="plain-link" href="/settings/tokens">
            Make a token
          </a>
          .
        </p>
      </div>
    </Panel>
  );
}

function Nothing(props: { search: string }) {
  return (
    <section class="panel">
      <EmptyState
        icon="search"
        title={`Nothing matches “${props.search}”`}
        text="Try a word of an address or of what it does, such as runs."
      >
        <a class="btn ghost" href="/api">
          Show everything
        </a>
      </EmptyState>
    </section>
  );
}

function Operation(props: { operation: ApiOperation; isOpen: boolean; page: string }) {
  const { operation, page } = props;
  const { id, method, path, summary, body } = operation;
  return (
    <li>
      <details class="api-item" open={props.isOpen}>
        <summary>
          <Method method={method} />
          <code class="api-path">{path}</code>
          <span class="api-summary">{summary}</span>
        </summary>
        <div class="api-body" id={`operation-${id}`}>
          <p class="sub">
            <InlineText text={operation.description} />
          </p>
          <Command id={`curl-${id}`} text={operation.curl} label={`the example of ${id}`} />
          {operation.parameters.length === 0 ? null : (
            <Fields caption={`Parameters of ${id}`} fields={operation.parameters} page={page} />
          )}
          {body === undefined ? null : (
            <p>
              Body: <Type pieces={body.type} page={page} />, as JSON
              {body.isRequired ? "." : "; it may be left out."}
            </p>
          )}
          <dl class="api-answers">
            {operation.answers.map((answer) => (
              <div>
                <dt class={Number(answer.status) < 400 ? "ok" : undefined}>{answer.status}</dt>
                <dd>
                  <InlineText text={answer.description} />
                  {answer.type.length === 0 ? null : (
                    <>
                      {" "}
                      <Type pieces={answer.type} page={page} />
                    </>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </div>
      </details>
    </li>
  );
}

function Method(props: { method: string }) {
  return <span class={`method ${props.method.toLowerCase()}`}>{props.method}</span>;
}

function Command(props: { id: string; text: string; label: string }) {
  return (
    <div class="value-box">
      <pre class="value" id={props.id}>
        {props.text}
      </pre>
      <CopyButton target={props.id} label={props.label} />
    </div>
  );
}

function Schema(props: { schema: ApiSchema; page: string }) {
  const { page } = props;
  const { name, description, fields, type } = props.schema;
  return (
    <li>
      <details class="api-item">
        <summary>
          <code class="api-path">{name}</code>
          <span class="api-summary">{description}</span>
        </summary>
        <div class="api-body" id={`schema-${name}`}>
          {fields.length === 0 ? (
            <p>
              <Type pieces={type} page={page} />
            </p>
          ) : (
            <Fields caption={`Fields of ${name}`} fields={fields} page={page} />
          )}
        </div>
      </details>
    </li>
  );
}

function Fields(props: {
  caption: string;
  fields: readonly (ApiField & { readonly in?: string })[];
  page: string;
}) {
  const { page } = props;
  return (
    <dl class="api-fields" aria-label={props.caption}>
      {props.fields.map((field) => (
        <div>
          <dt>
            <code>{field.name}</code>
            {field.in === undefined ? null : <span class="sub"> in {field.in}</span>}
            {field.isRequired ? <span class="api-required"> required</span> : null}
          </dt>
          <dd>
            <span class="api-type">
              <Type pieces={field.type} page={page} />
              {field.notes.length === 0 ? null : `, ${field.notes.join(", ")}`}
            </span>
            {field.description === "" ? null : (
              <span class="sub">
                <InlineText text={field.description} />
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** @param props.page Where the schemas are: "" for this page, which has all of them unless it is searched. */
function Type(props: { pieces: readonly TypePiece[]; page: string }) {
  return (
    <>
      {props.pieces.map((piece) =>
        typeof piece === "string" ? (
          piece
        ) : (
          <a class="plain-link" href={`${props.page}#schema-${piece.schema}`} hx-boost="false">
            {piece.schema}
          </a>
        ),
      )}
    </>
  );
}
