import type { Hono } from "hono";
import { type MemoryFilter, MemoryPage } from "../../../views/memory.tsx";
import { AppError } from "../../domain/error.ts";
import { type Memory, MEMORY_ENTRY_COUNT_MAX } from "../../domain/memory.ts";
import { MEMORY_SCOPES } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { readForm } from "../form.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { createUndo } from "../undo.ts";

const ENTRY_COUNT_MAX = 50;

export function registerMemory(app: Hono<WebEnv>, kit: Kit): void {
  const { memory: memories } = kit.deps;
  const removed = createUndo<Memory>();

  app.get(PATTERNS.memory, (c) => page(c, kit, { removed: removed.get(c.req.query("undo")) }));

  app.post(PATTERNS.memoryRestorations, async (c) => {
    const form = await readForm(c);
    const entry = removed.require(form.text("id"));
    const { namespace, key, value, expiresAt } = entry;
    await memories.save({ namespace, key, value, expiresAt, maxEntries: MEMORY_ENTRY_COUNT_MAX });
    removed.drop(entry.id);
    return c.redirect(pathTo.memory(), 303);
  });

  app.post(PATTERNS.memoryClearance, async (c) => {
    const form = await readForm(c);
    const agent = form.text("agent");
    if (agent === "" || form.text("sure") !== "yes") {
      const error = new AppError("invalid", "Nothing was forgotten.", {
        fix: "Choose a workflow and tick the box.",
      });
      return page(c, kit, { error });
    }
    const count = await memories.clear({ agent });
    return c.redirect(`${pathTo.memory()}?cleared=${count}`, 303);
  });

  app.post(PATTERNS.memoryEntry, async (c) => {
    const form = await readForm(c);
    const value = form.text("value").replaceAll("\r\n", "\n").trim();
    if (value === "") {
      const error = new AppError("invalid", "The text is empty.", {
        fix: "Write what is to be remembered, or forget the entry.",
      });
      return page(c, kit, { error });
    }
    await memories.update(c.req.param("id"), value);
    return c.redirect(pathTo.memory(), 303);
  });

  app.post(PATTERNS.memoryDeletion, async (c) => {
    const memory = await memories.remove(c.req.param("id"));
    removed.keep(memory);
    return c.redirect(`${pathTo.memory()}?undo=${encodeURIComponent(memory.id)}`, 303);
  });
}

async function page(
  c: WebContext,
  { deps, shell }: Kit,
  { error, removed }: { error?: AppError; removed?: Memory | undefined },
): Promise<Response> {
  const filter = readFilter(c);
  const found = await readOr<Memory[]>(
    c,
    deps.memory.list({ ...defined(filter), limit: ENTRY_COUNT_MAX + 1 }),
    [],
  );
  const agents = await readOr(c, deps.memory.agents(), []);
  const memories = found.slice(0, ENTRY_COUNT_MAX);
  const cleared = Number(c.req.query("cleared") ?? "");
  const view = MemoryPage({
    shell: shell(c, "Memory"),
    memories,
    agents,
    filter,
    next: found.length > ENTRY_COUNT_MAX ? memories.at(-1)?.id : undefined,
    removed,
    clearedCount: c.req.query("cleared") !== undefined && cleared >= 0 ? cleared : undefined,
    error: error?.toRecord(),
  });
  return html(c, view, error === undefined ? 200 : 422);
}

function readFilter(c: WebContext): MemoryFilter {
  const text = (name: string) => c.req.query(name)?.trim() || undefined;
  return {
    agent: text("agent"),
    scope: MEMORY_SCOPES.find((scope) => scope === text("scope")),
    search: text("search"),
    before: text("before"),
  };
}
