import { expect, test } from "bun:test";
import {
  type AnswerEnd,
  CONVERSATION_FILE_BYTES_MAX,
  CONVERSATION_KEPT_MS,
  CONVERSATION_MESSAGE_COUNT_MAX,
  CONVERSATION_TITLE_CHARS_MAX,
} from "../../src/domain/conversation.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";

async function setup(path = ":memory:") {
  const clock = createManualClock();
  const store = await openStore({ path, clock });
  return { clock, store, conversations: store.conversations };
}

/** For thousands of messages, one by one. */
const FULL_MS = 20_000;
const PROGRESS = { text: "Here", provider: "openai", model: "gpt", omittedCount: 2 } as const;
const USAGE = { input: 10, output: 5, cacheRead: 1, cacheWrite: 2, reasoning: 3 };
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
const END: AnswerEnd = {
  ...PROGRESS,
  text: "Here it is.",
  state: "done",
  model: "gpt-5",
  finish: "stop",
  usage: USAGE,
  costNanoUsd: 42,
  error: null,
  thoughts: null,
  calls: [],
};
const TEA = { id: "c1", title: "Tea", text: "About tea" };

test("create() makes a conversation with its first message, and cuts a long title", async () => {
  const { clock, conversations } = await setup();
  const now = clock.now();
  const made = await conversations.create({ ...TEA, title: "x".repeat(500) });
  expect(made).toEqual({
    id: "c1",
    title: "x".repeat(CONVERSATION_TITLE_CHARS_MAX),
    createdAt: now,
    updatedAt: now,
    messageCount: 1,
    isAnswering: false,
    head: 1,
    branch: 0,
    model: null,
    runId: null,
  });
  expect(await conversations.get("c1")).toEqual(made);
  expect(await conversations.get("none")).toBeUndefined();
  expect(await conversations.messages("c1", { limit: 9 })).toEqual([
    {
      conversationId: "c1",
      ordinal: 1,
      parent: null,
      siblings: [1],
      role: "person",
      text: "About tea",
      createdAt: now,
      files: [],
    },
  ]);
});

test("an answer begins, keeps what comes, and ends with what it used", async () => {
  const { clock, conversations } = await setup();
  await conversations.create(TEA);
  const begun = await conversations.startAnswer("c1", 1);
  expect(begun).toEqual({
    conversationId: "c1",
    ordinal: 2,
    parent: 1,
    siblings: [2],
    thoughts: null,
    calls: [],
    role: "model",
    state: "streaming",
    text: "",
    createdAt: clock.now(),
    round: 1,
    provider: null,
    model: null,
    omittedCount: 0,
    finish: null,
    usage: NO_USAGE,
    costNanoUsd: null,
    error: null,
    finishedAt: null,
  });
  expect((await conversations.get("c1"))?.isAnswering).toBe(true);
  expect(await conversations.saveProgress(begun, PROGRESS)).toBe(true);
  expect(await conversations.message(begun)).toEqual({ ...begun, ...PROGRESS });
  clock.advance(10);
  const ended = await conversations.endAnswer(begun, END);
  expect(ended).toEqual({ ...begun, ...END, calls: [], finishedAt: clock.now() });
  expect(await conversations.message(begun)).toEqual(ended);
  expect((await conversations.get("c1"))?.isAnswering).toBe(false);
});

test("an answer that has ended is changed by nothing", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  const begun = await conversations.startAnswer("c1", 0);
  const ended = await conversations.endAnswer(begun, END);
  expect(await conversations.saveProgress(begun, PROGRESS)).toBe(false);
  expect(await conversations.endAnswer(begun, { ...END, text: "later" })).toBeUndefined();
  expect(await conversations.message(begun)).toEqual(ended);
  const person = { conversationId: "c1", ordinal: 1 };
  expect(await conversations.endAnswer(person, END)).toBeUndefined();
});

test("nothing is added while an answer is under way", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  const begun = await conversations.startAnswer("c1", 0);
  expect(await codeOf(conversations.say("c1", "more"))).toBe("conflict");
  expect(await codeOf(conversations.startAnswer("c1", 0))).toBe("conflict");
  await conversations.endAnswer(begun, END);
  expect((await conversations.say("c1", "more")).ordinal).toBe(3);
  expect(await codeOf(conversations.say("none", "more"))).toBe("not_found");
  expect(await codeOf(conversations.startAnswer("none", 0))).toBe("not_found");
});

