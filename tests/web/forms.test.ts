/** What a browser without script does: forms, refusals with everything kept, redirects. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../../src/domain/workflow.ts";
import { Browser, GREETING, startWorld, type World } from "./world.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  browser = new Browser(world);
});

const BROKEN = GREETING.replace("schema_version", "schema_versoin").replace(
  "START, to: write",
  "START, to: wriet",
);

test("POST /workflows refuses a text with all its problems and keeps it", async () => {
  const answer = await browser.post("/workflows", { source: BROKEN });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("schema_versoin");
  expect(answer.text).toMatch(/Did you mean <code>write<\/code>|wriet/);
  expect(answer.text.match(/class="problem error"/g)?.length).toBeGreaterThanOrEqual(2);
  const kept = /<textarea[^>]*id="source"[^>]*>([^<]*)</.exec(answer.text)?.[1] ?? "";
  expect(kept.replaceAll("&quot;", '"').replaceAll("&amp;", "&")).toBe(BROKEN);
  expect(await world.store.workflows.list({ limit: 10 })).toEqual([]);
});

test("POST /workflows takes a file, and prefers it to the text", async () => {
  const answer = await browser.post("/workflows", {
    file: new File([GREETING.replace("greeting", "from_file")], "flow.yaml"),
    source: "ignored",
  });
  expect(answer.status, answer.text).toBe(303);
  const page = await browser.get(answer.headers.get("Location") ?? "");
  expect(page.text).toContain("<title>from_file · agents</title>");
  const again = await browser.post("/workflows", {
    source: GREETING.replace("greeting", "from_file").replaceAll("\n", "\r\n"),
  });
  expect(again.headers.get("Location")).toBe(answer.headers.get("Location"));
  const record = await world.store.workflows.get("from_file");
  expect(record?.version.number).toBe(1);
});

test("POST /workflows takes JSON", async () => {
  const source = JSON.stringify(Bun.YAML.parse(GREETING.replace("greeting", "as_json")));
  const answer = await browser.post("/workflows", { source });
  expect(answer.status, answer.text).toBe(303);
  expect((await world.store.workflows.get("as_json"))?.version.format).toBe("json");
});

test("POST /workflows says why it cannot look at what was sent", async () => {
  const cases = [
    { fields: { source: " \n" }, status: 422, says: "There is nothing to save." },
    {
      fields: { file: new File([""], "empty.yaml"), source: "" },
      status: 422,
      says: "There is nothing",
    },
    {
      fields: { file: new File([new Uint8Array([0xff, 0xfe, 0])], "a.yaml") },
      status: 422,
      says: "not text",
    },
    {
      fields: { file: new File([new Uint8Array([0x80])], "a.yaml") },
      status: 422,
      says: "not text",
    },
    {
      fields: { file: new File(["#".repeat(WORKFLOW_SOURCE_BYTES_MAX + 1)], "a.yaml") },
      status: 413,
      says: "too large",
    },
  ];
  for (const { fields, status, says } of cases) {
    const answer = await browser.post("/workflows", fields);
    expect(answer.status, says).toBe(status);
    expect(answer.text).toContain(says);
  }
});

test("POST /workflows/:id/runs starts a run with what was typed", async () => {
  const { id } = await world.addWorkflow();
  const answer = await browser.post(`/workflows/${id}/runs`, {
    "input.name": "Ada\r\nLovelace",
    "input.count": "7",
    "input.tags": "x\r\ny y\r\n",
    provider: "demo",
    model: " tiny ",
  });
  expect(answer.status, answer.text).toBe(303);
  const run = await world.store.runs.get(answer.headers.get("Location")?.split("/").at(-1) ?? "");
  expect(run).toMatchObject({
    state: "queued",
    inputs: { name: "Ada\nLovelace", count: 7, polite: false, tags: ["x", "y y"] },
    values: { name: "Ada\nLovelace", count: 7, polite: false, tags: ["x", "y y"], text: "" },
    overrides: { provider: "demo", model: "tiny" },
  });
});

test("POST /workflows/:id/runs leaves out what was left empty, so that defaults hold", async () => {
  const { id } = await world.addWorkflow();
  const answer = await browser.post(`/workflows/${id}/runs`, {
    "input.name": "Ada",
    "input.count": "",
    "input.tags": "",
    "input.polite": "true",
  });
  const run = await world.store.runs.get(answer.headers.get("Location")?.split("/").at(-1) ?? "");
  expect(run?.inputs).toEqual({ name: "Ada", polite: true });
  expect(run?.values).toEqual({ name: "Ada", count: 3, polite: true, tags: ["a", "b"], text: "" });
});

test("POST /workflows/:id/runs refuses wrong inputs, says which, and keeps the others", async () => {
  const { id } = await world.addWorkflow();
  const before = (await world.store.runs.list({ limit: 100 })).length;
  const answer = await browser.post(`/workflows/${id}/runs`, {
    "input.name": "",
    "input.count": "many",
    "input.tags": "kept <tag>",
    model: "tiny",
  });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("The input <code>name</code> is required and was not given.");
  expect(answer.text).toMatch(/The input <code>count<\/code> is not right/);
  expect(answer.text).toContain("kept &lt;tag&gt;");
  expect(answer.text).toContain('value="many"');
  expect(answer.text).toContain('value="tiny"');
  expect(await world.store.runs.list({ limit: 100 })).toHaveLength(before);
});

test("POST /workflows/:id/runs refuses a provider that is not set up, or does not exist", async () => {
  const { id } = await world.addWorkflow();
  const start = (provider: string) =>
    browser.post(`/workflows/${id}/runs`, { "input.name": "Ada", provider });
  const missing = await start("openai");
  expect([missing.status, missing.text.includes("Set OPENAI_API_KEY.")]).toEqual([422, true]);
  expect((await start("nobody")).status).toBe(422);
});

test("POST /runs/:id/reruns starts the same version with the same inputs", async () => {
  const record = await world.addWorkflow();
  const run = await world.addRun(record);
  await world.addWorkflow(GREETING.replace("Greet {name}", "Salute {name}"));
  const answer = await browser.post(`/runs/${run.id}/reruns`);
  const again = await world.store.runs.get(answer.headers.get("Location")?.split("/").at(-1) ?? "");
  expect(again?.id).not.toBe(run.id);
  expect(again).toMatchObject({
    workflowId: run.workflowId,
    versionHash: run.versionHash,
    inputs: run.inputs,
    values: run.values,
  });
});

test("POST /runs/:id/cancellation ends a run that waits, and knows no other", async () => {
  const run = await world.addRun(await world.addWorkflow());
  const answer = await browser.post(`/runs/${run.id}/cancellation`);
  expect(answer.headers.get("Location")).toBe(`/runs/${run.id}`);
  expect((await world.store.runs.get(run.id))?.state).toBe("cancelled");
  expect((await browser.post("/runs/nothing/cancellation")).status).toBe(404);
});

test("POST /workflows/:id/deletion keeps a workflow that has runs", async () => {
  const record = await world.addWorkflow(GREETING.replace("greeting", "kept"));
  await world.addRun(record);
  const answer = await browser.post(`/workflows/${record.id}/deletion`);
  expect(answer.status).toBe(409);
  expect(await world.store.workflows.get(record.id)).toEqual(record);
});

test("GET /runs goes through all runs page by page, and filters", async () => {
  const record = await world.addWorkflow(GREETING.replace("greeting", "paged"));
  for (let index = 0; index < 120; index += 1) await world.addRun(record);
  const seen: string[] = [];
  let path: string | undefined = "/runs?search=paged";
  for (let page = 0; path !== undefined && page < 5; page += 1) {
    const { text } = await browser.get(path);
    seen.push(
      ...new Set([...text.matchAll(/href="\/runs\/([a-z0-9]{16})"/g)].map((hit) => hit[1] ?? "")),
    );
    path = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  const runs = await world.store.runs.list({ workflowId: record.id, limit: 200 });
  // In the order of their creation, which the ids of one millisecond do not tell.
  expect(seen.toSorted()).toEqual(runs.map((run) => run.id).toSorted());
  const none = await browser.get("/runs?search=paged&state=failed");
  expect(none.text).toContain("No run matches");
});

test("GET /runs/:id takes a part of the id and goes to the whole one", async () => {
  const run = await world.addRun(await world.addWorkflow());
  const answer = await browser.get(`/runs/${run.id.slice(-6)}`);
  expect([answer.status, answer.headers.get("Location")]).toEqual([303, `/runs/${run.id}`]);
});

test("GET answers with the page's live parts when htmx asks for them", async () => {
  const run = await world.addRun(await world.addWorkflow());
  const ask = { "HX-Request": "true", "HX-Request-Type": "partial" };
  for (const path of ["/", `/runs/${run.id}`]) {
    const { text, status } = await browser.get(path, ask);
    expect(status).toBe(200);
    expect(text.startsWith("<hx-partial"), text.slice(0, 100)).toBe(true);
    expect(text).not.toContain("<html");
  }
  const { text } = await browser.get(`/runs/${run.id}`, ask);
  expect(text, "the log comes by the stream alone").not.toContain("run-log-lines");
  const full = await browser.get("/runs", { "HX-Request": "true", "HX-Request-Type": "full" });
  expect(full.text).toContain("<html");
});

test("settings save keys that can be keys, and show the result of a check", async () => {
  const save = (provider: string, key: string) => browser.post("/settings/keys", { provider, key });
  expect((await save("openai", "  sk-12345  ")).status).toBe(303);
  expect([...world.keys]).toEqual([["OPENAI_API_KEY", "sk-12345"]]);
  for (const key of ["", "two words", "line\nbreak", "x".repeat(1_001), "schlüssel"]) {
    const answer = await save("openai", key);
    expect(answer.status, key).toBe(422);
    expect(answer.text).toContain("This cannot be a key.");
  }
  expect((await save("demo", "sk-1")).status).toBe(422);
  expect((await save("nobody", "sk-1")).status).toBe(404);
  expect([...world.keys.values()]).toEqual(["sk-12345"]);
  expect((await browser.get("/settings")).text).not.toContain("sk-12345");
  await browser.post("/settings/checks", { provider: "demo" });
  expect((await browser.get("/settings")).text).toContain("demo answers.");
});

test("GET /runs?search= finds a run by the end of its id, which is what pages show", async () => {
  const run = await world.addRun(await world.addWorkflow());
  const end = run.id.slice(-6);
  const isFound = async (query: string) =>
    (await browser.get(`/runs?search=${end}${query}`)).text.includes(`href="/runs/${run.id}"`);
  expect(await isFound("")).toBe(true);
  expect(await isFound("&state=queued")).toBe(true);
  expect(await isFound("&state=failed")).toBe(false);
  expect(await isFound("0")).toBe(false);
});

test("POST /settings/values asks before fewer runs are kept than there are", async () => {
  const record = await world.addWorkflow(GREETING.replace("greeting", "kept"));
  const runs = [await world.addRun(record), await world.addRun(record)];
  for (const { id } of runs) await world.store.runs.requestCancel(id);
  const fields = { section: "retention", AGENTS_KEEP_RUNS_COUNT: "1" };
  const asked = await browser.post("/settings/values", fields);
  expect(asked.status).toBe(422);
  expect(asked.text.replaceAll(/\s+/g, " ")).toMatch(
    /\d runs? behind the 1 newest run would be removed/,
  );
  const saved = await browser.post("/settings/values", { ...fields, sure: "yes" });
  expect(saved.headers.get("Location")).toBe("/settings?done=saved#retention-h");
  const many = await browser.post("/settings/values", { ...fields, AGENTS_KEEP_RUNS_COUNT: "999" });
  expect(many.status).toBe(303);
});
