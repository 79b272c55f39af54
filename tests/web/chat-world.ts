/** The dashboard with the chat's own process behind it: two servers, one database, a scripted model. */
import type { ModelEvent, ModelRequest } from "../../src/domain/model.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import { createRun } from "../../src/app/workflow-runs.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type ChatApp, createChatApp } from "../../src/web/chat/app.ts";
import type { ChatDeps } from "../../src/web/chat/deps.ts";
import { answer, type ModelScript, say, scriptedModels } from "../engine/script.ts";
import {
  Browser,
  GREETING,
  SECRET_KEY,
  startWorld,
  type World,
  type WorldOptions,
} from "./world.ts";

export const FENCED = `Here it is.\n\n\`\`\`yaml\n${GREETING}\`\`\`\n`;

export interface ChatWorld extends World {
  /** The chat's own address. */
  readonly chatUrl: string;
  readonly chat: ChatApp;
  /** What the model was asked, in order. */
  readonly requests: readonly ModelRequest[];
  /** Ends the chat's process, or breaks it off as SIGKILL does: then nothing of it is tidied up. */
  stopChat(how: "stop" | "kill"): Promise<void>;
  startChat(): Promise<void>;
}

export interface ChatWorldOptions extends WorldOptions {
  readonly script?: ModelScript;
  readonly models?: Pick<ChatDeps["models"], "resolve" | "call">;
  readonly chatDeps?: Partial<ChatDeps>;
}

export async function startChatWorld(options: ChatWorldOptions = {}): Promise<ChatWorld> {
  const scripted = scriptedModels(options.script ?? (() => say(FENCED)));
  let running: { app: ChatApp; server: Bun.Server<undefined> } | undefined;
  let startCount = 0;
  const status = (): ServiceStatus => ({
    name: "chat",
    state: running === undefined ? "backing_off" : "running",
    pid: null,
    url: running === undefined ? null : `http://127.0.0.1:${running.server.port}/`,
    restartCount: 0,
    since: 1,
    message: running === undefined ? "chat was killed by SIGKILL." : null,
    fix: running === undefined ? "Read its log with `agents logs chat`." : null,
  });
  const world = await startWorld({
    ...options,
    deps: { ...options.deps, services: () => [WORKER, status()] },
  });

  async function startChat(): Promise<void> {
    const { store } = world;
    startCount += 1;
    const name = `chat ${startCount}`;
    // Of those that this world has started all but the last have ended.
    const self = { name, hasEnded: (other: string) => /^chat \d+$/.test(other) && other !== name };
    const app = createChatApp({
      conversations: store.conversations,
      changes: store.changes,
      self,
      workflows: store.workflows,
      runs: store.runs,
      runReader: store.runReader,
      metrics: store.metrics,
      createRun: (request, made) =>
        createRun(store, request, { clock: systemClock, source: "dashboard", ...made }),
      providers: () => [],
      models: { ...scripted, ...options.models },
      clock: options.clock ?? systemClock,
      version: "1.2.3",
      secretKey: SECRET_KEY,
      host: "127.0.0.1",
      port: () => server.port ?? 0,
      dashboard: { host: options.host ?? "127.0.0.1", port: world.port },
      health: () => store.health(),
      demo: () => false,
      facts: () => Promise.resolve({ tools: [], providers: ["openai"], workflows: [] }),
      modelNames: () => Promise.resolve(["openai/gpt-5"]),
      examples: () =>
        Promise.resolve([{ name: "greeting", description: "Says hello.", source: GREETING }]),
      tools: () => Promise.resolve([]),
      reportError: (error) => world.errors.push(error),
      ...options.chatDeps,
    });
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, host) => app.fetch(request, host),
    });
    running = { app, server };
  }

  async function stopChat(how: "stop" | "kill"): Promise<void> {
    const last = running;
    running = undefined;
    if (how === "stop") await last?.app.close();
    await last?.server.stop(true);
  }

  await startChat();
  return Object.create(world, {
    chatUrl: { get: () => `http://127.0.0.1:${running?.server.port}` },
    chat: { get: () => running?.app },
    requests: { value: scripted.requests },
    startChat: { value: startChat },
    stopChat: { value: stopChat },
    [Symbol.asyncDispose]: {
      async value() {
        await stopChat("stop");
        await world[Symbol.asyncDispose]();
      },
    },
  });
}

const WORKER: ServiceStatus = {
  name: "worker-1",
  state: "running",
  pid: 4711,
  url: null,
  restartCount: 0,
  since: 1,
  message: null,
  fix: null,
};

/** A model whose answer the test says piece by piece. */
export function createSpeaker() {
  const waiting: (() => void)[] = [];
  const pieces: (string | undefined)[] = [];
  let abortedAt: number | undefined;
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };

  async function* speak(request: ModelRequest): AsyncGenerator<ModelEvent> {
    request.signal.addEventListener("abort", () => {
      abortedAt = performance.now();
      wake();
    });
    let text = "";
    while (!request.signal.aborted) {
      if (pieces.length === 0) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        continue;
      }
      const piece = pieces.shift();
      if (piece === undefined) {
        yield { type: "end", reason: "finished", answer: answer(text) };
        return;
      }
      text += piece;
      yield { type: "text", text: piece };
    }
    yield { type: "end", reason: "aborted" };
  }

  return {
    script: speak,
    say(piece: string) {
      pieces.push(piece);
      wake();
    },
    end() {
      pieces.push(undefined);
      wake();
    },
    /** When the request was aborted, by `performance.now()`. */
    abortedAt: () => abortedAt,
  };
}

/** Begins a conversation by the form. @returns its path. */
export async function beginTalk(browser: Browser, text = "Greet people."): Promise<string> {
  await browser.get("/chat");
  const begun = await browser.post("/chat", { text });
  const path = begun.headers.get("Location") ?? "";
  if (begun.status !== 303 || !/^\/chat\/\w+$/.test(path)) throw new Error(begun.text);
  return path;
}

/** Asks for the page, as a browser without script does, until it is as wanted. */
export async function pageWith(
  browser: Browser,
  path: string,
  isWanted: (text: string) => boolean,
): Promise<string> {
  const end = performance.now() + 5_000;
  for (;;) {
    const { text } = await browser.get(path);
    if (isWanted(text)) return text;
    if (performance.now() > end) throw new Error(`not seen in time:\n${text}`);
    await Bun.sleep(10);
  }
}

export const isAtRest = (text: string) => !text.includes('data-phase="answering"');
