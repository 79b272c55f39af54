/** Writing workflows without script: nothing that was typed is lost, and nobody's work is overwritten unseen. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { WORKFLOW_SOURCE_BYTES_MAX, type WorkflowRecord } from "../../src/domain/workflow.ts";
import { Browser, GREETING, startWorld, type Answer, type World } from "./world.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  browser = new Browser(world);
});

const named = (name: string) => GREETING.replace("greeting", name);
const pathOf = ({ id }: WorkflowRecord) => `/workflows/${id}`;
const decode = (text: string) =>
  text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");

/** What the form of an editor page would send. */
function formOf({ text }: Answer): Record<string, string> {
  const hidden = (name: string) =>
    new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? "";
  const source = /<textarea[^>]*id="source"[^>]*>([^<]*)</.exec(text)?.[1] ?? "";
  return { base: hidden("base"), base_name: hidden("base_name"), source: decode(source) };
}

const current = async (name: string) => (await world.store.workflows.get(name))?.version;

describe("a new workflow", () => {
  test("begins with a template that is valid, an example or a copy", async () => {
    const template = await browser.get("/workflows/new");
    expect(template.text).toContain("Valid, 1 step");
    expect(template.text).toContain('href="/workflows/new?example=greeting"');
    const record = await world.addWorkflow(named("original"));
    const copy = await browser.get(`/workflows/new?from=${record.id}`);
    expect(formOf(copy)).toEqual({ base: "", base_name: "", source: named("original_copy") });
    expect((await browser.get("/workflows/new?example=none")).status).toBe(404);
    expect((await browser.get("/workflows/new?from=none")).status).toBe(404);
  });

  test("is saved, and shown with its first version", async () => {
    const form = { ...formOf(await browser.get("/workflows/new")), source: named("first") };
    const saved = await browser.post("/workflows/new", { ...form, intent: "run" });
    const record = await world.store.workflows.get("first");
    expect(saved.headers.get("Location")).toBe(`/workflows/${record?.id}?saved=new#run`);
    const page = await browser.get(`/workflows/${record?.id}?saved=new`);
    expect(page.text).toContain('data-draft-done="new"');
    expect(page.text).toContain("Version 1 was saved.");
  });

  test("opens a file without saving it", async () => {
    const file = new File([named("from_disk")], "flow.yaml");
    const page = await browser.post("/workflows/new", { intent: "open", file, source: "old" });
    expect(page.status).toBe(200);
    expect(formOf(page)["source"]).toBe(named("from_disk"));
    expect(await current("from_disk")).toBeUndefined();
  });

  test("keeps a text with errors, and says where they are", async () => {
    const source = GREETING.replace("prompt:", "promt:").replace("to: END", "to: ENDE");
    const page = await browser.post("/workflows/new", { intent: "save", source });
    expect(page.status).toBe(422);
    expect(formOf(page)["source"]).toBe(source);
    expect(page.text).toContain('The first is on <a href="#L14">line 14</a>');
    expect(page.text).toContain('<li id="L14" class="marked">');
    expect(page.text).toContain('data-insert="prompt"');
  });

  test("is not saved over one of the same name unseen", async () => {
    const theirs = await world.addWorkflow(named("shared"));
    const source = named("shared").replace("Says hello.", "Mine.");
    const refused = await browser.post("/workflows/new", { intent: "save", source });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("shared is now in version 1");
    expect(refused.text).toContain("<del>");
    expect(await current("shared")).toEqual(theirs.version);
    const again = { ...formOf(refused), intent: "save" };
    expect((await browser.post("/workflows/new", again)).status).toBe(303);
    expect(await current("shared")).toMatchObject({ number: 2, source });
  });

  test("is given back as a file, errors and all", async () => {
    const source = "flow: { name: half/done }\n";
    const file = await browser.post("/workflows/new", { intent: "download", source });
    expect(file.text).toBe(source);
    expect(file.headers.get("Content-Disposition")).toBe('attachment; filename="half.yaml"');
  });

  test("over the limit or empty is refused with the reason", async () => {
    const big = new File(["#".repeat(WORKFLOW_SOURCE_BYTES_MAX + 1)], "a.yaml");
    const large = await browser.post("/workflows/new", { intent: "save", file: big });
    expect(large.status).toBe(413);
    expect(large.text).toContain("Shorten it to at most 1 MiB.");
    const empty = await browser.post("/workflows/new", { intent: "save", source: " " });
    expect(empty.status).toBe(422);
    expect(empty.text).toContain("There is nothing to save.");
  });
});

