/** `agents new` of the executable, against a scripted model server; questions on a real terminal. */
import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  agentsProcesses,
  createHome,
  environmentOf,
  EXECUTABLE,
  type Home,
  killQuietly,
  queryDatabase,
  runAgents,
  type RunningAgents,
  spawnAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { encodeAnswer } from "../support/model-wire.ts";
import { openSse } from "../web/sse-client.ts";

const GREET = `schema_version: "1.0"
flow: { name: greet, description: Greets somebody. }
state:
  fields:
    name: { type: str, required: true }
    text: { type: str }
nodes:
  - id: write
    prompt: "Greet {name}."
    outputs: [text]
    output_schema: { type: str }
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;
const BROKEN = GREET.replace("prompt:", "promt:").replace("outputs: [text]", "outputs: [txt]");
const EVENING = GREET.replace("Greet {name}.", "Wish {name} a good evening.");

const said = (source: string, words = "Here it is.") =>
  ({ kind: "answer", pieces: [`${words}\n\n`, "```yaml\n", source, "```\n"] }) as const;

function keyOf(models: ModelServer) {
  return { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: models.baseUrlFor("openai") };
}

function conversationOf(text: string): string {
  const [, id] = /\/chat\/(\w+)/.exec(text) ?? [];
  if (id === undefined) throw new Error(`no conversation in:\n${text}`);
  return id;
}

function answersOf(home: Home) {
  return queryDatabase<{ text: string; state: string }>(
    home.databasePath,
    "SELECT text, state FROM conversation_messages WHERE role = 'model' ORDER BY ordinal",
  );
}

describe("without a terminal", () => {
  test("the file goes to standard output, the talk to standard error, nothing is coloured", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next(said(GREET, `It greets${" somebody politely".repeat(9)}.`));
    const { code, stdout, stderr } = await runAgents(["new", "Greet", "somebody."], {
      home,
      env: { ...keyOf(models), NO_COLOR: "", TERM: "xterm-256color" },
    });
    expect([code, stdout]).toEqual([0, GREET]);
    expect(stderr).toStartWith("openai gpt-6-luna answers:\n\nIt greets somebody politely");
    expect(stderr).toContain(
      "START\n  └─> write\nwrite  (llm)\n  └─> END\n\ngreet: ok, 15 tokens, $",
    );
    const id = conversationOf(stderr);
    expect(stderr).toEndWith(
      `Conversation: /chat/${id} (after \`agents start\`)\nChange it: agents new --continue ${id} "…"\n`,
    );
    expect(Math.max(...stderr.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stderr).not.toContain("\u001b");
    expect(JSON.stringify(models.requests()[0]?.body)).toContain("Greet somebody.");
  });

  test("mistakes go back to the model, are shown, and the result is saved", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next(said(BROKEN), said(GREET, "Corrected."));
    const { code, stdout, stderr } = await runAgents(["new", "Greet.", "--save"], {
      home,
      env: keyOf(models),
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Saved as greet, version 1: \/workflows\/\w+\n$/);
    expect(stderr).toContain(`2 errors, back to the model: repair 1 of 3
  line 9: The key \`promt\` is not known in \`nodes[0]\`. Did you mean \`prompt\`?
  line 10: The state has no field \`txt\` for this output. Did you mean \`text\`?
`);
    expect(stderr).toContain("greet: ok, 1 repair, 30 tokens");
    expect(queryDatabase(home.databasePath, "SELECT source FROM workflow_versions")).toEqual([
      { source: GREET },
    ]);
  });

  test("what is left after three repairs is shown at its lines, written, and not saved", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next(said(BROKEN), said(BROKEN), said(BROKEN), said(BROKEN));
    const { code, stdout, stderr } = await runAgents(
      ["new", "Greet.", "--save", "--output", "greet.yaml"],
      { home, env: keyOf(models) },
    );
    expect([code, stdout]).toEqual([3, "The workflow is in greet.yaml.\n"]);
    expect(models.requests()).toHaveLength(4);
    expect(stderr).toContain("repair 3 of 3");
    expect(stderr).toContain("greet.yaml:9:5: error: The key `promt` is not known in `nodes[0]`.");
    expect(stderr).toContain("error: The workflow cannot run yet: 2 errors left.");
    expect(await readFile(join(home.cwd, "greet.yaml"), "utf8")).toBe(BROKEN);
    expect(queryDatabase(home.databasePath, "SELECT id FROM workflows")).toEqual([]);
    const check = await runAgents(["validate", "greet.yaml"], { home });
    expect(check.code).toBe(code);
  });

  test("a second turn changes the workflow, and the dashboard has the conversation", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    const env = keyOf(models);
    models.next(said(GREET), said(EVENING));
    const first = await runAgents(["new", "Greet."], { home, env });
    const id = conversationOf(first.stderr);
    const second = await runAgents(["new", "--continue", id, "In the evening."], { home, env });
    expect([second.code, second.stdout]).toEqual([0, EVENING]);
    const sent = JSON.stringify(models.requests()[1]?.body);
    for (const text of ["Greet.", "Here it is.", "In the evening."]) expect(sent).toContain(text);
    // Without words the newest workflow is taken as it is, and nobody is asked.
    const third = await runAgents(["new", "--continue", id, "--save"], { home, env });
    expect([third.code, models.requests().length]).toEqual([0, 2]);
    await using running = await startAgents({ home, env });
    await running.waitForOutput(/chat: running/);
    const page = await (await fetch(new URL(`chat/${id}`, running.url))).text();
    for (const text of ["Greet.", "In the evening.", "a good evening"])
      expect(page).toContain(text);
    // Beside the running server, whose address is named now.
    models.next(said(GREET));
    const beside = await runAgents(["new", "Greet again."], { home, env });
    const link = /^Conversation: (http\S+)$/m.exec(beside.stderr)?.[1] ?? "";
    expect(await (await fetch(link)).text()).toContain("Greet again.");
  });

  test("--json is one document", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next(said(BROKEN), said(GREET));
    const { code, stdout, stderr } = await runAgents(
      ["new", "-", "--json", "--save", "--model", "openai/gpt-5-mini"],
      { home, env: keyOf(models), input: "Greet\nsomebody.\n" },
    );
    expect([code, stderr]).toEqual([0, ""]);
    const document = JSON.parse(stdout);
    const [conversation] = queryDatabase<{ id: string }>(
      home.databasePath,
      "SELECT id FROM conversations",
    );
    const [workflow] = queryDatabase<{ id: string }>(home.databasePath, "SELECT id FROM workflows");
    expect(document).toEqual({
      valid: true,
      source: GREET,
      problems: [],
      repairs: 1,
      text: `Here it is.\n\n\`\`\`yaml\n${GREET}\`\`\`\n`,
      conversation_id: conversation?.id,
      conversation: `/chat/${conversation?.id}`,
      workflow_id: workflow?.id,
      version: 1,
      file: null,
      provider: "openai",
      model: "gpt-5-mini",
      demo: false,
      usage: { input_tokens: 20, output_tokens: 10 },
      cost_usd: expect.any(Number),
      cost_complete: true,
      error: null,
    });
    expect(document.cost_usd).toBeGreaterThan(0);
  });

  test("a failure of the model is told with its own exit code, and is tried again without words", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    const refused = await runAgents(["new", "Greet.", "--json"], {
      home,
      env: { ...keyOf(models), OPENAI_API_KEY: "bad-key" },
    });
    const { conversation_id: id, error, valid } = JSON.parse(refused.stdout);
    expect([refused.code, error.code, valid]).toEqual([13, "key_rejected", false]);
    models.next(said(GREET));
    const again = await runAgents(["new", "--continue", id], { home, env: keyOf(models) });
    expect([again.code, again.stdout]).toEqual([0, GREET]);
  });

  test("words without a workflow are shown, and are no success", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next({ kind: "answer", pieces: ["Whom \u001b[2Jshould it greet?"] });
    const { code, stdout, stderr } = await runAgents(["new", "Greet."], {
      home,
      env: keyOf(models),
    });
    expect([code, stdout]).toEqual([17, ""]);
    expect(stderr).toContain("Whom should it greet?");
    expect(stderr).not.toContain("\u001b");
  });

  test("without a provider there is a template, and how to set one up", async () => {
    await using home = await createHome();
    const { code, stdout, stderr } = await runAgents(["new", "Rate reviews of a list."], { home });
    expect(code).toBe(0);
    expect(stdout).toContain("name: map_reviews");
    expect(stderr).toContain("This is a template: no model provider is set up.");
    expect(stderr).toContain("`agents setup` sets one up.");
  });

  test("what cannot be done is said before a model is asked", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    await writeFile(join(home.cwd, "there.yaml"), "mine");
    const options = { home, env: keyOf(models) };
    const codes = [
      await runAgents(["new"], options),
      await runAgents(["new", "Greet.", "--model", "gpt-5-mini"], options),
      await runAgents(["new", "Greet.", "--output", "there.yaml"], options),
      await runAgents(["new", "--continue", "nobody", "Greet."], options),
    ].map(({ code }) => code);
    expect(codes).toEqual([2, 2, 22, 4]);
    expect(models.requests()).toEqual([]);
    expect(await readFile(join(home.cwd, "there.yaml"), "utf8")).toBe("mine");
    models.next(said(GREET));
    await runAgents(["new", "Greet.", "--output", "there.yaml", "--force"], options);
    expect(await readFile(join(home.cwd, "there.yaml"), "utf8")).toBe(GREET);
  });
});

