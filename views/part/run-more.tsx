import type { Run } from "../../src/domain/run.ts";
import { Field, PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { Panel } from "./panel.tsx";
import { NO_SIGNAL, SignalForm } from "./signal-form.tsx";

/** What is rarer, folded: a signal, a comparison, the end of its record. */
export function RunMore(props: { run: Run; csrf: string; path: string }) {
  const { run, csrf, path } = props;
  return (
    <Panel id="more" title="More">
      <div class="stack pad-x more-actions">
        <details class="fold when-active" id="signal-fold">
          <summary>
            <Icon name="chevron" size={12} />
            Send a signal
          </summary>
          <SignalForm action={`${path}/signals`} csrf={csrf} form={NO_SIGNAL} />
        </details>
        <details class="fold" id="compare-fold">
          <summary>
            <Icon name="chevron" size={12} />
            Compare with…
          </summary>
          <form method="get" action="/runs/compare" class="stack">
            <input type="hidden" name="b" value={run.id} />
            <Field
              id="compare-with"
              label="Id of the other run"
              hint="Its last characters are enough."
            >
              <input
                id="compare-with"
                class="input mono"
                name="a"
                required
                autocomplete="off"
                spellcheck={false}
                aria-describedby="compare-with-hint"
              />
            </Field>
            <div class="actions">
              <button type="submit" class="btn ghost">
                Compare
              </button>
              <a class="btn ghost" href={`${path}/previous`}>
                With the run before it
              </a>
            </div>
          </form>
        </details>
        <PostForm action="/runs/bulk" csrf={csrf} class="when-final">
          <input type="hidden" name="run" value={run.id} />
          <button type="submit" class="btn danger small" name="action" value="delete">
            <Icon name="trash" size={12} />
            Delete this run…
          </button>
        </PostForm>
      </div>
    </Panel>
  );
}
