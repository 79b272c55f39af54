/** What is measured, and the empty program that it is measured against. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { freePort, untilAnswer } from "./process.ts";

export interface Subject {
  readonly executable: string;
  readonly empty: string;
  readonly folder: string;
}

export interface Started {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Milliseconds from exec to the first answer. */
  readonly firstAnswerMs: number;
  stop(): Promise<void>;
}

/** The product without MLflow, in a fresh folder unless one is given. */
export async function startAgents(
  { executable, folder }: Subject,
  options: {
    readonly dataDir?: string;
    readonly flags?: readonly string[];
    readonly env?: Record<string, string>;
  } = {},
): Promise<Started> {
  const home = await mkdtemp(join(folder, "home-"));
  const port = freePort();
  const flags = ["--yes", "--port", String(port), "--chat-port", String(freePort())];
  const { dataDir = join(home, "data"), flags: more = [], env = {} } = options;
  const data = ["--data-dir", dataDir, "--no-mlflow", "--no-open", ...more];
  return started([executable, "start", ...flags, ...data], { home, port, dataDir, env });
}

/** The empty program, serving. */
export async function startEmpty({ empty, folder }: Subject): Promise<Started> {
  const port = freePort();
  return started([empty, "serve", String(port)], { home: folder, port, dataDir: folder });
}

async function started(
  argv: string[],
  place: { home: string; port: number; dataDir: string; env?: Record<string, string> },
): Promise<Started> {
  const url = `http://127.0.0.1:${place.port}/`;
  const startedAt = performance.now();
  const child = Bun.spawn(argv, {
    cwd: place.home,
    env: { HOME: place.home, PATH: "", ...place.env },
    stdout: "ignore",
    stderr: "ignore",
  });
  const firstAnswerMs = await untilAnswer(url, startedAt);
  return {
    url,
    pid: child.pid,
    dataDir: place.dataDir,
    firstAnswerMs,
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}
