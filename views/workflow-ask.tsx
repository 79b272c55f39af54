/** A text that cannot run, on its way to the chat: seen before it is sent. */
import { type EditorPageProps, editorAddress } from "./workflow-editor.tsx";
import { MESSAGE_CHARS_MAX } from "../src/domain/conversation.ts";
import { Layout } from "./layout.tsx";
import { keepNewline, Source } from "./part/code.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";

const QUESTION = "Mend the errors of this workflow, and change nothing else.";

export function AskPage(
  props: Pick<EditorPageProps, "shell" | "record" | "check" | "base" | "conversation">,
) {
  const { shell, record, check, base, conversation } = props;
  const { source, problems } = check;
  const marks = new Set(problems.map((problem) => problem.line));
  return (
    <Layout shell={shell}>
      <PageHead crumb={<a href="/workflows">Workflows</a>} title="Ask the chat" />
      <div class="column">
        <Panel id="ask" title="Your message">
          <PostForm action="/chat" csrf={shell.csrf} class="stack pad">
            <p class="message-note">
              <Icon name="info" size={14} />
              <span>
                With the text below and {plural(problems.length, "problem")}: both go with your
                message. Nothing is saved.
              </span>
            </p>
            <label for="text" class="sr">
              What should be mended?
            </label>
            <textarea
              id="text"
              name="text"
              class="input grow"
              rows={3}
              maxlength={MESSAGE_CHARS_MAX}
              required
            >
              {keepNewline(QUESTION)}
            </textarea>
            <textarea name="source" hidden readonly aria-hidden="true">
              {keepNewline(source)}
            </textarea>
            <input type="hidden" name="base" value={base.hash} />
            <input type="hidden" name="base_name" value={base.name} />
            {conversation === undefined ? null : (
              <input type="hidden" name="conversation" value={conversation.id} />
            )}
            <div class="actions">
              <button type="submit" class="btn primary">
                <Icon name="spark" size={14} />
                Ask
              </button>
              <button
                type="submit"
                class="btn ghost"
                name="intent"
                value="validate"
                formaction={editorAddress(record)}
                formnovalidate
              >
                <Icon name="edit" size={14} />
                Back to the editor
              </button>
            </div>
          </PostForm>
        </Panel>
        <Panel id="problems" title="What is wrong" class="refusal">
          <ProblemList problems={problems} source={source} linked />
        </Panel>
        <Panel id="source" title="Text">
          <Source source={source} label="The text that goes with the message" marks={marks} />
        </Panel>
      </div>
    </Layout>
  );
}
