import type { ConversationStore } from "../../domain/conversation.ts";

/**
 * Ends an answer that another process makes, or made until it was killed, such as `agents new`. A process that still
 * lives notices when it stores the next piece. Nothing happens when none is under way.
 */
export async function endElsewhere(
  conversations: ConversationStore,
  id: string,
  state: "stopped" | "interrupted",
): Promise<void> {
  const conversation = await conversations.get(id);
  if (conversation === undefined || !conversation.isAnswering) return;
  const message = await conversations.message({ conversationId: id, ordinal: conversation.head });
  if (message?.role !== "model" || message.state !== "streaming") return;
  const { text, provider, model, omittedCount, usage } = message;
  await conversations.endAnswer(message, {
    text,
    provider,
    model,
    omittedCount,
    usage,
    state,
    finish: null,
    costNanoUsd: null,
    error: null,
    thoughts: null,
    calls: [],
  });
}
