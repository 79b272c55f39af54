import type { ErrorRecord } from "../src/domain/error.ts";
import { Layout } from "./layout.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { PageHead } from "./part/panel.tsx";
import type { Shell } from "./shell.ts";

/** A page that could not be made: what happened, what to do, details on demand. */
export function ErrorPage(props: { shell: Shell; error: ErrorRecord; status: number }) {
  return (
    <Layout shell={props.shell}>
      <PageHead crumb={`Error ${props.status}`} title={props.shell.title} />
      <section class="panel pad" aria-label="What happened">
        <ErrorBox error={props.error} />
        <div class="actions">
          <a class="btn primary" href="/">
            Back to status
          </a>
          {props.status >= 500 ? (
            <a class="btn ghost" href={props.shell.path}>
              Try again
            </a>
          ) : null}
        </div>
      </section>
    </Layout>
  );
}

/** The same for a part of a page. */
export function ErrorFragment(props: { error: ErrorRecord }) {
  return (
    <div role="alert">
      <ErrorBox error={props.error} />
    </div>
  );
}