describe("the next version", () => {
  test("of what somebody else has changed meanwhile is saved only over what was seen", async () => {
    const record = await world.addWorkflow(named("busy"));
    const mine = formOf(await browser.get(`${pathOf(record)}/edit`));
    const source = mine["source"]?.replace("Says hello.", "Mine.") ?? "";
    await world.addWorkflow(named("busy").replace("Says hello.", "Theirs."));

    const refused = await browser.post(`${pathOf(record)}/edit`, {
      ...mine,
      source,
      intent: "save",
    });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("busy is now in version 2");
    expect(formOf(refused)["source"]).toBe(source);
    expect(await current("busy")).toMatchObject({ number: 2 });

    await world.addWorkflow(named("busy").replace("Says hello.", "Theirs again."));
    const form = { ...formOf(refused), intent: "save" };
    expect((await browser.post(`${pathOf(record)}/edit`, form)).status).toBe(409);
    const latest = await browser.post(`${pathOf(record)}/edit`, form);
    const saved = await browser.post(`${pathOf(record)}/edit`, {
      ...formOf(latest),
      intent: "save",
    });
    expect(saved.headers.get("Location")).toBe(`${pathOf(record)}?saved=${record.id}`);
    expect(await current("busy")).toMatchObject({ number: 4, source });
  });

  test("with the text that is there already is no conflict", async () => {
    const record = await world.addWorkflow(named("calm"));
    const form = formOf(await browser.get(`${pathOf(record)}/edit`));
    await world.addWorkflow(named("calm").replace("Says hello.", "Same."));
    const source = form["source"]?.replace("Says hello.", "Same.") ?? "";
    const saved = await browser.post(`${pathOf(record)}/edit`, { ...form, source, intent: "save" });
    expect(saved.status).toBe(303);
    expect(await current("calm")).toMatchObject({ number: 2, source });
  });

  test("under another name is another workflow, and the page says so before", async () => {
    const record = await world.addWorkflow(named("before"));
    const form = formOf(await browser.get(`${pathOf(record)}/edit`));
    const source = named("after");
    const preview = await browser.post("/workflows/preview", { source, id: record.id });
    expect(preview.text).toContain("saving makes a new workflow <b>after</b>");
    const saved = await browser.post(`${pathOf(record)}/edit`, { ...form, source, intent: "save" });
    expect(saved.status).toBe(303);
    expect(await current("before")).toEqual(record.version);
    expect(await current("after")).toMatchObject({ number: 1, source });
    const taken = await browser.post("/workflows/preview", { source, id: record.id });
    expect(taken.text).toContain("There is a workflow");
    const over = { ...form, source: source.replace("Says hello.", "Over."), intent: "save" };
    expect((await browser.post(`${pathOf(record)}/edit`, over)).status).toBe(409);
  });

  test("of a workflow that has been deleted makes it anew", async () => {
    const record = await world.addWorkflow(named("gone"));
    const form = formOf(await browser.get(`${pathOf(record)}/edit`));
    await world.store.workflows.remove(record.id);
    const source = form["source"]?.replace("Says hello.", "Still here.") ?? "";
    const refused = await browser.post(`${pathOf(record)}/edit`, {
      ...form,
      source,
      intent: "save",
    });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("This workflow has been deleted meanwhile.");
    expect(refused.text).toContain('action="/workflows/new"');
    const saved = await browser.post("/workflows/new", { ...formOf(refused), intent: "save" });
    expect(saved.status).toBe(303);
    expect(await current("gone")).toMatchObject({ number: 1, source });
  });
});

