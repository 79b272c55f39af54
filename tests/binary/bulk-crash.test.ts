/** A job over many runs whose server is killed in the middle, again and again: each run is treated once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import {
  createHome,
  PATIENCE_MS,
  queryDatabase,
  type RunningAgents,
  startAgents,
  waitFor,
} from "../support/agents.ts";

setDefaultTimeout(4 * PATIENCE_MS);

const RUN_COUNT = 600;
const KILL_COUNT = 3;
/** Started at the same time. */
const SIDE_BY_SIDE = 50;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly count: number;
  readonly done_count: number;
  readonly refused_count: number;
}

async function send<T>(agents: RunningAgents, path: string, body?: unknown): Promise<T> {
  const post = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`${agents.url}api/v1/${path}`, body === undefined ? {} : post);
  const text = await answer.text();
  expect(answer.status, text).toBeLessThan(300);
  return JSON.parse(text);
}

const start = (home: Awaited<ReturnType<typeof createHome>>) =>
  startAgents({ home, flags: ["--no-mlflow", "--no-chat", "--workers", "0"] });

async function kill(agents: RunningAgents): Promise<void> {
  agents.child.kill("SIGKILL");
  await agents.child.exited;
}

test(`a job over ${RUN_COUNT} runs goes on after ${KILL_COUNT} kills, and so does its undo`, async () => {
  await using home = await createHome();
  let agents = await start(home);
  try {
    const source = await readFile("examples/greeting.yaml", "utf8");
    await send(agents, "workflows", { source });
    for (let count = 0; count < RUN_COUNT; count += SIDE_BY_SIDE) {
      const begin = () => send(agents, "workflows/greeting/runs", { inputs: { name: "Ada" } });
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, begin));
    }

    /** Follows a job to its end over kills. @returns how far it was at each of them. */
    const follow = async (id: string): Promise<number[]> => {
      const places: number[] = [];
      const dealt = async () => (await send<Job>(agents, `bulk-jobs/${id}`)).done_count;
      while (places.length < KILL_COUNT) {
        const before = places.at(-1) ?? 0;
        await waitFor(async () => (await dealt()) > before, "the job to go on");
        await kill(agents);
        const [row] = queryDatabase<{ count: number }>(
          home.databasePath,
          "SELECT done_count AS count FROM bulk_jobs WHERE id = ?",
          id,
        );
        places.push(row?.count ?? -1);
        agents = await start(home);
      }
      await waitFor(
        async () => (await send<Job>(agents, `bulk-jobs/${id}`)).state === "done",
        "the end of the job",
      );
      return places;
    };

    const filter = { state: ["queued"] };
    const job = await send<Job>(agents, "bulk-jobs", { action: "rerun", filter, confirm: true });
    const places = await follow(job.id);
    expect(places[0]).toBeGreaterThan(0);
    expect(places[0]).toBeLessThan(RUN_COUNT);
    expect(await send<Job>(agents, `bulk-jobs/${job.id}`)).toMatchObject({
      count: RUN_COUNT,
      done_count: RUN_COUNT,
      refused_count: 0,
      can_undo: true,
    });
    const reruns = `SELECT origin_run_id AS run, count(*) AS count FROM runs
      WHERE origin_kind = 'rerun' GROUP BY origin_run_id`;
    const made = queryDatabase<{ count: number }>(home.databasePath, reruns);
    expect(made.length).toBe(RUN_COUNT);
    expect(new Set(made.map(({ count }) => count))).toEqual(new Set([1]));

    const undo = await send<Job>(agents, `bulk-jobs/${job.id}/undo`, {});
    await follow(undo.id);
    expect(await send<Job>(agents, `bulk-jobs/${undo.id}`)).toMatchObject({
      count: RUN_COUNT,
      done_count: RUN_COUNT,
      refused_count: 0,
    });
    const states = `SELECT coalesce(origin_kind, 'first') AS kind, state, count(*) AS count
      FROM runs GROUP BY 1, 2 ORDER BY 1`;
    expect(queryDatabase(home.databasePath, states)).toEqual([
      { kind: "first", state: "queued", count: RUN_COUNT },
      { kind: "rerun", state: "cancelled", count: RUN_COUNT },
    ]);
  } finally {
    await agents[Symbol.asyncDispose]();
  }
});
