import type { Child, PropsWithChildren } from "hono/jsx";
import { Icon } from "./icon.tsx";

/** A titled box. The id names the heading (`{id}-h`), not the box, which may hold a live fragment. */
export function Panel(
  props: PropsWithChildren<{
    id: string;
    title: string;
    note?: Child;
    action?: Child;
    class?: string;
  }>,
) {
  return (
    <section class={`panel ${props.class ?? ""}`.trimEnd()} aria-labelledby={`${props.id}-h`}>
      <header class="panel-head">
        <h2 id={`${props.id}-h`}>{props.title}</h2>
        {props.note === undefined ? null : <span class="panel-note">{props.note}</span>}
        <span class="spacer"></span>
        {props.action}
      </header>
      {props.children}
    </section>
  );
}

export function PageHead(props: PropsWithChildren<{ crumb: Child; title: Child }>) {
  return (
    <header class="page-head">
      <div class="page-title">
        <p class="crumb">{props.crumb}</p>
        <h1>{props.title}</h1>
      </div>
      <span class="spacer"></span>
      {props.children}
    </header>
  );
}

export function MoreLink(props: { href: string; label: string }) {
  return (
    <a class="more" href={props.href}>
      {props.label}
      <Icon name="chevron" size={12} />
    </a>
  );
}

/** Stops the live updates of the page (WCAG 2.2.2); of use only with script. */
export function PauseButton() {
  return (
    <button type="button" class="btn ghost compact js-only" id="pause" aria-pressed="false">
      <Icon name="pause" size={14} />
      <span>
        Pause<span class="sr"> live updates</span>
      </span>
    </button>
  );
}
