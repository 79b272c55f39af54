import type { ErrorRecord } from "../../src/domain/error.ts";
import { Icon } from "./icon.tsx";
import { InlineText } from "./inline-text.tsx";

/** A failure for people: what happened, what to do, and the technical details on demand. */
export function ErrorBox(props: { error: ErrorRecord; id?: string }) {
  const { error } = props;
  return (
    <div class="error-box" id={props.id}>
      <p class="error-text">
        <Icon name="critical" size={16} />
        <span>
          <InlineText text={error.message} />
        </span>
      </p>
      {error.fix === undefined ? null : (
        <p class="error-fix">
          <b>Fix:</b> <InlineText text={error.fix} links />
        </p>
      )}
      <details class="more-details">
        <summary>Technical details</summary>
        <p class="sub">
          Code <code>{error.code}</code>
        </p>
        {error.details === undefined ? null : <pre class="value">{error.details}</pre>}
      </details>
    </div>
  );
}
