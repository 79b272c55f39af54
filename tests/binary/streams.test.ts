/**
 * Goal: a change reaches everybody who has the status page open, soon, also beside readers that do not read.
 * Method: hundreds of streams on bare sockets of another process, a change in the database, and the moment at which
 * each had it. The benchmark does the same with 5,000.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { createHome, PATIENCE_MS, startAgents } from "../support/agents.ts";

const READER_COUNT = 500;
const STALLED_COUNT = 20;
/** On a machine that does other things too. */
const LIMIT_MS = 3_000;

test(
  `${READER_COUNT} open status pages have a change soon, whoever does not read`,
  async () => {
    await using home = await createHome();
    await using server = await startAgents({ home });
    const { hostname, port } = new URL(server.url);
    const stalled = Array.from({ length: STALLED_COUNT }, () => {
      const socket = connect(Number(port), hostname);
      socket.write(`GET /status/stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
      return socket.pause();
    });
    const script = `${import.meta.dir}/../../scripts/bench/stream-worker.ts`;
    const argv = [process.execPath, script, hostname, port, "/status/stream"];
    const child = Bun.spawn([...argv, String(READER_COUNT)], { stdin: "pipe", stdout: "pipe" });
    const answers = answersOf(child.stdout);
    expect(await answers()).toBe("ready");

    void child.stdin.write("wanted-word\n");
    await child.stdin.flush();
    expect(await answers()).toBe("watching");
    using database = new Database(home.databasePath);
    const changedAt = Date.now();
    database.run("INSERT INTO provider_blocks VALUES ('wanted-word:0', ?)", [changedAt + 60_000]);
    const times: number[] = JSON.parse(await answers());
    expect(times).toHaveLength(READER_COUNT);
    expect(Math.max(...times) - changedAt).toBeLessThan(LIMIT_MS);
    child.kill();
    await child.exited;
    for (const socket of stalled) socket.destroy();
  },
  PATIENCE_MS,
);

/** Line by line. */
function answersOf(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("The readers have ended.");
      text += decoder.decode(value, { stream: true });
    }
    const [line = "", ...rest] = text.split("\n");
    text = rest.join("\n");
    return line;
  };
}