test("of two answers that begin at once one is refused", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  const codes = await Promise.all([1, 2].map(() => codeOf(conversations.startAnswer("c1", 0))));
  expect(codes.toSorted()).toEqual(["conflict", "fulfilled"]);
  expect((await conversations.get("c1"))?.messageCount).toBe(2);
});

test("who makes an answer and when it last gave a sign of life is known while it is under way", async () => {
  const { clock, conversations } = await setup();
  await conversations.create(TEA);
  await conversations.create({ ...TEA, id: "c2" });
  expect(await conversations.underWay()).toEqual([]);
  const begun = await conversations.startAnswer("c1", 0, { answeredBy: "me" });
  const sign = { conversationId: "c1", ordinal: 2, answeredBy: "me" };
  expect(await conversations.underWay()).toEqual([{ ...sign, aliveAt: clock.now() }]);
  clock.advance(10);
  expect(await conversations.keepAlive(begun)).toBe(true);
  expect(await conversations.underWay()).toEqual([{ ...sign, aliveAt: clock.now() }]);
  clock.advance(10);
  expect(await conversations.saveProgress(begun, PROGRESS)).toBe(true);
  expect(await conversations.underWay()).toEqual([{ ...sign, aliveAt: clock.now() }]);
  expect(await conversations.message(begun)).toEqual({ ...begun, ...PROGRESS });
  await conversations.endAnswer(begun, END);
  expect(await conversations.underWay()).toEqual([]);
  expect(await conversations.keepAlive(begun)).toBe(false);
  expect(await conversations.keepAlive({ conversationId: "none", ordinal: 2 })).toBe(false);
  // Another process answers next: what the first one says now is no sign of that one.
  await conversations.startAnswer("c1", 1);
  expect(await conversations.keepAlive(begun)).toBe(false);
  expect(await conversations.underWay()).toEqual([
    { conversationId: "c1", ordinal: 3, answeredBy: null, aliveAt: clock.now() },
  ]);
});

test("breakOff() ends an answer of another process with what is stored, unless it is not due", async () => {
  await using folder = await temporaryFolder();
  const first = await setup(folder.database);
  await first.conversations.create(TEA);
  const begun = await first.conversations.startAnswer("c1", 0);
  await first.conversations.saveProgress(begun, PROGRESS);

  const second = await setup(folder.database);
  const { conversations } = second;
  const asked: (number | null)[] = [];
  const isDue = (aliveAt: number | null) => {
    asked.push(aliveAt);
    return false;
  };
  expect(await conversations.breakOff(begun, "interrupted", isDue)).toBe(false);
  expect(asked).toEqual([first.clock.now()]);
  expect(await conversations.message(begun)).toMatchObject({ state: "streaming" });
  expect(await conversations.breakOff({ ...begun, ordinal: 1 }, "interrupted")).toBe(false);
  expect(await conversations.breakOff(begun, "interrupted")).toBe(true);
  const ended = {
    ...begun,
    ...PROGRESS,
    state: "interrupted",
    finishedAt: second.clock.now(),
  } as const;
  expect(await conversations.message(begun)).toEqual(ended);
  expect((await conversations.get("c1"))?.isAnswering).toBe(false);
  expect(await conversations.breakOff(begun, "stopped")).toBe(false);
  expect(await first.conversations.saveProgress(begun, { ...PROGRESS, text: "late" })).toBe(false);
  expect(await first.conversations.endAnswer(begun, END)).toBeUndefined();
  expect(await first.conversations.message(begun)).toEqual(ended);
  await first.store.close();
  await second.store.close();
});

test("list() gives the last changed first, page by page", async () => {
  const { clock, conversations } = await setup();
  for (const id of ["c1", "c2", "c3", "c4"]) {
    await conversations.create({ ...TEA, id });
    if (id !== "c2") clock.advance(1);
  }
  await conversations.say("c1", "more");
  const ids = async (options: Parameters<typeof conversations.list>[0]) =>
    (await conversations.list(options)).map(({ id }) => id);
  expect(await ids({ limit: 9 })).toEqual(["c1", "c4", "c3", "c2"]);
  expect(await ids({ limit: 2 })).toEqual(["c1", "c4"]);
  expect(await ids({ limit: 1, before: "c4" })).toEqual(["c3"]);
  expect(await ids({ limit: 9, before: "c3" })).toEqual(["c2"]);
  expect(await ids({ limit: 9, before: "c2" })).toEqual([]);
});

