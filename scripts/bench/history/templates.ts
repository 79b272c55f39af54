/**
 * Runs of every kind that the executable itself has made: a history is made of copies of them, so that each
 * row of it is one that the product writes.
 */
import { Database } from "bun:sqlite";
import { join, resolve } from "node:path";
import { createHome, runAgents, startAgents, waitFor } from "../../../tests/support/agents.ts";
import { startModelServer } from "../../../tests/support/model-server.ts";

const EXAMPLES = resolve("examples");
const BIG_ITEM_COUNT = 200;
/** Between two pieces of an answer: a run takes about as long as the log of it is wide. */
const LATENCY_MS = 5;

export interface Template {
  readonly kind: string;
  readonly runId: string;
}

/** How a history is mixed. `share`: of a thousand finished runs; `live`: so many at its end, whatever its size. */
interface Kind {
  readonly kind: string;
  readonly share?: number;
  readonly live?: number;
  readonly file: string;
  readonly argv?: readonly string[];
  /** Text that is replaced in the file: another version of the workflow. */
  readonly edit?: readonly [from: string, to: string];
  readonly end?: "cancel" | "waiting" | "running" | "queued";
}

export const KINDS: readonly Kind[] = [
  { kind: "greeting", share: 270, file: "greeting", argv: ["--input", "name=Ada"] },
  {
    kind: "greeting, next version",
    share: 200,
    file: "greeting",
    argv: ["--input", "name=Grace"],
    edit: ["description: ", "description: Politely. "],
  },
  { kind: "article", share: 160, file: "two-step-article", argv: ["--input", "topic=Tides"] },
  { kind: "review", share: 120, file: "typed-review", argv: ["--input", "review=Great sound."] },
  { kind: "map", share: 39, file: "map-reviews" },
  { kind: "memory", share: 30, file: "memory-assistant", argv: ["--input", "message=I am Ada"] },
  {
    kind: "failed",
    share: 120,
    file: "greeting",
    argv: ["--input", "name=Edsger", "--model", "no-such-model"],
  },
  {
    kind: "cancelled",
    share: 60,
    file: "wait-for-signal",
    argv: ["--input", "order=A1"],
    end: "cancel",
  },
  {
    kind: "big",
    share: 1,
    file: "map-reviews",
    argv: ["--input", `reviews=${JSON.stringify(reviews(BIG_ITEM_COUNT))}`],
  },
  {
    kind: "asks",
    live: 12,
    file: "approval-gate",
    argv: ["--input", "news=We open."],
    end: "waiting",
  },
  {
    kind: "waits",
    live: 8,
    file: "wait-for-signal",
    argv: ["--input", "order=A2"],
    end: "waiting",
  },
  {
    kind: "running",
    live: 4,
    file: "greeting",
    argv: ["--input", "name=Alan", "--model", "mock-stall"],
    end: "running",
  },
  { kind: "queued", live: 4, file: "greeting", argv: ["--input", "name=Barbara"], end: "queued" },
];

function reviews(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Review ${index}: it works.`);
}

/** Makes one run of each kind and copies the database while the last of them are under way. */
export async function makeTemplates(path: string): Promise<Template[]> {
  await using home = await createHome();
  await using models = await startModelServer({ latencyMs: LATENCY_MS });
  await using agents = await startAgents({
    home,
    flags: ["--no-mlflow"],
    env: {
      OPENAI_API_KEY: "sk-for-the-benchmark",
      OPENAI_BASE_URL: models.baseUrlFor("openai"),
      AGENTS_PROVIDER: "openai",
      AGENTS_MODEL: "gpt-5-mini",
      // One run at a time, so that the last stays queued.
      AGENTS_WORKERS: "1",
      AGENTS_WORKER_CONCURRENCY: "1",
    },
  });
  using database = new Database(home.databasePath, { readonly: true });
  const stateOf = (id: string) =>
    database.query<{ state: string }, [string]>("SELECT state FROM runs WHERE id = ?").get(id)
      ?.state;

  const templates: Template[] = [];
  for (const { kind, file, argv = [], edit, end } of KINDS) {
    const source = await Bun.file(join(EXAMPLES, `${file}.yaml`)).text();
    const copy = join(home.cwd, `${file}.yaml`);
    await Bun.write(copy, edit === undefined ? source : source.replace(...edit));
    const { stdout, stderr } = await runAgents(["run", copy, ...argv, "--detach"], agents);
    const runId = stdout.trim();
    if (runId === "") throw new Error(`${kind}: ${stderr}`);
    const until = (...states: readonly string[]) =>
      waitFor(
        () => states.includes(stateOf(runId) ?? ""),
        () => `${kind} to be ${states.join(" or ")}: it is ${stateOf(runId)}`,
      );
    if (end === "cancel") {
      await until("waiting");
      await runAgents(["cancel", runId], agents);
    }
    await (end === undefined || end === "cancel"
      ? until("succeeded", "failed", "cancelled")
      : until(end));
    if (end === "running") {
      const isWriting = database.query(
        "SELECT 1 FROM events WHERE run_id = ? AND type = 'model.delta'",
      );
      await waitFor(() => isWriting.get(runId) !== null, "the run to write");
    }
    templates.push({ kind, runId });
  }
  database.run("VACUUM INTO ?", [path]);
  return templates;
}