// Windows has no signal that a program could send for Ctrl-C.
test.skipIf(process.platform === "win32")(
  "Ctrl-C ends the provider's request, keeps what had come, and says how it goes on",
  async () => {
    const gone = Promise.withResolvers<number>();
    const wire = encodeAnswer("responses", { pieces: ["The first ", "half of it"] }, "gpt-6-luna");
    using server = Bun.serve({
      port: 0,
      idleTimeout: 0,
      fetch: (request) => {
        request.signal.addEventListener("abort", () => gone.resolve(performance.now()));
        return new Response(
          new ReadableStream({
            start(controller) {
              for (const event of [...wire.start, ...wire.pieces]) controller.enqueue(event);
            },
          }),
          { headers: { "content-type": "text/event-stream" } },
        );
      },
    });
    await using home = await createHome();
    const env = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: `${server.url.origin}/v1` };
    const running = spawnAgents(["new", "Greet."], { home, env });
    await running.waitForOutput(/half of/);
    const stoppedAt = performance.now();
    running.child.kill("SIGINT");
    expect((await gone.promise) - stoppedAt).toBeLessThan(200);
    expect(await running.child.exited).toBe(130);
    await running.closed;
    const id = conversationOf(running.stderr());
    expect(running.stderr()).toContain("error: The answer was stopped. What had come is kept.");
    expect(running.stderr()).toContain(`Fix: Try again with \`agents new --continue ${id}\`.`);
    expect(answersOf(home)).toEqual([{ text: "The first half of it", state: "stopped" }]);
  },
);

