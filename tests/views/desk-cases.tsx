/** Agents, search and help in the states that matter. */
import type { JSX } from "hono/jsx/jsx-runtime";
import { AgentPage } from "../../views/agent.tsx";
import { AgentsPage, type AgentsPageProps } from "../../views/agents.tsx";
import { HelpPage } from "../../views/help.tsx";
import { type SearchGroup, SearchPage } from "../../views/search.tsx";
import { RestartPage } from "../../views/restart.tsx";
import {
  type SettingControl,
  SettingsPage,
  type SettingsPageProps,
  type SettingValue,
} from "../../views/settings.tsx";
import type { Shell } from "../../views/shell.ts";
import type { RegisteredAgent } from "../../src/domain/registered-agent.ts";
import { DEGRADED, HOSTILE, NOW, PROVIDERS, SERVICES, VALUES } from "./fixtures.ts";

interface DeskCase {
  readonly name: string;
  readonly path: string;
  readonly over?: Partial<Shell>;
  readonly view: (shell: (title: string) => Shell) => JSX.Element;
}

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

function registered(id: string, over: Partial<RegisteredAgent>): RegisteredAgent {
  return {
    id,
    name: id,
    url: "http://127.0.0.1:8000",
    ttlSeconds: 60,
    registeredAt: NOW - 3 * DAY,
    heartbeatAt: NOW - 4 * SECOND,
    capabilities: [],
    metadata: {},
    ...over,
  };
}

const ALIVE = registered("research-1", {
  name: "Research",
  url: "http://10.1.0.12:8000",
  capabilities: ["web search", "summaries", "citations"],
  metadata: { version: "2.1.0", docs: "/docs", models: ["gpt-5-mini"] },
});
const LATE = registered("translate-1", {
  name: "Translation desk",
  url: "https://agents.example.com/translate",
  heartbeatAt: NOW - 41 * SECOND,
  capabilities: ["translate"],
});
const DEAD = registered("mail-sorter", {
  name: "Mail sorter",
  heartbeatAt: NOW - 2 * DAY,
  metadata: { registered_by: "hand" },
});
const HOSTILE_AGENT = registered("hostile", {
  name: HOSTILE,
  url: "javascript:alert(1)",
  capabilities: [HOSTILE],
  metadata: { [HOSTILE]: HOSTILE },
});

const AGENTS: Omit<AgentsPageProps, "shell"> = {
  agents: [DEAD, ALIVE, LATE],
  filter: {},
  next: "translate-1",
  origin: "http://127.0.0.1:7861",
  removed: undefined,
  draft: { name: "", url: "", capabilities: "", ttlSeconds: "60" },
  error: undefined,
};

/** What the settings page has beside providers and values. */
export const SETTINGS = {
  commit: "abc1234",
  databasePath: "/home/ada/.local/share/agents/agents.db",
  needsRestart: true,
  backups: [
    { name: "agents-20261120-104116.db", kind: "made", bytes: 18_300_000, at: NOW - 3_600_000 },
    {
      name: "agents.db.backup-0002_add_chat-20261118T104116123Z",
      kind: "update",
      bytes: 1_300,
      at: NOW - 2 * DAY,
    },
  ],
  isBackupBusy: false,
  backupFolder: "/home/ada/.local/share/agents/backups",
  uploadBytesMax: 64 * 1024 * 1024,
} as const;

function setting(
  name: string,
  control: Partial<SettingControl> & Pick<SettingControl, "section" | "label">,
  value = "",
): SettingValue {
  return {
    name,
    value,
    origin: control.isSaved === true ? "/home/ada/.local/share/agents/.env:3" : "default",
    description: "What it is for. `0` means none.",
    secret: false,
    default: control.kind === "number" ? "0" : "",
    control: { kind: "text", applies: "now", isSaved: false, fixedBy: null, ...control },
  };
}

const EDITABLE: readonly SettingValue[] = [
  setting("AGENTS_PROVIDER", {
    section: "defaults",
    label: "Provider",
    kind: "choice",
    choices: ["openai", "ollama"],
  }),
  setting("AGENTS_MODEL", { section: "defaults", label: "Model", isSaved: true }, "gpt-5-mini"),
  setting(
    "AGENTS_WORKERS",
    { section: "defaults", label: "Workers", kind: "number", applies: "restart" },
    "2",
  ),
  setting(
    "AGENTS_CHAT",
    { section: "defaults", label: "Chat", applies: "restart", fixedBy: "--chat" },
    "on",
  ),
  setting("AGENTS_MODEL_CONCURRENCY", { section: "limits", label: "Calls", kind: "number" }, "8"),
  setting(
    "AGENTS_KEEP_RUNS_DAYS",
    { section: "retention", label: "Runs", kind: "number", unit: "days", isSaved: true },
    "90",
  ),
  setting("AGENTS_OPENAI_MODEL", { section: "openai", label: "Model" }, "gpt-5-mini"),
  {
    ...setting(
      "AGENTS_OPENAI_CONCURRENCY",
      { section: "openai", label: "Calls at the same time", kind: "number" },
      "",
    ),
    default: "",
  },
  setting("OPENAI_BASE_URL", { section: "addresses", label: "OpenAI" }),
];

const SETTINGS_PAGE: Omit<SettingsPageProps, "shell"> = {
  ...SETTINGS,
  providers: PROVIDERS,
  values: [...EDITABLE, ...VALUES],
  dataDir: "/home/ada/.local/share/agents",
  databaseBytes: 18_300_000,
  passwordSet: true,
  services: SERVICES,
};

