import type { Child, PropsWithChildren } from "hono/jsx";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { isWritable, type Shell } from "../shell.ts";

/** What has just been done. */
export function Notice(props: PropsWithChildren<{ tone?: "ok" | "info" }>) {
  return (
    <div class={`banner ${props.tone ?? "ok"}`} role="status">
      <Icon name="check" />
      <p>{props.children}</p>
    </div>
  );
}

/** What has just been removed, with the button that puts it back. `action` is told its id. */
export function UndoNotice(props: { text: Child; id: string; action: string; shell: Shell }) {
  return (
    <div class="banner info" role="status">
      <Icon name="check" />
      <p>{props.text}</p>
      {isWritable(props.shell) ? (
        <PostForm action={props.action} csrf={props.shell.csrf}>
          <input type="hidden" name="id" value={props.id} />
          <button type="submit" class="btn ghost">
            Undo
          </button>
        </PostForm>
      ) : null}
    </div>
  );
}