test("messages() gives the newest, those before and those after, oldest first", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  for (let count = 2; count <= 6; count += 1) await conversations.say("c1", `text ${count}`);
  const ordinals = async (options: Parameters<typeof conversations.messages>[1]) =>
    (await conversations.messages("c1", options)).map(({ ordinal }) => ordinal);
  expect(await ordinals({ limit: 9 })).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await ordinals({ limit: 2 })).toEqual([5, 6]);
  expect(await ordinals({ limit: 2, before: 5 })).toEqual([3, 4]);
  expect(await ordinals({ limit: 2, after: 2 })).toEqual([3, 4]);
  expect(await ordinals({ limit: 9, after: 6 })).toEqual([]);
});

test("totals() sums all answers and counts those without a price", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  expect(await conversations.totals("c1")).toEqual({
    inputTokens: 0,
    outputTokens: 0,
    costNanoUsd: 0,
    unpricedCount: 0,
  });
  for (const costNanoUsd of [40, 2, null]) {
    const begun = await conversations.startAnswer("c1", 0);
    await conversations.endAnswer(begun, { ...END, costNanoUsd });
  }
  expect(await conversations.totals("c1")).toEqual({
    inputTokens: 30,
    outputTokens: 15,
    costNanoUsd: 42,
    unpricedCount: 1,
  });
});

test("remove() takes a conversation with its messages, and no other", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  await conversations.create({ ...TEA, id: "c2" });
  await conversations.remove("c1");
  expect(await conversations.get("c1")).toBeUndefined();
  expect(await conversations.messages("c1", { limit: 9 })).toEqual([]);
  expect(await conversations.messages("c2", { limit: 9 })).toHaveLength(1);
  expect(await codeOf(conversations.remove("c1"))).toBe("not_found");
});

test("what was removed can be put back as it was, and is gone for good a day later", async () => {
  const { clock, conversations } = await setup();
  const made = await conversations.create(TEA);
  await conversations.create({ ...TEA, id: "c2" });
  expect(await conversations.titleOfRemoved("c1")).toBeUndefined();
  expect(await codeOf(conversations.restore("c1"))).toBe("not_found");
  await conversations.remove("c1");
  expect((await conversations.list({ limit: 9 })).map(({ id }) => id)).toEqual(["c2"]);
  expect(await codeOf(conversations.say("c1", "More."))).toBe("not_found");
  expect(await conversations.titleOfRemoved("c1")).toBe(made.title);
  await conversations.restore("c1");
  expect(await conversations.get("c1")).toEqual(made);
  expect(await conversations.messages("c1", { limit: 9 })).toHaveLength(1);
  await conversations.remove("c1");
  clock.advance(CONVERSATION_KEPT_MS + 1);
  await conversations.remove("c2");
  expect(await codeOf(conversations.restore("c1"))).toBe("not_found");
  expect(await conversations.titleOfRemoved("c2")).toBe(made.title);
  clock.advance(CONVERSATION_KEPT_MS + 1);
  await conversations.emptyBin();
  expect(await conversations.titleOfRemoved("c2")).toBeUndefined();
});

test(
  "a full conversation takes no more",
  async () => {
    const { conversations } = await setup();
    await conversations.create(TEA);
    const texts = Array.from({ length: CONVERSATION_MESSAGE_COUNT_MAX - 1 }, () => "x");
    await Promise.all(texts.map((text) => conversations.say("c1", text)));
    expect(await codeOf(conversations.say("c1", "one more"))).toBe("too_large");
  },
  FULL_MS,
);

