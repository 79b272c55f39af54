/** What the model of the chat may do, on the real store and the real providers. */
import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import { AppError } from "../domain/error.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import { PROVIDERS } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";
import type { OfferedModels } from "../web/chat/define-tool.ts";
import type { ChatTool } from "../web/chat/tool.ts";
import type { LiveSettings } from "./live-settings.ts";
import { redactorFor } from "./ports.ts";
import { providerStatuses } from "./provider-status.ts";
import { runCreator } from "./workflow-runs.ts";

interface Parts {
  readonly store: Store;
  readonly settings: LiveSettings<Settings>;
  readonly clock: Clock;
  readonly tools: () => Promise<readonly { name: string; description: string }[]>;
}

export async function loadChatTools(config: Config, parts: Parts): Promise<readonly ChatTool[]> {
  const { store, settings, clock } = parts;
  const [{ createChatTools }, { createWorkflowReader }] = await Promise.all([
    import("../web/chat/tools.ts"),
    import("../web/workflow-reader.ts"),
  ]);
  return createChatTools({
    ...store,
    reader: createWorkflowReader(TOOL_NAMES),
    createRun: runCreator(store, clock),
    providers: () => providerStatuses(settings.current()),
    offeredModels: async () => offeredModels(await settings.refresh()),
    tools: parts.tools,
    // Of what is in force now: a key may have been saved since.
    redact: (text) => redactorFor({ ...config, llm: settings.current().llm })(text),
    now: () => clock.now(),
  });
}

/** What each configured provider says that it has; where it says nothing, models with a known price. */
async function offeredModels(settings: Settings): Promise<readonly OfferedModels[]> {
  const [{ listModels }, { knownModelsOf }] = await Promise.all([
    import("../llm/check.ts"),
    import("../llm/known-models.ts"),
  ]);
  const configured = providerStatuses(settings).filter((status) => status.configured);
  const names = PROVIDERS.filter((name) => configured.some((status) => status.name === name));
  return Promise.all(
    names.map(async (provider): Promise<OfferedModels> => {
      try {
        return { provider, models: await listModels(settings.llm, provider) };
      } catch (error) {
        // A provider that is away says nothing of its models; the call of one will say why.
        if (!(error instanceof AppError)) throw error;
        return { provider, models: await knownModelsOf(provider), note: NOT_ASKED };
      }
    }),
  );
}

const NOT_ASKED = "it could not be asked; these have a known price";
