import { describe, expect, test } from "bun:test";
import { createRun } from "../../src/app/workflow-runs.ts";
import { type ConversationStore, NOTHING_SEEN } from "../../src/domain/conversation.ts";
import { AppError } from "../../src/domain/error.ts";
import type { StepWrite } from "../../src/domain/run.ts";
import { TOOL_NAMES, TOOL_OUTPUT_CHARS_MAX } from "../../src/domain/tool.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { derivedId, firstIdAt } from "../../src/lib/id.ts";
import type { Json } from "../../src/lib/json.ts";
import { createRedactor } from "../../src/lib/redact.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createAnswers } from "../../src/web/chat/answers.ts";
import type { OfferedModels } from "../../src/web/chat/define-tool.ts";
import { createAnswerReader } from "../../src/web/chat/reading.ts";
import { type ChatTool, performCall, planCalls } from "../../src/web/chat/tool.ts";
import { createChatTools } from "../../src/web/chat/tools.ts";
import { createWorkflowReader } from "../../src/web/workflow-reader.ts";
import { askFor, say, scriptedModels } from "../engine/script.ts";
import { waitFor } from "../support/agents.ts";
import { temporaryFolder } from "../store/support/folder.ts";
import { GREETING } from "./world.ts";

const SECRET = "hunter2hunter2";
const STATUS = { label: "", baseUrl: null, origin: null, check: null };
const KEY = { seed: "talk-2-1", atMs: 1_790_000_000_000, seen: null };
const NEW = { ...KEY, seen: NOTHING_SEEN };
const BROKEN = GREETING.replace("outputs: [text]", "outputs: [texts]");

interface Desk extends AsyncDisposable {
  readonly store: Store;
  readonly tools: readonly ChatTool[];
  /** What the model is told. */
  call(name: string, input?: Json): Promise<string>;
  /** What it is told when it is refused. */
  refusal(name: string, input?: Json): Promise<string>;
  addWorkflow(source?: string): ReturnType<Store["workflows"]["save"]>;
  addRun(steps?: readonly StepWrite[]): Promise<string>;
}

