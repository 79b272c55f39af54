/** What every page says before its content: that nothing can be saved, that the answers are made up. */
import type { DatabaseHealth } from "../../src/domain/service.ts";
import { Icon } from "./icon.tsx";
import { InlineText } from "./inline-text.tsx";
import { LivePart } from "./live-part.tsx";

export interface BannerProps {
  readonly health: DatabaseHealth;
  readonly demo: boolean;
}

/**
 * `client.js` fetches the page anew when `data-database` changes while it is open, since what writes
 * is offered only while the database can be written.
 */
export function Banners(props: BannerProps) {
  const { health, demo } = props;
  return (
    <div id="banners" data-database={health.state}>
      {health.state === "degraded" ? (
        <div class="banner critical" role="alert">
          <Icon name="critical" />
          <div>
            <p>
              <b>Degraded: nothing can be saved.</b> <InlineText text={health.message} />
            </p>
            <p>
              <b>Fix:</b> <InlineText text={health.fix} links /> Everything that writes is hidden
              until then; it comes back by itself.
            </p>
          </div>
        </div>
      ) : null}
      {demo && health.state === "ok" ? (
        <div class="banner info">
          <Icon name="spark" />
          <p>
            <b>Demo provider.</b> No model provider is set up, so a built-in offline one answers
            with made-up text. <a href="/settings">Add a key</a> to get real answers.
          </p>
        </div>
      ) : null}
    </div>
  );
}

/** The same as a part of a stream's message. */
export function BannersPart(props: BannerProps) {
  return (
    <LivePart target="banners" swap="outerMorph">
      <Banners {...props} />
    </LivePart>
  );
}
