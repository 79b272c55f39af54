import type { PropsWithChildren } from "hono/jsx";

/**
 * One part of an SSE message or of an htmx answer, and where it goes. htmx passes over a part whose
 * target is not on the page.
 */
export function LivePart(
  props: PropsWithChildren<{ target: string; swap: "outerMorph" | "beforeend" }>,
) {
  return (
    <hx-partial hx-target={`#${props.target}`} hx-swap={props.swap}>
      {props.children}
    </hx-partial>
  );
}
