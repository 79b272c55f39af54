/** What can be done with one message of a conversation. Its forms stand outside of the live parts. */
import {
  type AnswerMessage,
  isHandEdit,
  type Message,
  type PersonMessage,
} from "../../src/domain/conversation.ts";
import { Icon } from "./icon.tsx";

/** Asks for another answer, or for the rest of one. */
export const ANSWER_FORM_ID = "answer-form";
/** Shows another branch. */
export const BRANCH_FORM_ID = "branch-form";

export function MessageActions(props: { message: Message; writable: boolean }) {
  const { message, writable } = props;
  if (!writable) return null;
  return (
    <div class="message-actions">
      <Branches message={message} />
      {message.role === "person" ? (
        <EditLink message={message} />
      ) : (
        <AnswerActions message={message} />
      )}
    </div>
  );
}

function EditLink({ message }: { message: PersonMessage }) {
  if (isHandEdit(message)) return null;
  return (
    <a
      class="btn ghost small"
      href={`/chat/${encodeURIComponent(message.conversationId)}?edit=${message.ordinal}#text`}
    >
      <Icon name="edit" size={12} />
      Edit<span class="sr"> message {message.ordinal}</span>
    </a>
  );
}

function AnswerActions({ message }: { message: AnswerMessage }) {
  const { ordinal } = message;
  return (
    <>
      {isBrokenOff(message) ? (
        <button
          type="submit"
          class="btn ghost small"
          form={ANSWER_FORM_ID}
          name="goOnWith"
          value={String(ordinal)}
        >
          <Icon name="play" size={12} />
          Continue<span class="sr"> answer {ordinal}</span>
        </button>
      ) : null}
      <button
        type="submit"
        class="btn ghost small"
        form={ANSWER_FORM_ID}
        name="inPlaceOf"
        value={String(ordinal)}
      >
        <Icon name="refresh" size={12} />
        Answer anew<span class="sr"> in place of answer {ordinal}</span>
      </button>
    </>
  );
}

/** The part that has come can be gone on with. */
function isBrokenOff({ state, finish, text, provider }: AnswerMessage): boolean {
  if (text === "" || provider === "demo") return false;
  return (
    state === "stopped" || state === "interrupted" || state === "failed" || finish === "length"
  );
}

/** Which of the messages at this place is seen, and the way to the others. */
function Branches({ message }: { message: Message }) {
  const { ordinal, siblings } = message;
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(ordinal);
  return (
    <span class="branches" role="group" aria-label={`Versions of message ${ordinal}`}>
      <Step to={siblings[at - 1]} icon="previous" label="Earlier version" ordinal={ordinal} />
      <span class="num">
        {at + 1} of {siblings.length}
      </span>
      <Step to={siblings[at + 1]} icon="chevron" label="Later version" ordinal={ordinal} />
    </span>
  );
}

function Step(props: {
  to: number | undefined;
  icon: "previous" | "chevron";
  label: string;
  ordinal: number;
}) {
  const { to, icon, label, ordinal } = props;
  return (
    <button
      type="submit"
      class="icon-btn small"
      form={BRANCH_FORM_ID}
      name="message"
      value={String(to ?? ordinal)}
      disabled={to === undefined}
    >
      <Icon name={icon} size={12} />
      <span class="sr">
        {label} of message {ordinal}
      </span>
    </button>
  );
}
