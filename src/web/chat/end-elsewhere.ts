import type { ConversationStore } from "../../domain/conversation.ts";

/**
 * Ends an answer that another process makes, or made until it was killed, such as `agents new`. A process that still
 * lives is told by the store. Nothing happens when none is under way.
 */
export async function endElsewhere(
  conversations: Pick<ConversationStore, "get" | "breakOff">,
  id: string,
  state: "stopped" | "interrupted",
): Promise<void> {
  const conversation = await conversations.get(id);
  if (conversation === undefined || !conversation.isAnswering) return;
  await conversations.breakOff({ conversationId: id, ordinal: conversation.head }, state);
}
