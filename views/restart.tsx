/** While the product starts anew. */
import { Layout } from "./layout.tsx";
import { Icon } from "./part/icon.tsx";
import { PageHead } from "./part/panel.tsx";
import type { Shell } from "./shell.ts";

/** Long enough that the server is normally back when a browser without script asks again. */
const REFRESH_SECONDS = 8;

/** @param props.of The start that is about to end: an answer of another one leads on. */
export function RestartPage(props: { shell: Shell; of: string }) {
  const path = `/settings/restart?of=${encodeURIComponent(props.of)}`;
  return (
    <Layout shell={props.shell} refreshSeconds={REFRESH_SECONDS}>
      <PageHead crumb="System" title="Restarting" />
      <section class="panel" aria-label="Restart">
        <div class="empty" role="status">
          <span class="empty-icon">
            <Icon name="refresh" size={20} />
          </span>
          <p class="empty-title">agents is starting anew</p>
          <p class="empty-text">
            This takes some seconds. Runs that are under way go on by themselves. The page goes on
            when it is done.
          </p>
          <div class="actions">
            <a class="btn ghost" href={path}>
              Look again
            </a>
          </div>
        </div>
        <div
          hx-get={path}
          hx-trigger="every 1s"
          hx-swap="none"
          {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
          hidden
        ></div>
      </section>
    </Layout>
  );
}