describe("versions", () => {
  test("are shown, compared, downloaded and restored", async () => {
    const record = await world.addWorkflow(named("history"));
    await world.addWorkflow(named("history").replace("Says hello.", "Second."));
    const path = pathOf(record);
    const detail = await browser.get(path);
    expect(detail.text).toContain(`href="${path}/versions/1"`);
    expect(detail.text).toContain(`href="${path}/diff?from=1&amp;to=2"`);
    const old = await browser.get(`${path}/versions/1`);
    expect(old.text).toContain("New runs start with version 2.");
    const diff = await browser.get(`${path}/diff`);
    expect(diff.text).toContain("version 1 to 2");
    expect(diff.text).toContain("<del>Says hello</del>");
    expect((await browser.get(`${path}/file?version=1`)).text).toBe(named("history"));
    const restored = await browser.post(`${path}/restorations`, { version: "1" });
    expect(restored.status).toBe(303);
    expect(await current("history")).toEqual(record.version);
    for (const address of ["versions/3", "versions/x", "diff?from=1&to=9", "file?version=0"])
      expect((await browser.get(`${path}/${address}`)).status, address).toBe(404);
    expect((await browser.post(`${path}/restorations`, { version: "9" })).status).toBe(404);
  });

  test("are compared as workflows and side by side, with what is equal folded", async () => {
    const record = await world.addWorkflow(named("two_sided"));
    const more = named("two_sided")
      .replace("Says hello.", "Second.")
      .replace("count: {", "many: {");
    await world.addWorkflow(more.replaceAll("{count}", "{many}"));
    const path = pathOf(record);
    const whole = (await browser.get(`${path}/diff`)).text;
    expect(whole).toContain("<code><ins>many</ins></code>");
    expect(whole).toContain("<code><del>count</del></code>");
    expect(whole).toContain('<details class="diff-fold">');
    expect(whole).not.toContain('class="diff split"');
    const split = (await browser.get(`${path}/diff?view=split`)).text;
    expect(split).toContain('class="diff split"');
    expect(split).toContain('<input type="hidden" name="view" value="split"/>');
    const broken = { name: "two_sided", description: null, format: "yaml" } as const;
    await world.store.workflows.save({ ...broken, source: "flow: 1\n" });
    expect((await browser.get(`${path}/diff`)).text).toContain("One of these versions has errors");
    expect((await browser.get(`${path}/versions/3`)).text).toContain("It is the current version");
    const refused = await browser.post(`${path}/versions/3/runs`, {});
    expect([refused.status, refused.text.includes("Version 3 has errors.")]).toEqual([422, true]);
  });

  test("that are old are run as they were", async () => {
    const record = await world.addWorkflow(named("rerunnable"));
    await world.addWorkflow(named("rerunnable").replace("Says hello.", "Second."));
    const old = `${pathOf(record)}/versions/1`;
    const page = await browser.get(old);
    expect(page.text).toContain(`action="${old}/runs"`);
    const refused = await browser.post(`${old}/runs`, { "input.count": "many" });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain("The run was not started");
    const started = await browser.post(`${old}/runs`, { "input.name": "Ada", "input.count": "2" });
    expect(started.status).toBe(303);
    const run = await world.store.runs.get(
      started.headers.get("location")?.split("/").at(-1) ?? "",
    );
    expect(run?.versionHash).toBe(record.version.hash);
    const shown = await browser.get(started.headers.get("location") ?? "");
    expect(shown.text).toContain(`<a href="${old}">Version 1</a>`);
  });

  test("with errors are not restored", async () => {
    const broken = { name: "broken", description: null, format: "yaml" } as const;
    const record = await world.store.workflows.save({ ...broken, source: "flow: 1\n" });
    await world.store.workflows.save({ ...broken, source: named("broken") });
    const answer = await browser.post(`${pathOf(record)}/restorations`, { version: "1" });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Version 1 has errors and cannot be restored.");
  });
});

test("completions and help refuse a place outside of the text, and a text over the limit", async () => {
  for (const path of ["/workflows/completions", "/workflows/hover"]) {
    for (const offset of ["9", "-1", "x"])
      expect((await browser.post(path, { source: "flow", offset })).status).toBe(422);
    const source = "#".repeat(WORKFLOW_SOURCE_BYTES_MAX + 1);
    expect((await browser.post(path, { source, offset: "0" })).status).toBe(413);
  }
});
