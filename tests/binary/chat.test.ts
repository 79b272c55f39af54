/**
 * The chat of the executable: a process of its own behind the dashboard, that comes back when it is
 * killed, keeps what it had said, says why it is away, and goes when the product goes.
 */
import { expect, test } from "bun:test";
import {
  agentsProcesses,
  createHome,
  killQuietly,
  type RunningAgents,
  startAgents,
  waitFor,
  waitForValue,
} from "../support/agents.ts";
import { startModelServer } from "../support/model-server.ts";

/** What a service that was ready and died may be away for. */
const RESTART_MS_MAX = 5_000;

const WORKFLOW = `schema_version: "1.0"
flow: { name: from_the_chat }
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

function chatPid(running: RunningAgents): number | undefined {
  return agentsProcesses(running.home.path).find(({ role }) => role === "chat")?.pid;
}

/** A browser without script. */
function browse(running: RunningAgents) {
  const cookies = new Map<string, string>();
  let token = "";
  const send = async (path: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(new URL(path, running.url), {
      ...init,
      redirect: "manual",
      headers: cookie === "" ? {} : { Cookie: cookie },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const text = await response.text();
    token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? token;
    return { status: response.status, text, location: response.headers.get("Location") ?? "" };
  };
  return {
    get: (path: string) => send(path),
    post: (path: string, fields: Record<string, string> = {}) =>
      send(path, { method: "POST", body: new URLSearchParams({ _csrf: token, ...fields }) }),
  };
}

test("a workflow is described, written by the model, saved and on its page", async () => {
  await using models = await startModelServer();
  const env = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: models.baseUrlFor("openai") };
  await using running = await startAgents({ env });
  await running.waitForOutput(/^ {2}Chat +http\S+\/chat$/m);
  models.next({ kind: "answer", pieces: ["Here.\n\n```yaml\n", WORKFLOW, "```\n"] });
  const browser = browse(running);
  expect((await browser.get("chat")).status).toBe(200);
  const { location } = await browser.post("chat", { text: "Greet somebody." });
  const page = await waitForValue(async () => {
    const { text } = await browser.get(location);
    return text.includes("valid, 1 step") ? text : undefined;
  }, "the answer");
  expect(page).toContain("from_the_chat");
  const saved = await browser.post(`${location}/workflows`, { message: "2-new" });
  expect((await browser.get(saved.location)).text).toContain("<h1>from_the_chat</h1>");
  // The system prompt and what was said, to the provider that is set up.
  expect(JSON.stringify(models.requests()[0]?.body)).toContain("Greet somebody.");
});

test("killed in the middle of an answer it is back within 5 s, with what had come", async () => {
  await using models = await startModelServer();
  const env = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: models.baseUrlFor("openai") };
  await using running = await startAgents({ env });
  models.next({ kind: "stall", pieces: ["The first ", "half of it"] });
  const browser = browse(running);
  await browser.get("chat");
  const { location } = await browser.post("chat", { text: "Write." });
  const pid = await waitForValue(() => chatPid(running), "the chat's process");
  await waitFor(async () => (await browser.get(location)).text.includes("half of it"), "the half");
  // Stored at least every 250 ms.
  await Bun.sleep(300);
  killQuietly(pid, "SIGKILL");
  const killedAt = performance.now();
  await waitFor(async () => (await browser.get("workflows")).status === 200, "the dashboard");
  const page = await waitForValue(
    async () => {
      const { status, text } = await browser.get(location);
      return status === 200 ? text : undefined;
    },
    "the chat to be back",
    RESTART_MS_MAX,
  );
  expect(performance.now() - killedAt).toBeLessThan(RESTART_MS_MAX);
  expect(chatPid(running)).not.toBe(pid);
  expect(page).toContain("half of it");
  expect(page).toContain("Interrupted: its process ended in the middle of this answer.");
  await browser.post(`${location}/answers`);
  await waitFor(
    async () => (await browser.get(location)).text.includes("The mock server was asked"),
    "the second answer",
  );
});

test("a port that is taken is said on the page, and everything else goes on", async () => {
  using holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  await using running = await startAgents({ flags: ["--chat-port", String(holder.port)] });
  await running.waitForOutput(/chat: not running \(Port \d+ for the chat is in use/);
  const browser = browse(running);
  const page = await browser.get("chat");
  expect(page.status).toBe(503);
  expect(page.text).toContain("The chat is not running");
  expect(page.text).toContain(`Port ${holder.port} for the chat is in use`);
  expect(page.text).toContain("--chat-port");
  expect((await browser.get("workflows")).status).toBe(200);
});

test("--no-chat starts none, and the page says how to have one", async () => {
  await using running = await startAgents({ flags: ["--no-chat"] });
  expect(chatPid(running)).toBeUndefined();
  const page = await browse(running).get("chat");
  expect(page.text).toContain("The chat is switched off");
  expect(page.text).toContain("--chat");
});

test("its own address leads to the chat, and it goes with the product, even when that is killed", async () => {
  await using home = await createHome();
  await using running = await startAgents({ home });
  const [, url = ""] = await running.waitForOutput(/chat: running \((http\S+)\)/);
  const root = await fetch(url, { redirect: "manual" });
  expect([root.status, root.headers.get("Location")]).toEqual([302, "/chat"]);
  expect((await fetch(url)).status).toBe(200);
  running.child.kill("SIGKILL");
  await running.child.exited;
  await waitFor(() => agentsProcesses(home.path).length === 0, "the end of every process");
});
