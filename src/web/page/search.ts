import type { Hono } from "hono";
import { NAVIGATION } from "../../../views/layout.tsx";
import {
  type SearchGroup,
  type SearchHit,
  SearchOptions,
  SearchPage,
} from "../../../views/search.tsx";
import type { Run } from "../../domain/run.ts";
import type { WebDeps } from "../deps.ts";
import { wantsFragment } from "../error.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";

const QUERY_LENGTH_MAX = 200;
const HIT_COUNT_MAX = 6;
const PAGE_COUNT_MAX = 30;
/** What has no index by words is looked through only as far as this, newest first. */
const CONVERSATION_COUNT_MAX = 200;
const RUN_COUNT_MAX = 100;
const NOTE_LENGTH_MAX = 90;

/** Reads a part of the answer; what cannot be read is left out, and the banner says why. */
type Find = (deps: WebDeps, query: string) => Promise<readonly SearchHit[]>;

export function registerSearch(app: Hono<WebEnv>, kit: Kit): void {
  app.get(PATTERNS.search, async (c) => {
    const query = (c.req.query("q") ?? "").trim().slice(0, QUERY_LENGTH_MAX);
    const groups = await search(c, kit.deps, query);
    if (wantsFragment(c)) return html(c, SearchOptions({ query, groups }));
    return html(c, SearchPage({ query, groups, shell: kit.shell(c, "Search") }));
  });
}

async function search(c: WebContext, deps: WebDeps, query: string): Promise<SearchGroup[]> {
  const all = await Promise.all(
    GROUPS.map(async ({ title, icon, find, more, max = HIT_COUNT_MAX }) => ({
      title,
      icon,
      hits: (await readOr(c, find(deps, query), [])).slice(0, max),
      more: query === "" ? undefined : more?.(encodeURIComponent(query)),
    })),
  );
  return all.filter(({ hits }) => hits.length > 0);
}

const GROUPS: readonly (Pick<SearchGroup, "title" | "icon"> & {
  readonly find: Find;
  readonly more?: (query: string) => string;
  readonly max?: number;
})[] = [
  {
    title: "Workflows",
    icon: "workflows",
    more: (query) => `/workflows?search=${query}`,
    find: async ({ workflows }, query) =>
      (await workflows.list({ limit: HIT_COUNT_MAX, search: query })).map((record) => ({
        href: pathTo.workflow(record.id),
        title: record.name,
        note: clip(record.description ?? ""),
      })),
  },
  { title: "Runs", icon: "runs", more: (query) => `/runs?search=${query}`, find: findRuns },
  {
    title: "Agents",
    icon: "agents",
    more: (query) => `/agents?search=${query}`,
    find: async ({ agents }, query) =>
      (await agents.list({ limit: HIT_COUNT_MAX, search: query })).map((agent) => ({
        href: pathTo.agent(agent.id),
        title: agent.name,
        note: clip([agent.url, ...agent.capabilities].join(" · ")),
      })),
  },
  {
    title: "Chats",
    icon: "chat",
    find: async ({ conversations }, query) =>
      (await conversations.list({ limit: query === "" ? 3 : CONVERSATION_COUNT_MAX }))
        .filter(({ title }) => has(title, query))
        .map(({ id, title }) => ({ href: pathTo.conversation(id), title, note: "" })),
  },
  {
    title: "Memory",
    icon: "memory",
    more: (query) => `/memory?search=${query}`,
    find: async ({ memory }, query) =>
      query === ""
        ? []
        : (await memory.list({ limit: HIT_COUNT_MAX, search: query })).map(({ key, value }) => ({
            href: `${pathTo.memory()}?search=${encodeURIComponent(key)}`,
            title: key,
            note: clip(value),
          })),
  },
  { title: "Pages", icon: "status", max: PAGE_COUNT_MAX, find: findPages },
  {
    title: "Settings",
    icon: "settings",
    find: async ({ values }, query) =>
      query === ""
        ? []
        : values()
            .filter(({ name, description }) => has(`${name} ${description}`, query))
            .map(({ name, description }) => ({
              href: `${pathTo.settings()}#values-h`,
              title: name,
              note: clip(description),
            })),
  },
];

/** By id or workflow, through the indexes; by a text in the inputs, among the newest. */
async function findRuns({ runs }: WebDeps, query: string): Promise<readonly SearchHit[]> {
  if (query === "") return (await runs.list({ limit: HIT_COUNT_MAX })).map(toRunHit);
  const [exact, named, newest] = await Promise.all([
    runs.find(query),
    runs.list({ limit: HIT_COUNT_MAX, search: query }),
    runs.list({ limit: RUN_COUNT_MAX }),
  ]);
  const withInput = newest.filter(({ inputs }) => has(JSON.stringify(inputs), query));
  const found = [...(exact === undefined ? [] : [exact]), ...named, ...withInput];
  return [...new Map(found.map((run) => [run.id, run])).values()].map(toRunHit);
}

function toRunHit(run: Run): SearchHit {
  const inputs = Object.values(run.inputs).map((value) =>
    typeof value === "string" ? value : JSON.stringify(value),
  );
  return {
    href: pathTo.run(run.id),
    title: run.workflowName,
    note: clip([run.id.slice(-6), ...inputs].join(" · ")),
    state: run.state,
  };
}

async function findPages(_: WebDeps, query: string): Promise<readonly SearchHit[]> {
  const pages = NAVIGATION.flatMap(({ group, items }) =>
    items.map(({ href, label }) => ({ href, title: label, words: group })),
  );
  return [...pages, ...PLACES]
    .filter(({ title, words }) => has(`${title} ${words}`, query))
    .map(({ href, title }) => ({ href, title, note: "" }));
}

/** What can be done on a page, by the words that people look for it with. */
const PLACES = [
  { href: "/workflows#upload", title: "Upload a workflow", words: "new import yaml file" },
  { href: "/workflows#examples", title: "Examples", words: "sample demo template" },
  { href: "/agents#register", title: "Register an agent", words: "add remote a2a" },
  { href: "/settings#providers-h", title: "Providers and keys", words: "api key model openai" },
  { href: "/settings#defaults-h", title: "Defaults", words: "settings provider model workers" },
  { href: "/settings#limits-h", title: "Limits", words: "settings concurrency rate calls" },
  { href: "/settings#retention-h", title: "Retention", words: "settings keep delete old runs" },
  { href: "/settings#password-panel-h", title: "Password", words: "login security sessions" },
  { href: "/settings#backups-h", title: "Backup and restore", words: "copy database download" },
  { href: "/settings#services-panel-h", title: "Restart", words: "services stop" },
  { href: "/help", title: "Help", words: "keyboard shortcuts glossary first steps" },
];

/** Every word of the query, in any case and order. */
function has(text: string, query: string): boolean {
  const low = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > NOTE_LENGTH_MAX ? `${line.slice(0, NOTE_LENGTH_MAX)}…` : line;
}
