import type { ServiceStatus } from "../../src/domain/service.ts";
import { ServiceBadge } from "./badge.tsx";
import { InlineText } from "./inline-text.tsx";
import { safeUrl } from "./link.ts";
import { TimeAgo } from "./time.tsx";

/** The processes of the product: state, and why one is not running with what to do. */
export function ServiceTable(props: { services: readonly ServiceStatus[]; now: number }) {
  return (
    <div id="services">
      {props.services.length === 0 ? (
        <p class="quiet">
          No services are known: they appear once the supervisor has started them.
        </p>
      ) : (
        <ul class="services">
          {props.services.map((service) => (
            <Service service={service} now={props.now} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Service(props: { service: ServiceStatus; now: number }) {
  const { service, now } = props;
  const url = safeUrl(service.url);
  return (
    <li>
      <p class="service-head">
        <span class="service-name">{service.name}</span>
        <ServiceBadge state={service.state} />
      </p>
      <p class="sub num">
        {url === undefined ? null : (
          <>
            <a href={url} rel="noopener noreferrer" class="plain-link">
              {url}
            </a>{" "}
            ·{" "}
          </>
        )}
        {service.pid === null ? "no process" : `process ${service.pid}`}
        {service.since === null || service.state !== "running" ? null : (
          <>
            {" · since "}
            <TimeAgo at={service.since} now={now} />
          </>
        )}
        {service.restartCount === 0 ? null : ` · restarted ${service.restartCount}×`}
      </p>
      {service.message === null ? null : (
        <p class="service-note">
          <InlineText text={service.message} />
        </p>
      )}
      {service.fix === null ? null : (
        <p class="service-note">
          <b>Fix:</b> <InlineText text={service.fix} links />
        </p>
      )}
    </li>
  );
}
