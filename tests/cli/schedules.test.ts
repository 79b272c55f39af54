/** `agents schedules` from the sources, on a database with two schedules. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ERROR_CODES } from "../../src/domain/error.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";

const PROGRAM = ["--no-env-file", resolve("src/main.ts")];
const SOURCE = `schema_version: "1.0"
flow: { name: nightly_report }
state: { fields: { topic: { type: str, required: true }, text: { type: str, default: "" } } }
nodes: [{ id: say, prompt: "{topic}", outputs: [text], output_schema: { type: str } }]
edges: [{ from: START, to: say }, { from: say, to: END }]
`;
const DAY_MS = 24 * 60 * 60 * 1_000;

let root: string;
/** Of the schedule that goes on, and of the paused one. */
let going: string;
let paused: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-cli-schedules-"));
  await mkdir(join(root, "data"));
  const store = await openStore({ path: join(root, "data/agents.db"), clock: systemClock });
  const text = { source: SOURCE, format: "yaml", description: null } as const;
  const { id: workflowId } = await store.workflows.save({ name: "nightly_report", ...text });
  const plan = {
    workflowId,
    cron: "30 9 * * *",
    timeZone: "Europe/Berlin",
    inputs: { topic: "tides" },
    overrides: { provider: "demo" },
    overlap: "skip",
    catchUp: true,
  } as const;
  const nextAt = systemClock.now() + DAY_MS;
  ({ id: going } = await store.schedules.create({ ...plan, nextAt }));
  ({ id: paused } = await store.schedules.create({ ...plan, nextAt: null, inputs: {} }));
  await store.close();
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function schedules(...argv: string[]) {
  const child = Bun.spawn([process.execPath, ...PROGRAM, "schedules", ...argv], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(root, "home"),
      NO_COLOR: "1",
      TZ: "UTC",
      AGENTS_DATA_DIR: join(root, "data"),
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, errors: errors.replaceAll(/\s+/g, " "), code };
}

test("schedules are listed and shown, at 80 columns and as JSON", async () => {
  const { out } = await schedules();
  const [header, first, second, hint] = out.split("\n");
  expect(header).toMatch(/^ID +NEXT +WORKFLOW +CRON +LAST$/);
  expect(first).toMatch(
    new RegExp(
      String.raw`^${going}  \d{4}-\d\d-\d\d \d\d:\d\d  nightly_report +30 9 \* \* \* +not yet$`,
    ),
  );
  expect(second).toMatch(new RegExp(`^${paused}  paused `));
  expect(hint).toBe("No server is running: `agents start` starts what is due.");
  expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(JSON.parse((await schedules("--workflow", "nightly_report", "--json")).out)).toMatchObject(
    {
      schedules: [
        { id: going, workflow: "nightly_report", cron: "30 9 * * *", paused: false },
        { id: paused, paused: true, next_at: null },
      ],
    },
  );
  const shown = (await schedules("show", going.slice(-6))).out;
  expect(shown).toContain("  when      30 9 * * * in Europe/Berlin\n");
  expect(shown).toContain('  inputs    {"topic":"tides"}\n');
  expect(JSON.parse((await schedules("show", going, "--json")).out)).toMatchObject({ id: going });
  expect((await schedules("--workflow", "nobody")).code).toBe(ERROR_CODES.not_found.exit);
}, 30_000);

test("a schedule is paused, goes on, is run and removed", async () => {
  expect((await schedules("pause", going)).out).toBe(
    `Paused: schedule ${going} of nightly_report\n`,
  );
  expect((await schedules("resume", going)).out).toMatch(
    new RegExp(`^Goes on: schedule ${going} of nightly_report, next at `),
  );
  const run = JSON.parse((await schedules("run", going, "--json")).out) as unknown;
  expect(run).toMatchObject({
    state: "succeeded",
    workflow: "nightly_report",
    inputs: { topic: "tides" },
    source: "cli",
  });
  const refused = await schedules("run", paused);
  expect([refused.code, refused.errors]).toEqual([
    ERROR_CODES.invalid.exit,
    expect.stringContaining("Change the inputs of the schedule."),
  ]);
  expect((await schedules("remove", paused)).out).toBe(
    `Removed: schedule ${paused} of nightly_report; its runs stay\n`,
  );
  expect((await schedules("remove", paused)).code).toBe(ERROR_CODES.not_found.exit);
  expect((await schedules("pause")).code).toBe(ERROR_CODES.usage.exit);
  expect((await schedules("stop", going)).code).toBe(ERROR_CODES.usage.exit);
}, 30_000);