test("killed in the middle of an answer, it goes on with what had come in the conversation", async () => {
  await using models = await startModelServer();
  await using home = await createHome();
  const env = keyOf(models);
  models.next({ kind: "stall", pieces: ["The first ", "half of it"] });
  const running = spawnAgents(["new", "Greet."], { home, env });
  await running.waitForOutput(/half of/);
  await waitFor(() => answersOf(home)[0]?.text.includes("half") === true, "the part to be stored");
  running.child.kill("SIGKILL");
  await running.child.exited;
  const [conversation] = queryDatabase<{ id: string }>(
    home.databasePath,
    "SELECT id FROM conversations",
  );
  models.next(said(GREET));
  const again = await runAgents(["new", "--continue", conversation?.id ?? ""], { home, env });
  expect([again.code, again.stdout]).toEqual([0, GREET]);
  expect(answersOf(home).map(({ state }) => state)).toEqual(["interrupted", "done"]);
});

/** A provider that answers with these pieces and then is silent. */
function startSilentProvider(...pieces: string[]) {
  const gone = Promise.withResolvers<number>();
  const wire = encodeAnswer("responses", { pieces }, "gpt-6-luna");
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      request.signal.addEventListener("abort", () => gone.resolve(performance.now()));
      return new Response(
        new ReadableStream({
          start(controller) {
            for (const event of [...wire.start, ...wire.pieces]) controller.enqueue(event);
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
    },
  });
  return {
    env: { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: `${server.url.origin}/v1` },
    /** When its request was ended. */
    gone: gone.promise,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** The page of the only conversation, with its forms and its stream. */
async function openTalk({ home, url }: RunningAgents) {
  const [conversation] = queryDatabase<{ id: string }>(
    home.databasePath,
    "SELECT id FROM conversations",
  );
  const path = new URL(`chat/${conversation?.id}`, url).href;
  const page = await fetch(path);
  const text = await page.text();
  const [, token = ""] = /name="_csrf" value="([^"]+)"/.exec(text) ?? [];
  const cookie = page.headers.getSetCookie().map((line) => line.split(";")[0]);
  const address = /hx-sse:connect="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  return {
    text,
    openStream: () => openSse(new URL(address, url)),
    post: (action: string, fields: Record<string, string> = {}) =>
      fetch(`${path}/${action}`, {
        method: "POST",
        body: new URLSearchParams({ _csrf: token, ...fields }),
        headers: { Cookie: cookie.join("; ") },
        redirect: "manual",
      }),
  };
}

