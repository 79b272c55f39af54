/** A request with an `Idempotency-Key` whose server is killed: sent again, it has acted once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { createHome, PATIENCE_MS, queryDatabase, startAgents } from "../support/agents.ts";
import { createRandom } from "../support/random.ts";

setDefaultTimeout(4 * PATIENCE_MS);

const seed = Number(process.env["AGENTS_TEST_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const ROUND_COUNT = 6;
const KEY_COUNT = 8;
const DELAY_MS_MAX = 12;

const JSON_TYPE = { "Content-Type": "application/json" };

test(`a start under a key makes one run over ${ROUND_COUNT} kills (AGENTS_TEST_SEED=${seed})`, async () => {
  await using home = await createHome();
  const random = createRandom(seed);
  const source = await readFile("examples/greeting.yaml", "utf8");
  const answers = new Map<string, string>();
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    await using agents = await startAgents({ home, env: { AGENTS_PROVIDER: "demo" } });
    const send = (path: string, body: unknown, headers = {}) =>
      fetch(`${agents.url}api/v1/${path}`, {
        method: "POST",
        headers: { ...JSON_TYPE, ...headers },
        body: JSON.stringify(body),
      });
    await (await send("workflows", { source })).text();
    const start = async (key: string) => {
      const inputs = { name: "Ada" };
      const headers = { "Idempotency-Key": key };
      const answer = await send("workflows/greeting/runs", { inputs }, headers);
      return { status: answer.status, location: answer.headers.get("Location") ?? "" };
    };
    // What the last round has sent, now with an answer.
    const before = Array.from({ length: KEY_COUNT }, (_, index) => `${round - 1}-${index}`);
    for (const key of round === 0 ? [] : before) {
      const { status, location } = await start(key);
      expect(status).toBe(201);
      expect(answers.get(key) ?? location).toBe(location);
      answers.set(key, location);
    }
    if (round === ROUND_COUNT - 1) continue;
    const sent = Array.from({ length: KEY_COUNT }, async (_, index) => {
      const key = `${round}-${index}`;
      try {
        const { status, location } = await start(key);
        if (status === 201) answers.set(key, location);
      } catch {
        // The server was killed before it answered.
      }
    });
    await Bun.sleep(random() * DELAY_MS_MAX);
    agents.child.kill("SIGKILL");
    await agents.child.exited;
    await Promise.all(sent);
  }
  const keyCount = (ROUND_COUNT - 1) * KEY_COUNT;
  expect(answers.size).toBe(keyCount);
  expect(new Set(answers.values()).size).toBe(keyCount);
  const [runs] = queryDatabase<{ count: number }>(
    home.databasePath,
    "SELECT count(*) AS count FROM runs",
  );
  expect(runs?.count).toBe(keyCount);
});
