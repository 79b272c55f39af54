import type { ErrorRecord } from "../src/domain/error.ts";
import { Brand, Document } from "./layout.tsx";
import { Field, describe, HiddenUsername, PostForm } from "./part/form.tsx";
import { ADMINISTRATOR, type Shell } from "./shell.ts";

/**
 * The way in when `agents` listens on more than this machine.
 *
 * @param props.next Where to go after the login; a path of this site.
 */
export function LoginPage(props: { shell: Shell; error: ErrorRecord | undefined; next: string }) {
  const { shell, error } = props;
  const message = error === undefined ? undefined : joinText(error.message, error.fix);
  const hint = "The administrator's password of this installation.";
  return (
    <Document shell={shell}>
      <main class="login" id="main" tabindex={-1}>
        <div class="panel pad">
          <Brand />
          <h1>Log in</h1>
          <PostForm action="/login" csrf={shell.csrf} class="stack">
            <input type="hidden" name="next" value={props.next} />
            <HiddenUsername value={ADMINISTRATOR} />
            <Field id="password" label="Password" hint={hint} error={message}>
              <input
                id="password"
                name="password"
                type="password"
                class="input"
                autocomplete="current-password"
                required
                autofocus
                {...describe({ id: "password", hint, error: message })}
              />
            </Field>
            <button type="submit" class="btn primary wide">
              Log in
            </button>
          </PostForm>
        </div>
      </main>
    </Document>
  );
}

function joinText(message: string, fix: string | undefined): string {
  return fix === undefined ? message : `${message} ${fix}`;
}