describe("beside a running server", () => {
  test("an open page moves with the answer, and its Stop ends the request of a silent provider", async () => {
    await using provider = startSilentProvider("The first ", "half of it");
    await using home = await createHome();
    const { env } = provider;
    await using server = await startAgents({ home, env });
    await server.waitForOutput(/chat: running/);
    const running = spawnAgents(["new", "Greet."], { home, env });
    await waitFor(() => answersOf(home).length > 0, "the beginning of the answer");
    const talk = await openTalk(server);
    expect(talk.text).toContain('data-phase="answering"');
    await using tab = await talk.openStream();
    if (!talk.text.includes("half of it"))
      await tab.until(() => tab.messages.some(({ data }) => data.includes("half of it")));
    const stoppedAt = performance.now();
    const stopped = await talk.post("cancellation");
    expect(stopped.status).toBe(303);
    expect((await provider.gone) - stoppedAt).toBeLessThan(200);
    expect(await running.child.exited).toBe(130);
    await tab.until(() => tab.messages.some(({ data }) => data.includes("Stopped. What had come")));
    expect(answersOf(home)).toEqual([{ text: "The first half of it", state: "stopped" }]);
  }, 20_000);

  test("killed in the middle of an answer, an open page says so, and goes on with it", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    const env = keyOf(models);
    await using server = await startAgents({ home, env });
    await server.waitForOutput(/chat: running/);
    models.next({ kind: "stall", pieces: ["The first ", "half of it"] });
    const running = spawnAgents(["new", "Greet."], { home, env });
    await waitFor(() => answersOf(home)[0]?.text.includes("half") === true, "the part to be kept");
    const talk = await openTalk(server);
    await using tab = await talk.openStream();
    running.child.kill("SIGKILL");
    await running.child.exited;
    const note = "Interrupted: its process ended in the middle of this answer.";
    const told = () => tab.messages.find(({ data }) => data.includes(note))?.data;
    await waitFor(() => told() !== undefined, "the open page to be told", 10_000);
    expect(told()).toContain("The first half of it");
    expect(told()).toContain('name="goOnWith"');
    models.next({ kind: "answer", pieces: [", and the rest."] });
    expect((await talk.post("answers", { goOnWith: "2" })).status).toBe(303);
    await waitFor(() => answersOf(home)[1]?.state === "done", "the second answer");
    expect(answersOf(home)).toEqual([
      { text: "The first half of it", state: "interrupted" },
      { text: "The first half of it, and the rest.", state: "done" },
    ]);
  }, 20_000);

  test("a chat that is killed and comes back leaves the answer of a process that lives alone", async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    const env = keyOf(models);
    await using server = await startAgents({ home, env });
    await server.waitForOutput(/chat: running/);
    const pieces = ["```yaml\n", ...GREET.split(/(?<=\n)/), "```\n"];
    models.next({ kind: "answer", pieces, delayMs: 250 });
    const running = spawnAgents(["new", "Greet."], { home, env });
    await waitFor(() => answersOf(home).length > 0, "the beginning of the answer");
    const chat = () => agentsProcesses(home.path).find(({ role }) => role === "chat")?.pid;
    const first = chat() ?? 0;
    killQuietly(first, "SIGKILL");
    await waitFor(() => (chat() ?? first) !== first, "the chat to be back");
    await server.waitForOutput(/chat: running[^]*chat: running/);
    expect((await openTalk(server)).text).toContain('data-phase="answering"');
    expect(await running.child.exited).toBe(0);
    expect(answersOf(home).map(({ state }) => state)).toEqual(["done"]);
  }, 20_000);
});