const DRAFT = { name: "Mine", url: "ftp://x", capabilities: "a, b", ttlSeconds: "0" };

const FOUND: readonly SearchGroup[] = [
  {
    title: "Workflows",
    icon: "workflows",
    hits: [{ href: "/workflows/w1", title: "greeting", note: "Says hello." }],
    more: "/workflows?search=greet",
  },
  {
    title: "Runs",
    icon: "runs",
    hits: [
      { href: "/runs/r1", title: "greeting", note: "a1b2c3 · Ada", state: "succeeded" },
      { href: "/runs/r2", title: HOSTILE, note: HOSTILE, state: "failed" },
    ],
  },
  { title: "Pages", icon: "status", hits: [{ href: "/agents", title: "Agents", note: "" }] },
];

const HELP_FILES = {
  dataDir: "/home/ada/.local/share/agents",
  databasePath: "/home/ada/.local/share/agents/agents.db",
};

export const DESK_CASES: readonly DeskCase[] = [
  {
    name: "agents",
    path: "/agents",
    view: (shell) => <AgentsPage shell={shell("Agents")} {...AGENTS} />,
  },
  {
    name: "agents-empty",
    path: "/agents?empty",
    view: (shell) => (
      <AgentsPage shell={shell("Agents")} {...AGENTS} agents={[]} next={undefined} />
    ),
  },
  {
    name: "agents-nothing",
    path: "/agents?search=x",
    view: (shell) => (
      <AgentsPage
        shell={shell("Agents")}
        {...AGENTS}
        agents={[]}
        next={undefined}
        filter={{ search: "x" }}
      />
    ),
  },
  {
    name: "agents-refused",
    path: "/agents?refused",
    view: (shell) => (
      <AgentsPage
        shell={shell("Agents")}
        {...AGENTS}
        removed={{ id: "old-1", name: "Old" }}
        draft={DRAFT}
        next={undefined}
        error={{
          code: "invalid",
          message: "The agent cannot be registered: url.",
          fix: "Give it.",
        }}
      />
    ),
  },
  {
    name: "agents-degraded",
    path: "/agents?degraded",
    over: { health: DEGRADED },
    view: (shell) => <AgentsPage shell={shell("Agents")} {...AGENTS} />,
  },
  ...AGENTS.agents.map((agent, index): DeskCase => ({
    name: `agent-${index}`,
    path: `/agents/${agent.id}`,
    view: (shell) => (
      <AgentPage
        shell={shell(agent.name)}
        agent={agent}
        check={
          index === 0
            ? { ok: true, message: "It answers.", at: agent.heartbeatAt, docs: `${agent.url}/x` }
            : { ok: false, message: "Not reached.", at: agent.heartbeatAt, docs: null }
        }
        workflows={index === 0 ? [{ id: "w1", name: "research" }] : []}
      />
    ),
  })),
  {
    name: "agent-hostile",
    path: "/agents/hostile",
    view: (shell) => (
      <AgentPage
        shell={shell(HOSTILE_AGENT.name)}
        agent={HOSTILE_AGENT}
        check={{ ok: false, message: HOSTILE, at: 1, docs: "javascript:alert(1)" }}
        workflows={[{ id: HOSTILE, name: HOSTILE }]}
      />
    ),
  },
  {
    name: "search",
    path: "/search?q=greet",
    view: (shell) => <SearchPage shell={shell("Search")} query="greet" groups={FOUND} />,
  },
  {
    name: "search-empty",
    path: "/search?q=zzz",
    view: (shell) => <SearchPage shell={shell("Search")} query="zzz" groups={[]} />,
  },
  {
    name: "settings-full",
    path: "/settings?full",
    view: (shell) => <SettingsPage shell={shell("Settings")} {...SETTINGS_PAGE} />,
  },
  {
    name: "settings-refused",
    path: "/settings?refused",
    over: { needsLogin: true },
    view: (shell) => (
      <SettingsPage
        shell={shell("Settings")}
        {...SETTINGS_PAGE}
        needsRestart={false}
        backups={[]}
        isBackupBusy={true}
        draft={{
          AGENTS_WORKERS: "many",
          AGENTS_KEEP_RUNS_DAYS: "3",
          OPENAI_BASE_URL: HOSTILE,
          AGENTS_OPENAI_CONCURRENCY: "x",
        }}
        faults={{
          AGENTS_WORKERS: "Give a whole number.",
          OPENAI_BASE_URL: "Give an address.",
          AGENTS_OPENAI_CONCURRENCY: "Give a whole number.",
        }}
        removals={[
          { beyond: { days: 3 }, count: 100, isMore: true },
          { beyond: { newest: 1 }, count: 1, isMore: false },
        ]}
      />
    ),
  },
  {
    name: "settings-full-degraded",
    path: "/settings?full-degraded",
    over: { health: DEGRADED },
    view: (shell) => <SettingsPage shell={shell("Settings")} {...SETTINGS_PAGE} />,
  },
  {
    name: "restart",
    path: "/settings/restart",
    view: (shell) => <RestartPage shell={shell("Restarting")} of="1" />,
  },
  {
    name: "help",
    path: "/help",
    view: (shell) => <HelpPage shell={shell("Help")} {...HELP_FILES} />,
  },
  {
    name: "help-off",
    path: "/help?off",
    over: { shortcuts: false },
    view: (shell) => <HelpPage shell={shell("Help")} {...HELP_FILES} />,
  },
];
