import { expect, test } from "bun:test";
import { ConversationUpdate } from "../../views/conversation.tsx";
import { HASH } from "./call-fixtures.tsx";
import { answered, conversation } from "./chat-fixtures.tsx";
import { HOSTILE, NOW } from "./fixtures.ts";
import { inspect, visibleText } from "./inspect.ts";
import { PAGES, text } from "./pages.tsx";

async function html(name: string): Promise<string> {
  const page = PAGES.find((candidate) => candidate.name === name);
  if (page === undefined) throw new Error(`no page ${name}`);
  return page.render("auto");
}

const TOTALS = { inputTokens: 0, outputTokens: 0, costNanoUsd: 0, unpricedCount: 0 };

test("ChatPage() begins a conversation by text or by an example, and goes on to older ones", async () => {
  const page = await html("chat");
  expect(page).toMatch(/<form method="post" action="\/chat"[^>]*>/);
  const prompts = inspect(page).filter(
    ({ tag, attributes }) => tag === "button" && attributes["name"] === "text",
  );
  expect(prompts.length).toBeGreaterThanOrEqual(3);
  expect(page).toContain('href="/chat?before=01kaechat0000003"');
  expect(visibleText(await html("chat-empty"))).toContain("the chat offers templates");
});

test("ConversationPage() shows the repair, the result, and what can be done with it", async () => {
  const page = await html("chat-talk");
  const shown = visibleText(page);
  expect(shown).toContain("Not valid: 2 errors The problems go back to the model: repair 1 of 3.");
  expect(shown).toContain("Repair 1 of 3 It researches");
  expect(shown).toContain("anthropic claude-sonnet-5 · 2,140 tokens in, 812 out · $0.0186 · 8.0 s");
  const saves = inspect(page).filter(({ attributes }) => attributes["form"] === "save-form");
  // In the answer, and beside the talk.
  expect(saves.map(({ attributes }) => [attributes["name"], attributes["value"]])).toEqual([
    ["message", "3-new"],
    ["message", "3-new"],
    ["schedule", "3-new"],
  ]);
  expect(page).toContain('href="/chat/01kaechat0000001/3.yaml" download');
  expect(page).toContain('hx-sse:connect="/chat/01kaechat0000001/stream?after=3200000"');
});

test("ConversationPage() asks for itself without script only while an answer is under way", async () => {
  expect(await html("chat-answering")).toContain('<meta http-equiv="refresh" content="2"/>');
  expect(await html("chat-talk")).not.toContain("http-equiv");
});

test("ConversationPage() keeps the first line break of a text that is coming, and says what is left out", async () => {
  const page = await html("chat-answering");
  expect(page).toContain('<pre class="said coming" id="message-5-text">\n\nI will shorten');
  expect(visibleText(page)).toContain("The 3 oldest messages were left out");
  expect(page).toContain('href="/chat/01kaechat0000001?before=7"');
});

test("ConversationPage() says how each answer ended", async () => {
  const shown = visibleText(await html("chat-retry"));
  for (const words of [
    "Interrupted: its process ended in the middle of this answer.",
    "Stopped. What had come is kept.",
    "demo, no model",
    "Saved as version 3",
    "Too fast. Fix: Wait a minute.",
  ])
    expect(shown).toContain(words);
});

test("ChatAwayPage() names the reason and the fix", async () => {
  const shown = visibleText(await html("chat-away"));
  expect(shown).toContain("The chat is not running");
  expect(shown).toContain("Port 7860 for the chat is in use by process 4711");
  expect(shown).toContain("Fix: Use --chat-port 7862");
});

test("ConversationUpdate() appends text, adds and replaces messages, and carries no token", async () => {
  const update = await text(
    <ConversationUpdate
      head={{ conversation: conversation(), totals: TOTALS, phase: "answering" }}
      changes={[
        { kind: "text", ordinal: 2, text: HOSTILE },
        { kind: "ended", view: answered(2) },
        { kind: "added", view: answered(3, { state: "streaming", text: HOSTILE }) },
      ]}
      beside={undefined}
      now={NOW}
      banners={{ health: { state: "ok" }, demo: false }}
    />,
  );
  const targets = inspect(update)
    .filter(({ tag }) => tag === "hx-partial")
    .map(({ attributes }) => [attributes["hx-target"], attributes["hx-swap"]]);
  expect(targets).toEqual([
    ["#banners", "outerMorph"],
    ["#message-2-text", "beforeend"],
    ["#message-2", "outerMorph"],
    ["#messages", "beforeend"],
    ["#chat-head", "outerMorph"],
  ]);
  expect(update).not.toContain("_csrf");
  expect(update).not.toContain("<script>alert");
});

test("what was not done because another version is there now is said above all, with what would change", async () => {
  const page = await html("chat-conflict");
  const shown = visibleText(page);
  expect(shown).toContain("version 3 is newer than the one you began with.");
  expect(shown).toContain("What saving would change in version 3:");
  expect(page.indexOf("chat-conflict")).toBeLessThan(page.indexOf("chat-sides"));
  expect(page).toContain(`name="message" value="2-${HASH}"`);
});