test("a conversation that another one answers is left alone, and said so", async () => {
  await using models = await startModelServer();
  await using home = await createHome();
  const env = keyOf(models);
  models.next({ kind: "stall", pieces: ["The first ", "half of it"] });
  const running = spawnAgents(["new", "Greet."], { home, env });
  await running.waitForOutput(/half of/);
  const [conversation] = queryDatabase<{ id: string }>(
    home.databasePath,
    "SELECT id FROM conversations",
  );
  const again = await runAgents(["new", "--continue", conversation?.id ?? ""], { home, env });
  expect([
    again.code,
    again.stderr.includes("An answer is under way in this conversation."),
  ]).toEqual([22, true]);
  expect(answersOf(home).map(({ state }) => state)).toEqual(["streaming"]);
  running.child.kill("SIGKILL");
  await running.child.exited;
});

test.skipIf(process.platform === "win32")(
  "on a terminal it asks what to build, what to change, and where it goes",
  async () => {
    await using models = await startModelServer();
    await using home = await createHome();
    models.next(said(GREET), said(EVENING, "Changed."));
    let output = "";
    const child = Bun.spawn([EXECUTABLE, "new"], {
      cwd: home.cwd,
      env: { ...environmentOf(home), ...keyOf(models), TERM: "xterm-256color" },
      terminal: {
        cols: 80,
        rows: 40,
        data: (_, bytes) => void (output += Buffer.from(bytes).toString()),
      },
    });
    let place = 0;
    const asks = (question: RegExp) =>
      waitFor(
        () => {
          const found = question.exec(output.slice(place));
          if (found !== null) place += found.index + found[0].length;
          return found !== null;
        },
        () => `${question} in:\n${output}`,
      );
    const type = (keys: string) => void child.terminal?.write(keys);
    await asks(/What should the workflow do\?[^]*└/);
    type("Greet somebody.\r");
    await asks(/greet: ok[^]*What next\?[^]*└/);
    type("\u001b[B");
    await asks(/Change .*say what[^]*└/);
    type("\r");
    await asks(/What should change\?[^]*└/);
    type("In the evening.\r");
    await asks(/Changed\.[^]*greet: ok[^]*What next\?[^]*└/);
    type("\u001b[B\u001b[B\r");
    await asks(/Which file\?[^]*greet\.yaml[^]*└/);
    type("\r");
    expect(await child.exited).toBe(0);
    expect(output).toContain("The workflow is in greet.yaml.");
    expect(await readFile(join(home.cwd, "greet.yaml"), "utf8")).toBe(EVENING);
  },
);
