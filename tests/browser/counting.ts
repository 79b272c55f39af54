/** A product that is killed while a model counts, and what is needed to start it again. */
import {
  agentsProcesses,
  type Home,
  queryDatabase,
  type RunningAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

/** Between two pieces of an answer: long enough to see it grow. */
export const PIECE_PAUSE_MS = 60;
/** Takes longer than a worker goes on for once its supervisor has gone. */
export const COUNTED = Array.from({ length: 80 }, (_, index) => `[${index}]`);

/** OpenAI is the test's own server; without a key there is only the demo. */
export function environment(models: ModelServer, key?: string): Record<string, string> {
  const address = { OPENAI_BASE_URL: models.baseUrlFor("openai") };
  return key === undefined ? address : { ...address, OPENAI_API_KEY: key };
}

export async function startCountingServer(): Promise<ModelServer> {
  const models = await startModelServer();
  countNext(models);
  return models;
}

/** Its next answer is slow, twice: the second time for the call that was cut off. */
export function countNext(models: ModelServer): void {
  const answer = { kind: "answer", pieces: COUNTED, delayMs: PIECE_PAUSE_MS } as const;
  models.next(answer, answer);
}

/** A start at the address of one that was killed. */
export async function startAgain(
  killed: RunningAgents,
  models: ModelServer,
): Promise<RunningAgents> {
  const { home, url } = killed;
  await waitFor(() => agentsProcesses(home.path).length === 0, "the end of all processes");
  const flags = ["--port", new URL(url).port];
  return startAgents({ home, env: environment(models, "sk-1"), flags });
}

/** The numbers of the events that have a line of their own. */
export function storedLines(home: Home, runId: string): string[] {
  return queryDatabase<{ seq: number }>(
    home.databasePath,
    "SELECT seq FROM events WHERE run_id = ? AND type <> 'model.delta' ORDER BY seq",
    runId,
  ).map(({ seq }) => String(seq));
}
