import { loadConfig } from "../../config/load.ts";
import { AppError } from "../../domain/error.ts";
import type { Memory } from "../../domain/memory.ts";
import { MEMORY_SCOPES } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { wrapText } from "../../lib/wrap-text.ts";
import type { CommandContext } from "../command.ts";
import type { MEMORY } from "../definition.ts";
import { backgroundReporter } from "../error.ts";
import { cut, formatAge, formatTime, printable } from "../format.ts";
import type { Product } from "../product.ts";
import { toIso } from "../run-result.ts";
import { columnsOf, print } from "../terminal.ts";

const LIMIT_DEFAULT = 50;

type Context = CommandContext<typeof MEMORY.flags>;

export async function memory(context: Context): Promise<number> {
  const [action = "list", id, text] = context.positionals;
  const work = readAction(context, { action, id, text });
  const config = await loadConfig(context.sources);
  const app = await context.loadApp();
  const product = await app.openProduct(config, backgroundReporter(context), {
    reads: action === "list",
  });
  try {
    await work(product);
    return 0;
  } finally {
    await product.close();
  }
}

type Work = (product: Product) => Promise<void>;

/** @throws AppError `usage`. */
function readAction(
  context: Context,
  given: { action: string; id: string | undefined; text: string | undefined },
): Work {
  const { id, text } = given;
  switch (given.action) {
    case "edit":
      if (id === undefined || text === undefined) throw incomplete("edit", "ID TEXT");
      return (product) => edit(context, product, { id, text });
    case "remove":
      if (id === undefined) throw incomplete("remove", "ID");
      return (product) => remove(context, product, id);
    case "clear":
      if (context.flags.agent === undefined && context.flags.yes !== true) {
        throw new AppError("usage", "`agents memory clear` would forget everything.", {
          fix: "Add --agent NAME, or --yes to clear the memory of all agents.",
        });
      }
      return (product) => clear(context, product);
    default:
      return (product) => list(context, product);
  }
}

function incomplete(action: string, words: string): AppError {
  return new AppError("usage", `\`agents memory ${action}\` needs ${words}.`, {
    fix: `Write \`agents memory ${action} ${words}\`; \`agents memory list\` shows the ids.`,
  });
}

function scopeOf({ flags }: Context) {
  return MEMORY_SCOPES.find((name) => name === flags.scope);
}

async function list(context: Context, { store }: Product): Promise<void> {
  const { flags, terminal } = context;
  const found = await store.memory.list({
    limit: flags.limit ?? LIMIT_DEFAULT,
    ...defined({ agent: flags.agent, scope: scopeOf(context), search: flags.search }),
  });
  if (flags.json) {
    print(terminal, JSON.stringify({ memories: found.map(memoryDocument) }, null, 2));
    return;
  }
  if (found.length === 0) {
    print(terminal, "Nothing is remembered. A node with `memory: {enabled: true}` remembers.");
    return;
  }
  for (const line of found.flatMap((entry) => entryLines(entry, context))) print(terminal, line);
}

/** Where it belongs, and below it what is remembered, whole. */
function entryLines(entry: Memory, { terminal, clock }: Context): string[] {
  const { id, namespace, updatedAt, expiresAt } = entry;
  const facts = [
    printable(namespace.agent),
    place(entry),
    formatAge(updatedAt, clock.now()),
    ...(expiresAt === null ? [] : [`kept until ${formatTime(expiresAt).slice(0, DAY_CHARS)}`]),
  ];
  const text = printable(`${entry.key}: ${entry.value}`);
  const columns = columnsOf(terminal.output);
  return [
    cut(`${id}  ${facts.join(", ")}`, columns),
    ...wrapText(text, columns - INDENT.length).map((line) => INDENT + line),
  ];
}

const INDENT = "    ";
const DAY_CHARS = "2026-12-04".length;

function memoryDocument({ namespace, ...entry }: Memory) {
  return {
    id: entry.id,
    agent: namespace.agent,
    scope: namespace.scope,
    run: namespace.runId,
    node: namespace.nodeId,
    key: entry.key,
    value: entry.value,
    created_at: toIso(entry.createdAt),
    updated_at: toIso(entry.updatedAt),
    expires_at: toIso(entry.expiresAt),
  };
}

function place({ namespace: { runId, nodeId } }: Memory): string {
  if (runId === null) return "for all its runs";
  return nodeId === null ? `for run ${runId}` : `for step ${nodeId} of run ${runId}`;
}

async function edit(
  { terminal }: Context,
  { store }: Product,
  { id, text }: { id: string; text: string },
): Promise<void> {
  const entry = await store.memory.update(id, text);
  print(terminal, `Changed: ${printable(entry.key)}: ${printable(entry.value)}`);
}

async function remove({ terminal }: Context, { store }: Product, id: string): Promise<void> {
  const entry = await store.memory.remove(id);
  print(terminal, `Forgotten: ${printable(entry.key)}: ${printable(entry.value)}`);
}

async function clear(context: Context, { store }: Product): Promise<void> {
  const { flags, terminal } = context;
  const count = await store.memory.clear(defined({ agent: flags.agent, scope: scopeOf(context) }));
  print(terminal, count === 1 ? "1 entry is forgotten." : `${count} entries are forgotten.`);
}