test("a message in place of another begins a branch, and each branch can be shown again", async () => {
  const { conversations } = await setup();
  const shown = async () =>
    (await conversations.messages("c1", { limit: 99 })).map(({ ordinal, siblings }) => [
      ordinal,
      siblings,
    ]);
  const answered = async (more?: { inPlaceOf: number }) => {
    const begun = await conversations.startAnswer("c1", 0, more);
    await conversations.endAnswer(begun, END);
  };
  await conversations.create(TEA);
  await answered();
  await conversations.say("c1", "With milk");
  await answered();
  expect(await shown()).toEqual([
    [1, [1]],
    [2, [2]],
    [3, [3]],
    [4, [4]],
  ]);
  expect((await conversations.get("c1"))?.branch).toBe(0);

  await conversations.say("c1", "With lemon", { inPlaceOf: 3 });
  await answered();
  await answered({ inPlaceOf: 6 });
  expect(await shown()).toEqual([
    [1, [1]],
    [2, [2]],
    [5, [3, 5]],
    [7, [6, 7]],
  ]);
  expect(await conversations.get("c1")).toMatchObject({ head: 7, branch: 2, messageCount: 7 });
  expect(await conversations.messages("c1", { limit: 2, before: 5 })).toHaveLength(2);
  const after = await conversations.messages("c1", { limit: 1, after: 2 });
  expect(after.map(({ ordinal }) => ordinal)).toEqual([5]);

  await conversations.show({ conversationId: "c1", ordinal: 3 });
  expect((await shown()).map(([ordinal]) => ordinal)).toEqual([1, 2, 3, 4]);
  await conversations.say("c1", "And sugar");
  expect((await shown()).map(([ordinal]) => ordinal)).toEqual([1, 2, 3, 4, 8]);
  // The first message can be another one too.
  await conversations.say("c1", "About coffee", { inPlaceOf: 1 });
  expect(await shown()).toEqual([[9, [1, 9]]]);
  // Below it the newest is shown, wherever one was before.
  await conversations.show({ conversationId: "c1", ordinal: 1 });
  expect((await shown()).map(([ordinal]) => ordinal)).toEqual([1, 2, 5, 7]);

  await conversations.startAnswer("c1", 0);
  const other = conversations.show({ conversationId: "c1", ordinal: 5 });
  expect(await codeOf(other)).toBe("conflict");
  expect(await codeOf(conversations.show({ conversationId: "c1", ordinal: 99 }))).toBe("conflict");
});

test("nothing is put in place of a message of the other side, or of none", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  expect(await codeOf(conversations.startAnswer("c1", 0, { inPlaceOf: 1 }))).toBe("not_found");
  expect(await codeOf(conversations.say("c1", "What?", { inPlaceOf: 7 }))).toBe("not_found");
  expect(await codeOf(conversations.show({ conversationId: "c1", ordinal: 7 }))).toBe("not_found");
  expect(await conversations.get("c1")).toMatchObject({ messageCount: 1, isAnswering: false });
});

test("files go with a message, their content apart; together they have a limit", async () => {
  const { conversations } = await setup();
  const data = new TextEncoder().encode("a: 1\n");
  const files = [{ name: "a.yaml", mediaType: "application/yaml", data }];
  await conversations.create({ ...TEA, files });
  const [first] = await conversations.messages("c1", { limit: 1 });
  expect(first).toMatchObject({
    files: [
      {
        number: 1,
        name: "a.yaml",
        mediaType: "application/yaml",
        byteCount: 5,
        hash: new Bun.CryptoHasher("sha256").update(data).digest("hex"),
      },
    ],
  });
  const ref = { conversationId: "c1", ordinal: 1 };
  expect(new Uint8Array((await conversations.file({ ...ref, number: 1 })) ?? [])).toEqual(data);
  expect(await conversations.file({ ...ref, number: 2 })).toBeUndefined();
  const large = [
    {
      name: "b.txt",
      mediaType: "text/plain",
      data: new Uint8Array(CONVERSATION_FILE_BYTES_MAX - 4),
    },
  ];
  expect(await codeOf(conversations.say("c1", "More", { files: large }))).toBe("too_large");
  expect(await conversations.get("c1")).toMatchObject({ messageCount: 1, head: 1 });
});

