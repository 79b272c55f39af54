/** What goes with a message besides its words: files, and the model that is asked. */
import { MESSAGE_FILE_BYTES_MAX, MESSAGE_FILE_COUNT_MAX } from "../../src/domain/conversation.ts";
import { Icon } from "./icon.tsx";

/** Texts and images, as the server takes them. */
const ACCEPTED =
  ".yaml,.yml,.json,.txt,.md,.csv,.py,.js,.ts,.log,text/*,application/json,application/yaml,image/png,image/jpeg,image/webp,image/gif";

export function AttachField() {
  return (
    <details class="fold attach">
      <summary>
        <Icon name="upload" size={12} />
        Attach files
      </summary>
      <label for="files" class="hint">
        At most {MESSAGE_FILE_COUNT_MAX} texts or images of {MESSAGE_FILE_BYTES_MAX / 2 ** 20} MiB
        each.
        <span class="js-only"> Images can be pasted, files dropped here.</span>
      </label>
      <input
        id="files"
        name="files"
        type="file"
        class="input file"
        multiple
        accept={ACCEPTED}
        data-attach
        data-count-max={String(MESSAGE_FILE_COUNT_MAX)}
        data-bytes-max={String(MESSAGE_FILE_BYTES_MAX)}
      />
      <p class="hint" role="status" data-attached></p>
      <button type="button" class="btn ghost small js-only" data-attach-clear hidden>
        <Icon name="close" size={12} />
        Remove the files
      </button>
      <p class="field-error" role="alert" data-attach-error></p>
    </details>
  );
}

export function ModelField(props: { models: readonly string[]; value: string | null }) {
  return (
    <>
      <label for="chat-model">Model</label>
      <input
        id="chat-model"
        name="model"
        class="input mono"
        list="models"
        value={props.value ?? ""}
        placeholder="as in the settings"
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id="models">
        {props.models.map((model) => (
          <option value={model}></option>
        ))}
      </datalist>
    </>
  );
}