async function startDesk(offered: readonly OfferedModels[] = []): Promise<Desk> {
  const folder = await temporaryFolder();
  const store = await openStore({ path: folder.database, clock: systemClock });
  const tools = createChatTools({
    ...store,
    reader: createWorkflowReader(TOOL_NAMES),
    createRun: (request, made) =>
      createRun(store, request, { clock: systemClock, source: "dashboard", ...made }),
    providers: () => [
      { ...STATUS, name: "openai", configured: true, variable: "OPENAI_API_KEY" },
      { ...STATUS, name: "google", configured: false, variable: "GOOGLE_API_KEY" },
    ],
    offeredModels: () => Promise.resolve(offered),
    tools: () => Promise.resolve([{ name: "web_search", description: "Searches the web." }]),
    redact: createRedactor([SECRET]),
    now: () => systemClock.now(),
  });
  const plan = async (name: string, input: Json) => {
    const [call] = await planCalls(tools, [{ id: "c1", name, arguments: input }]);
    if (call === undefined) throw new Error("a call was lost");
    return { ...call, number: 1, link: null, approvedAt: null, seen: null };
  };
  const addWorkflow = (source = GREETING) =>
    store.workflows.save({ name: "greeting", description: null, source, format: "yaml" });
  return {
    store,
    tools,
    async call(name, input = {}) {
      const call = await plan(name, input);
      if (call.state === "failed") throw new Error(call.result ?? "");
      const { state, result } = await performCall(tools, call, KEY);
      if (state !== "done") throw new Error(result ?? "");
      return result ?? "";
    },
    async refusal(name, input = {}) {
      const call = await plan(name, input);
      if (call.state === "failed") return call.result ?? "";
      const made = await performCall(tools, call, KEY);
      if (made.state !== "failed") throw new Error(`not refused: ${made.result}`);
      return made.result ?? "";
    },
    addWorkflow,
    async addRun(steps = []) {
      const record = await addWorkflow();
      const { workflow } = await createWorkflowReader([]).version(record.version);
      if (workflow === undefined) throw new Error("the workflow is not valid");
      const run = await createRun(
        store,
        {
          workflowId: record.id,
          versionHash: record.version.hash,
          workflow,
          values: { name: "Ada", count: 3, text: "" },
          inputs: { name: "Ada", token: SECRET },
          overrides: {},
        },
        { clock: systemClock, source: "dashboard" },
      );
      if (steps.length === 0) return run.id;
      const [claim] = await store.queue.fetch("worker-1", 1, run.id);
      if (claim === undefined) throw new Error("the run cannot be claimed");
      const failed = steps.find((step) => step.type === "fail");
      await store.runs.write(claim, {
        steps,
        merges: {},
        ...(failed === undefined ? {} : { turn: { state: "failed", error: failed.error } }),
      });
      return run.id;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const NODE = { key: "write", nodeId: "write", attempt: 1 } as const;

describe("what the model is told of the tools", () => {
  test("each has arguments as a strict object, and only those that write or spend ask", async () => {
    await using desk = await startDesk();
    expect(desk.tools.map(({ spec, asks }) => [spec.name, asks])).toEqual([
      ["list_workflows", false],
      ["read_workflow", false],
      ["list_runs", false],
      ["read_run", false],
      ["list_models", false],
      ["list_tools", false],
      ["validate_workflow", false],
      ["save_workflow", true],
      ["run_workflow", true],
    ]);
    for (const { spec } of desk.tools) {
      expect(spec.parameters).toMatchObject({ type: "object", additionalProperties: false });
      expect(JSON.stringify(spec.parameters)).not.toContain("$ref");
    }
  });

  test("arguments that a tool does not have, or of a wrong type, are refused with those that it has", async () => {
    await using desk = await startDesk();
    expect(await desk.refusal("list_runs", { workflows: "greeting" })).toBe(
      'The arguments of list_runs are not valid. Unrecognized key: "workflows". Its arguments are: workflow, state, limit.',
    );
    expect(await desk.refusal("list_runs", { limit: 21 })).toContain("limit: ");
    expect(await desk.refusal("list_tools", { all: true })).toEndWith("Call it without arguments.");
    expect(await desk.refusal("read_run", [])).toContain(
      "The arguments of read_run are not valid.",
    );
    expect(await desk.refusal("drop_database")).toStartWith(
      "There is no tool drop_database. Use one",
    );
    // Null means none.
    expect(await desk.call("list_runs", { workflow: null, state: null })).toBe(
      "There are no such runs.",
    );
    expect(await desk.call("list_tools", null)).toBe("- web_search: Searches the web.");
  });
});

describe("workflows", () => {
  test("are listed by name and read whole, also an older version", async () => {
    await using desk = await startDesk();
    expect(await desk.call("list_workflows")).toBe("No workflow is saved yet.");
    await desk.addWorkflow();
    const second = `${GREETING}# changed\n`;
    await desk.addWorkflow(second);
    expect(await desk.call("list_workflows", { search: "greet" })).toMatch(
      /^- greeting \(version 2, changed \d{4}-[\d :-]+ UTC\)$/,
    );
    expect(await desk.call("list_workflows", { search: "nothing" })).toBe(
      "No workflow has that name.",
    );
    expect(await desk.call("read_workflow", { workflow: "greeting" })).toBe(
      `greeting, version 2 (the newest), yaml:\n${second.trimEnd()}`,
    );
    expect(await desk.call("read_workflow", { workflow: "greeting", version: 1 })).toBe(
      `greeting, version 1, yaml:\n${GREETING.trimEnd()}`,
    );
    expect(await desk.refusal("read_workflow", { workflow: "greetin" })).toBe(
      "There is no workflow greetin. Write greeting instead.",
    );
    expect(await desk.refusal("read_workflow", { workflow: "greeting", version: 3 })).toBe(
      "greeting has no version 3. Its versions are 1 to 2.",
    );
  });

  test("a long file is read in pieces that are the whole together", async () => {
    await using desk = await startDesk();
    const comment = Array.from({ length: 400 }, (_, index) => `# line ${index} of the comment`);
    const long = `${GREETING}${comment.join("\n")}\n`;
    await desk.addWorkflow(long);
    let read = "";
    for (let from: number | undefined = 1; from !== undefined;) {
      const text = await desk.call("read_workflow", { workflow: "greeting", from_line: from });
      expect(text.length).toBeLessThan(TOOL_OUTPUT_CHARS_MAX);
      const [, ...lines] = text.split("\n");
      const next = /^The file goes on: call again with from_line (\d+)\.$/.exec(lines.at(-1) ?? "");
      read += `${lines.slice(0, next === null ? undefined : -1).join("\n")}\n`;
      from = next === null ? undefined : Number(next[1]);
    }
    expect(read).toBe(long);
    expect(await desk.refusal("read_workflow", { workflow: "greeting", from_line: 9_000 })).toBe(
      `The file has ${long.trimEnd().split("\n").length} lines. Read from an earlier line.`,
    );
  });

  test("secrets are blanked out, placeholders stay", async () => {
    await using desk = await startDesk();
    const header = 'headers: { Authorization: "Bearer ${API_TOKEN}", X-Api-Key: "{key}" }';
    await desk.addWorkflow(`${GREETING}# ${SECRET} sk-abcdefghijkl\n# ${header}\n`);
    const text = await desk.call("read_workflow", { workflow: "greeting" });
    expect(text).not.toContain(SECRET);
    expect(text).toContain("# [redacted] [redacted]\n");
    expect(text).toContain(header);
    expect(await desk.refusal("read_workflow", { workflow: SECRET })).not.toContain(SECRET);
  });

  test("are checked, with the lines of what is wrong", async () => {
    await using desk = await startDesk();
    expect(await desk.call("validate_workflow", { yaml: GREETING })).toBe(
      "Valid: greeting, 1 nodes.",
    );
    const line = BROKEN.split("\n").findIndex((text) => text.includes("texts")) + 1;
    const told = await desk.call("validate_workflow", { yaml: BROKEN });
    expect(told).toStartWith(`Not valid. It cannot run yet:\n- error, line ${line}, column `);
    expect(told).toContain("Did you mean `text`?");
    const many = `a: ${"[".repeat(5)}\n${"b: {\n".repeat(500)}`;
    expect((await desk.call("validate_workflow", { yaml: many })).length).toBeLessThan(
      TOOL_OUTPUT_CHARS_MAX + 100,
    );
  });
});

describe("runs", () => {
  test("are listed newest first, by workflow and state", async () => {
    await using desk = await startDesk();
    const first = await desk.addRun();
    const second = await desk.addRun();
    const lines = (await desk.call("list_runs", { limit: 2 })).split("\n");
    expect(lines.map((line) => line.split(" ")[1])).toEqual([second, first]);
    expect(lines[0]).toContain("greeting, queued, begun ");
    expect(await desk.call("list_runs", { limit: 1 })).toEndWith("\nThere are older ones.");
    expect(await desk.call("list_runs", { workflow: "greeting", state: "failed" })).toBe(
      "There are no such runs.",
    );
    expect(await desk.refusal("list_runs", { workflow: "other" })).toStartWith(
      "There is no workflow other.",
    );
  });

  test("one that failed is told with its error, the fix, inputs and attempts, without secrets", async () => {
    await using desk = await startDesk();
    const error = {
      code: "key_rejected",
      message: `OpenAI rejected the key ${SECRET}.`,
      fix: "Set OPENAI_API_KEY to a valid key.",
    } as const;
    const id = await desk.addRun([
      { type: "start", ...NODE, input: {} },
      { type: "fail", ...NODE, error, retryAt: null, next: null },
    ]);
    const text = await desk.call("read_run", { run: id.slice(-8) });
    expect(text).toContain(`Run ${id} of greeting: failed.`);
    expect(text).toContain(
      "Error: key_rejected: OpenAI rejected the key [redacted]. Fix: Set OPENAI_API_KEY to a valid key.",
    );
    expect(text).toContain('- name: "Ada"');
    expect(text).toContain('- token: "[redacted]"');
    expect(text).toMatch(/\n- write: failed, \d+ ms, \$0\.00\. Error: key_rejected: /);
    expect(text).not.toContain(SECRET);
    expect(await desk.refusal("read_run", { run: "zzzz" })).toBe(
      "There is no run zzzz. See list_runs for those that are there.",
    );
  });

  test("one that did very much is told in what a tool may say, its newest steps among it", async () => {
    await using desk = await startDesk();
    const long = "x".repeat(5_000);
    const error = { code: "tool_failed", message: long, fix: long, details: long } as const;
    const steps = Array.from({ length: 120 }, (_, index): StepWrite[] => {
      const step = {
        key: index === 0 ? "write" : `write#${index + 1}`,
        nodeId: "write",
        attempt: 1,
      };
      const patch = { text: long, [`field_${index}`]: long };
      return [
        { type: "start", ...step, input: {} },
        { type: "succeed", ...step, patch, next: [] },
      ];
    }).flat();
    const last = { key: "write#999", nodeId: "write", attempt: 1 };
    const id = await desk.addRun([
      ...steps,
      { type: "start", ...last, input: {} },
      { type: "fail", ...last, error, retryAt: null, next: null },
    ]);
    const text = await desk.call("read_run", { run: id });
    expect(text.length).toBeLessThan(TOOL_OUTPUT_CHARS_MAX);
    expect(text).toContain("earlier steps left out");
    expect(text).toContain("write#999: failed");
    expect(text).toContain("Values at the end, or so far:");
  });
});

test("models are listed by provider, cut and searched, with providers that are not set up", async () => {
  const models = Array.from({ length: 300 }, (_, index) => `gpt-${index}`);
  await using desk = await startDesk([{ provider: "openai", models }]);
  const text = await desk.call("list_models");
  expect(text).toStartWith("- openai: gpt-0, gpt-1, ");
  expect(text).toContain(", and 260 more: search by name");
  expect(text).toEndWith("\nNot set up: google (needs GOOGLE_API_KEY).");
  expect(await desk.call("list_models", { provider: "openai", search: "GPT-299" })).toBe(
    "- openai: gpt-299",
  );
  expect(await desk.call("list_models", { provider: "nobody" })).toBe(
    "No such provider is set up.",
  );
});

describe("save_workflow", () => {
  test("refuses what is not valid before anybody is asked, with the lines", async () => {
    await using desk = await startDesk();
    const [call] = await planCalls(desk.tools, [
      { id: "c1", name: "save_workflow", arguments: { yaml: BROKEN } },
    ]);
    expect(call?.state).toBe("failed");
    expect(call?.result).toStartWith("The workflow is not valid.\n- error, line ");
    expect(call?.result).toEndWith("Correct the errors and call again with the whole file.");
    expect(await desk.refusal("save_workflow", { yaml: `${GREETING}# [redacted]\n` })).toStartWith(
      "The file contains [redacted], which stands for a secret.",
    );
    expect(
      await desk.refusal("save_workflow", { yaml: GREETING + "# x\n".repeat(300_000) }),
    ).toStartWith("The workflow is too large.");
    expect(await desk.store.workflows.list({ limit: 9 })).toEqual([]);
  });

  test("asks, then saves a version; the same text again saves nothing", async () => {
    await using desk = await startDesk();
    const save = tool(desk, "save_workflow");
    expect(save.asks).toBe(true);
    const first = await save.run({ yaml: GREETING.trimEnd() }, NEW);
    const record = await desk.store.workflows.get("greeting");
    expect(first).toEqual({
      text: "Saved as version 1 of greeting.",
      link: `/workflows/${record?.id}`,
    });
    expect(record?.version.source).toBe(GREETING);
    expect(record?.description).toBe("Says hello.");
    // As after a crash, when it is not known that it was made.
    expect((await save.run({ yaml: GREETING }, NEW)).text).toBe(
      "Nothing to save: version 1 of greeting, the newest, has this very text.",
    );
    const seen = record?.version.hash ?? "";
    expect((await save.run({ yaml: `${GREETING}# two\n` }, { ...KEY, seen })).text).toBe(
      "Saved as version 2 of greeting.",
    );
  });

  test("saves nothing over what the person did not see", async () => {
    await using desk = await startDesk();
    const save = tool(desk, "save_workflow");
    const { version } = await desk.addWorkflow();
    const mine = { yaml: `${GREETING}# mine\n` };
    const theirs = `${GREETING}# theirs\n`;
    const refusal = (seen: string | null) =>
      save.run(mine, { ...KEY, seen }).then(
        () => "saved",
        (error: unknown) => AppError.from(error).message,
      );
    expect(await refusal(NOTHING_SEEN)).toBe(
      'There is a workflow "greeting" already, in version 1.',
    );
    expect(await refusal(null)).toBe("Nobody has seen what this would change.");
    await desk.addWorkflow(theirs);
    expect(await refusal(version.hash)).toBe(
      'The workflow "greeting" was changed meanwhile: version 2 is newer than the one you began with.',
    );
    expect((await desk.store.workflows.get("greeting"))?.version).toMatchObject({
      number: 2,
      source: theirs,
    });
  });
});

describe("run_workflow", () => {
  test("refuses before anybody is asked: no such workflow, inputs that do not fit, a file with errors", async () => {
    await using desk = await startDesk();
    await desk.addWorkflow();
    expect(await desk.refusal("run_workflow", { workflow: "greting" })).toBe(
      "There is no workflow greting. Write greeting instead.",
    );
    const inputs = { count: "three", nmae: "Ada" };
    const told = await desk.refusal("run_workflow", { workflow: "greeting", inputs });
    expect(told).toStartWith("The inputs do not fit greeting. ");
    for (const part of ["`nmae`", "Write `name` instead.", "`name` is required", "`count`"])
      expect(told).toContain(part);
    await desk.addWorkflow(BROKEN);
    expect(
      await desk.refusal("run_workflow", { workflow: "greeting", inputs: { name: "Ada" } }),
    ).toStartWith("The workflow greeting has errors.");
    expect((await desk.store.runs.page({ limit: 9 })).runs).toEqual([]);
  });

  test("begins one run for a call, however often it is made", async () => {
    await using desk = await startDesk();
    const { version } = await desk.addWorkflow();
    const key = { ...KEY, seen: version.hash };
    const run = tool(desk, "run_workflow");
    const input = { workflow: "greeting", inputs: { name: "Ada", count: 2 } };
    const made = await run.run(input, key);
    const [begun, ...others] = await desk.store.runs.list({ limit: 9 });
    expect(others).toEqual([]);
    expect(begun).toMatchObject({ state: "queued", inputs: { name: "Ada", count: 2 } });
    expect(begun?.values).toMatchObject({ name: "Ada", count: 2, polite: true });
    expect(made).toEqual({
      text: `The run ${begun?.id} of greeting has begun. It has not ended yet.`,
      link: `/runs/${begun?.id}`,
      runId: begun?.id ?? "",
    });
    // Also when the workflow has another text by now, which it could not be begun with.
    await desk.addWorkflow(BROKEN);
    expect(await run.run(input, key)).toEqual(made);
    expect((await desk.store.runs.list({ limit: 9 })).length).toBe(1);
    await desk.addWorkflow();
    await run.run(input, { ...key, seed: "talk-2-2" });
    expect((await desk.store.runs.list({ limit: 9 })).length).toBe(2);
  });

  test("runs no other version than the person saw", async () => {
    await using desk = await startDesk();
    const { version } = await desk.addWorkflow();
    await desk.addWorkflow(`${GREETING}# two\n`);
    const input = { workflow: "greeting", inputs: { name: "Ada" } };
    const refused = tool(desk, "run_workflow").run(input, { ...KEY, seen: version.hash });
    expect(await refused.catch((error: unknown) => AppError.from(error).message)).toBe(
      "greeting was changed after the person had looked: version 2 is the newest.",
    );
    expect(await desk.store.runs.list({ limit: 9 })).toEqual([]);
  });
});

const killed = () => Promise.reject(new AppError("unavailable", "killed"));

describe("a run that a person approves", () => {
  const LATE_MS = 3 * 24 * 3_600_000;

  /** The model asks for a run; a person approves it days later. */
  async function askForRun(desk: Desk, over: Partial<ConversationStore> = {}) {
    const clock = { ...systemClock, now: () => now };
    let now = systemClock.now();
    const conversations = { ...desk.store.conversations, ...over };
    const input = { workflow: "greeting", inputs: { name: "Ada" } };
    const answers = createAnswers({
      conversations,
      models: scriptedModels((_, count) =>
        count === 0 ? askFor({ id: "c1", name: "run_workflow", arguments: input }) : say("Done."),
      ),
      reader: createAnswerReader(() => Promise.resolve([])),
      facts: () => Promise.resolve({ tools: [], providers: ["openai"], workflows: [] }),
      examples: () => Promise.resolve([]),
      tools: () => Promise.resolve(desk.tools),
      clock,
      changes: desk.store.changes,
      self: { name: "test" },
      reportError: () => {},
      onChange: () => {},
    });
    await conversations.create({ id: "talk", title: "Run", text: "Run it." });
    const { version } = await desk.addWorkflow();
    await answers.begin("talk");
    await waitFor(() => !answers.isActive("talk"), "the call that asks");
    now += LATE_MS;
    const ref = { conversationId: "talk", ordinal: 2, number: 1 };
    return {
      approvedAt: now,
      read: () => desk.store.conversations.get("talk"),
      approve: () => answers.decide(ref, { approved: true, seen: version.hash }),
      goOn: () => answers.begin("talk"),
      rest: () => waitFor(() => !answers.isActive("talk"), "the end of the answer"),
      call: async () => {
        const message = await desk.store.conversations.message(ref);
        return message?.role === "model" ? message.calls[0] : undefined;
      },
    };
  }

  test("has the id of the time of its approval, and is shown beside the conversation", async () => {
    await using desk = await startDesk();
    const asked = await askForRun(desk);
    expect(await asked.call()).toMatchObject({ state: "asked", approvedAt: null, seen: null });
    expect((await asked.read())?.runId).toBeNull();
    await asked.approve();
    await asked.rest();
    const [run, ...others] = await desk.store.runs.list({ limit: 9 });
    expect(others).toEqual([]);
    expect(run?.id).toBe(derivedId(asked.approvedAt, "chat talk-2-1"));
    expect(run?.id.startsWith(firstIdAt(asked.approvedAt))).toBe(true);
    expect(await asked.call()).toMatchObject({ state: "done", approvedAt: asked.approvedAt });
    expect((await asked.read())?.runId).toBe(run?.id ?? "");
  });

  // The process is killed at each place after the approval; another one makes the call again.
  test.each(["showRun", "saveCall"] as const)(
    "is one and is shown, also when the process ended before %s",
    async (place) => {
      await using desk = await startDesk();
      let isKilled = true;
      const { conversations } = desk.store;
      const asked = await askForRun(desk, {
        showRun: (...given) =>
          isKilled && place === "showRun" ? killed() : conversations.showRun(...given),
        saveCall: (ref, change) =>
          isKilled && place === "saveCall" && change.from === "begun"
            ? killed()
            : conversations.saveCall(ref, change),
      });
      await asked.approve();
      await asked.rest();
      expect(await asked.call()).toMatchObject({ state: "begun" });
      expect((await asked.read())?.runId === null).toBe(place === "showRun");
      isKilled = false;
      await asked.goOn();
      await asked.rest();
      expect(await asked.call()).toMatchObject({ state: "done" });
      const [run, ...others] = await desk.store.runs.list({ limit: 9 });
      expect(others).toEqual([]);
      expect((await asked.read())?.runId).toBe(run?.id ?? "");
    },
  );
});

function tool({ tools }: Desk, name: string): ChatTool {
  const found = tools.find(({ spec }) => spec.name === name);
  if (found === undefined) throw new AppError("not_found", name);
  return found;
}