test("a call of an answer goes from one state to the next, once", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  const begun = await conversations.startAnswer("c1", 0);
  const call = { callId: "x1", tool: "save_workflow", arguments: { source: "a: 1" } };
  const ended = await conversations.endAnswer(begun, {
    ...END,
    finish: "tool_calls",
    thoughts: { signed: "s" },
    calls: [{ ...call, state: "asked", result: null }],
  });
  expect(ended).toMatchObject({ thoughts: { signed: "s" } });
  expect(ended?.calls).toEqual([
    { ...call, number: 1, state: "asked", result: null, link: null, approvedAt: null, seen: null },
  ]);
  const ref = { conversationId: "c1", ordinal: 2, number: 1 };
  const approval = {
    state: "begun",
    result: null,
    link: null,
    approvedAt: 42,
    seen: "a1",
  } as const;
  expect(await conversations.saveCall(ref, { from: "asked", ...approval })).toBe(true);
  // A second click, later.
  const late = { from: "asked", ...approval, approvedAt: 43, seen: "b2" } as const;
  expect(await conversations.saveCall(ref, late)).toBe(false);
  const change = { from: "begun", state: "done", result: "Saved.", link: "/workflows/w1" } as const;
  expect(await conversations.saveCall(ref, change)).toBe(true);
  expect(await conversations.saveCall(ref, change)).toBe(false);
  // What was approved, and when, stays.
  const { from: _, ...made } = change;
  expect(await conversations.message(ref)).toMatchObject({
    calls: [{ ...call, number: 1, ...made, approvedAt: 42, seen: "a1" }],
  });
});

test("conversations are found by the beginnings of words in titles and in what people wrote", async () => {
  const { conversations } = await setup();
  const found = async (search: string) =>
    (await conversations.list({ limit: 9, search })).map(({ id }) => id).toSorted();
  await conversations.create(TEA);
  await conversations.create({ id: "c2", title: "Mails", text: "Sort my mails by urgency" });
  await conversations.say("c2", "Über Kaffee too");
  expect(await found("")).toEqual(["c1", "c2"]);
  expect(await found("TEA")).toEqual(["c1"]);
  expect(await found("uber kaf")).toEqual(["c2"]);
  expect(await found("mails urgen")).toEqual(["c2"]);
  expect(await found("tea mails")).toEqual([]);
  expect(await found('"); drop')).toEqual([]);
  await conversations.rename("c1", "Herbs");
  expect(await found("herb")).toEqual(["c1"]);
  expect(await conversations.get("c1")).toMatchObject({ title: "Herbs" });
  await conversations.remove("c1");
  expect(await found("herb")).toEqual([]);
  expect(await codeOf(conversations.rename("c1", "Gone"))).toBe("not_found");
});

test("a model is picked for a conversation, and taken back", async () => {
  const { conversations } = await setup();
  await conversations.create({ ...TEA, model: "openai/gpt-5" });
  expect((await conversations.get("c1"))?.model).toBe("openai/gpt-5");
  await conversations.pickModel("c1", null);
  expect((await conversations.get("c1"))?.model).toBeNull();
});

test("showRun() keeps the newest run that was begun in a conversation", async () => {
  const { conversations } = await setup();
  const made = await conversations.create(TEA);
  await conversations.create({ ...TEA, id: "c2" });
  expect(made.runId).toBeNull();
  await conversations.showRun("c1", "run1");
  await conversations.showRun("c1", "run2");
  // Nothing else changes, its place in the list neither.
  expect(await conversations.get("c1")).toEqual({ ...made, runId: "run2" });
  expect((await conversations.list({ limit: 9 })).map(({ id, runId }) => [id, runId])).toEqual([
    ["c2", null],
    ["c1", "run2"],
  ]);
  expect(await codeOf(conversations.showRun("none", "run1"))).toBe("not_found");
});

test("depth() counts the way to a message, on its own branch and through thousands", async () => {
  const { conversations } = await setup();
  await conversations.create(TEA);
  for (let count = 2; count <= 1_500; count += 1) await conversations.say("c1", `${count}`);
  expect(await conversations.depth({ conversationId: "c1", ordinal: 1_500 })).toBe(1_500);
  const other = await conversations.say("c1", "instead of 3", { inPlaceOf: 3 });
  expect(await conversations.depth(other)).toBe(3);
  expect(await conversations.depth({ conversationId: "c1", ordinal: 1 })).toBe(1);
  expect(await conversations.depth({ conversationId: "c1", ordinal: 9_999 })).toBe(0);
  expect(await conversations.depth({ conversationId: "none", ordinal: 1 })).toBe(0);
});
