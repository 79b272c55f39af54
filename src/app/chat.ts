/**
 * `agents chat`: the process that talks with the model. It makes the answers and serves their pages, on a
 * loopback address of its own; the dashboard passes on to it what is asked for below /chat.
 */
import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import { systemClock } from "../lib/clock.ts";
import { isLoopback } from "../lib/loopback.ts";
import { createProcessIdentity, type ProcessIdentity } from "../process/identity.ts";
import { openStoreDegradable, type Store } from "../store/store.ts";
import type { ChatApp } from "../web/chat/app.ts";
import { loadChatTools } from "./chat-tools.ts";
import { listen } from "./listen.ts";
import { followSettings } from "./live-settings.ts";
import { createLazyModels } from "./ports.ts";
import { promptFacts, toolFacts } from "./prompt-facts.ts";
import { hasRealProvider, providerStatuses, usableProviders } from "./provider-status.ts";
import { runCreator } from "./workflow-runs.ts";

export interface ChatOptions {
  readonly version: string;
  /** Reads the settings anew, for keys that were saved on a page. */
  readonly reload: () => Promise<Settings>;
  readonly reportError: (error: unknown) => void;
}

/** @throws AppError `port_in_use`, `permission_denied`, and those of the database. */
export async function startChat(config: Config, options: ChatOptions) {
  const clock = systemClock;
  const host = chatHost(config.host);
  const store = await openStoreDegradable({ path: config.databasePath, clock });
  const self = createProcessIdentity();
  let app: Promise<ChatApp> | undefined;
  // Views and routes take memory that nobody needs before somebody talks.
  const bound = Promise.withResolvers<number>();
  const load = () =>
    (app ??= loadApp(config, { store, self, options, host, bound: bound.promise }));
  const wish = { host, port: config.chat.port, service: "chat", flag: "--chat-port" };
  const server = await listen(wish, async (request, on) => (await load()).fetch(request, on)).catch(
    async (error: unknown) => {
      await store.close();
      throw error;
    },
  );
  const port = server.port ?? config.chat.port;
  bound.resolve(port);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/`,
    async stop(): Promise<void> {
      await (await app)?.close();
      await server.stop(true);
      await store.close();
    },
  };
}

/** The dashboard's own address where only this machine can reach it; never one that others can. */
function chatHost(host: string): string {
  return isLoopback(host) ? host.replace(/^\[(.*)\]$/, "$1") : "127.0.0.1";
}

async function loadApp(
  config: Config,
  parts: {
    store: Store;
    self: ProcessIdentity;
    options: ChatOptions;
    host: string;
    bound: Promise<number>;
  },
): Promise<ChatApp> {
  const { store, self, options, host } = parts;
  const port = await parts.bound;
  // Nobody waits for it; a database that cannot be written is shown on every page.
  void store.conversations.emptyBin().catch((error: unknown) => {
    if (store.health().state === "ok") options.reportError(error);
  });
  const { createChatApp } = await import("../web/chat/app.ts");
  const settings = followSettings<Settings>(config, options.reload);
  /** A `.env` that was changed shows from the next request on. */
  const current = () => {
    void settings.refresh();
    return settings.current();
  };
  const clock = systemClock;
  const tools = () => toolFacts(config);
  let chatTools: ReturnType<typeof loadChatTools> | undefined;
  return createChatApp({
    conversations: store.conversations,
    changes: store.changes,
    self,
    workflows: store.workflows,
    runs: store.runs,
    runReader: store.runReader,
    metrics: store.metrics,
    createRun: runCreator(store, clock),
    providers: () => providerStatuses(current()),
    models: createLazyModels(async () => (await settings.refresh()).llm),
    clock,
    version: options.version,
    secretKey: config.secretKey,
    host,
    port: () => port,
    dashboard: { host: config.host, port: config.port },
    health: () => store.health(),
    demo: () => !hasRealProvider(current().llm),
    facts: () => promptFacts(config, { settings: current(), workflows: store.workflows }),
    async modelNames() {
      const { knownModelsOf } = await import("../llm/known-models.ts");
      const found = usableProviders(current()).map(async (provider) =>
        (await knownModelsOf(provider)).map((name) => `${provider}/${name}`),
      );
      return (await Promise.all(found)).flat();
    },
    examples: async () => (await import("../../examples/index.ts")).EXAMPLES,
    tools: () => (chatTools ??= loadChatTools(config, { store, settings, clock, tools })),
    reportError: options.reportError,
  });
}
