import type { PropsWithChildren } from "hono/jsx";
import { Icon, type IconName } from "./icon.tsx";

/** Nothing to show: says why, and what to do next. */
export function EmptyState(
  props: PropsWithChildren<{ icon: IconName; title: string; text: string }>,
) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={props.icon} size={20} />
      </span>
      <p class="empty-title">{props.title}</p>
      <p class="empty-text">{props.text}</p>
      {props.children === undefined ? null : <div class="actions">{props.children}</div>}
    </div>
  );
}
