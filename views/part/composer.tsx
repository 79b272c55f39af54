/** What goes with a message besides its words: files, and the model that is asked. */
import { MESSAGE_FILE_COUNT_MAX } from "../../src/domain/conversation.ts";
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
        At most {MESSAGE_FILE_COUNT_MAX} texts or images go with the message.
      </label>
      <input id="files" name="files" type="file" class="input file" multiple accept={ACCEPTED} />
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
