import { describe, expect, test } from "bun:test";
import { RunResult } from "../../views/part/run-result.tsx";
import { RunUpdate } from "../../views/run.tsx";
import { inspect, visibleText } from "./inspect.ts";
import { Alerts } from "../../views/part/alerts.tsx";
import { CHECK_REFUSED, run, STATUS_FULL, steps } from "./fixtures.ts";
import { PAGES, text as render } from "./pages.tsx";

async function html(name: string): Promise<string> {
  const page = PAGES.find((candidate) => candidate.name === name);
  if (page === undefined) throw new Error(`no page ${name}`);
  return page.render("auto");
}
const text = async (name: string) => visibleText(await html(name));

/** What the stream of a failed run says. */
const failedUpdate = (demo: boolean) =>
  render(
    RunUpdate({
      run: run("failed"),
      steps: steps("failed"),
      calls: [],
      events: [],
      workflow: undefined,
      drawing: undefined,
      approvals: [],
      descendants: [],
      now: 0,
      banners: { health: { state: "ok" }, demo },
    }),
  );

describe("StatusPage()", () => {
  test("has at most five metrics, each with its tier, a delta and a link", async () => {
    const page = await html("status");
    const tiles = page.match(/<li class="tile tier-[a-z]+" id="tile-[a-z]+">/g) ?? [];
    expect(tiles).toEqual([
      '<li class="tile tier-warning" id="tile-failed">',
      '<li class="tile tier-info" id="tile-active">',
      '<li class="tile tier-info" id="tile-success">',
      '<li class="tile tier-info" id="tile-tokens">',
      '<li class="tile tier-info" id="tile-cost">',
    ]);
    expect(visibleText(page)).toContain("Success Info 96.5 % +0.9 vs 24h before");
  });

  test("says what an unclean end left behind, and what a failed service needs", async () => {
    expect(await text("status")).toContain(
      "The last session ended without a clean shutdown. 2 runs were taken up again",
    );
    const degraded = await text("status-degraded");
    expect(degraded).toContain("1 critical problem worker-1 is not running.");
    expect(degraded).toContain("Degraded: nothing can be saved. The disk that holds the database");
    expect(degraded).toContain("Fix: Free at least 10 MiB on that disk.");
  });

  test("keeps critical open, warnings open until closed, notices closed", async () => {
    const elements = inspect(await html("status-degraded"));
    const find = (id: string) => elements.find(({ attributes }) => attributes["id"] === id);
    expect(find("alerts-critical")?.tag).toBe("div");
    expect(find("alerts-warning")?.attributes["open"]).toBe("");
    const notice = inspect(await html("status")).find(
      ({ attributes }) => attributes["id"] === "alerts-info",
    );
    expect(notice?.tag).toBe("details");
    expect(notice?.attributes["open"]).toBeUndefined();
  });

  test("shows the text of a notice that is the only one", async () => {
    const services = STATUS_FULL.services.filter(({ name }) => name !== "chat");
    const shown = await render(Alerts({ status: { ...STATUS_FULL, services } }));
    const notice = inspect(shown).find(({ attributes }) => attributes["id"] === "alerts-info");
    expect(notice?.tag).toBe("div");
    expect(visibleText(shown)).toContain("mlflow is not running.");
    expect(shown).toContain("Run <code>agents setup</code> and choose MLflow.");
  });

  test("tells a newcomer what to do next", async () => {
    const page = await html("status-empty");
    expect(visibleText(page)).toContain("No workflows yet");
    expect(page).toContain('href="/workflows/new"');
    expect(page).toContain('href="/workflows#examples"');
    expect(visibleText(page)).toContain("Demo provider.");
  });

  test("changes its range by plain links and listens to the stream of that range", async () => {
    const page = await html("status");
    for (const range of ["1h", "6h", "24h", "7d"])
      expect(page).toContain(`href="/?range=${range}"`);
    expect(page).toContain('<a href="/?range=24h" aria-current="true">');
    expect(page).toContain('hx-sse:connect="/status/stream?range=24h"');
    expect(page).toContain('hx-get="/?range=24h"');
  });
});

describe("Layout()", () => {
  test("links only to pages that exist, and marks the current one", async () => {
    const navigation = (await html("run-running")).match(/<nav id="sidebar".*?<\/nav>/s)?.[0] ?? "";
    const links = [
      ...navigation.matchAll(/<a href="([^"]+)"(?: aria-current="(\w+)")?(?: data-key="\w")?>/g),
    ];
    expect(links.map(([, href, current]) => [href, current])).toEqual(
      [
        ["/workflows", undefined],
        ["/runs", "true"],
        ["/schedules", undefined],
        ["/agents", undefined],
        ["/chat", undefined],
        ["/metrics", undefined],
        ["/memory", undefined],
        ["/settings", undefined],
        ["/logs", undefined],
      ].toSpliced(0, 0, ["/", undefined]),
    );
  });

  test("offers to log out only to who is logged in", async () => {
    expect(await html("status-degraded")).toContain('action="/logout"');
    expect(await html("status")).not.toContain('action="/logout"');
  });
});

describe("EditorPage()", () => {
  test("keeps a refused text and shows each problem with line, caret, suggestion and fix", async () => {
    const page = await html("editor-refused");
    const shown = visibleText(page);
    expect(shown).toContain("The workflow was not saved: the text has errors.");
    expect(shown).toContain("2 errors, 1 warning");
    expect(shown).toContain("The node “research” has an unknown key “output_shema”. line 17:5");
    expect(shown).toContain("Did you mean output_schema ?");
    expect(shown).toContain("Fix: Rename it to output_schema.");
    expect(page).toMatch(/17 <\/span> {4}output_shema:\n<span[^>]*> {7}\^{12}<\/span>/);
    expect(page).toMatch(/<textarea id="source"[^>]*>schema_version: &quot;1.0&quot;/);
    // What the editor marks and mends, and what there is without it.
    const at = CHECK_REFUSED.source.indexOf("output_shema");
    expect(page).toContain(`data-severity="error" data-to="${at + 12}" data-from="${at}"`);
    expect(page).toContain('data-insert="output_schema"');
    expect(page).toMatch(/<div class="no-script">.*<li id="L17" class="marked">/s);
  });

  test("shows what somebody else saved, and saves over it only when asked to", async () => {
    const page = await html("editor-conflict");
    expect(visibleText(page)).toContain("article_writer is now in version 3");
    expect(visibleText(page)).toContain("Save mine over it, as a new version");
    expect(page).toContain('name="base" value="3f2c1a7be04d5566"');
    expect(page).toContain('<a class="btn ghost" href="/workflows/01kae9article0000/edit"');
    expect(await text("editor-gone")).toContain("This workflow has been deleted meanwhile.");
  });

  test("offers no saving while nothing can be saved", async () => {
    const values = inspect(await html("editor-degraded"))
      .filter(({ attributes }) => attributes["name"] === "intent")
      .map(({ attributes }) => attributes["value"]);
    expect(values).toEqual(["download", "validate", "open"]);
  });
});

describe("WorkflowsPage()", () => {
  test("shows how the runs of each workflow went, and pages by key", async () => {
    const page = await html("workflows");
    const shown = visibleText(page);
    expect(shown).toMatch(/article_writer .* Running .* 75 % 1\.4k/s);
    expect(shown).toContain("nested_state No description. Never run – – runs");
    expect(page).toContain('aria-label="Last 5: 1 running, 3 succeeded, 1 failed"');
    expect(page).toContain('href="/workflows?after=01kae9nested00000"');
    // A text with errors cannot be run.
    expect(page).toContain('href="/workflows/01kae9article0000#run"');
    expect(page).not.toContain('href="/workflows/01kae9triage00000#run"');
  });

  test("keeps what was asked for", async () => {
    const page = await html("workflows-filtered");
    expect(page).toContain('value="zebra"');
    expect(page).toContain('<option value="never" selected="">');
    expect(page).toContain('<option value="cost" selected="">');
    expect(page).toContain('href="/workflows?search=zebra&amp;result=never&amp;order=cost"');
    expect(visibleText(page)).toContain("No workflow matches");
  });

  test("uploads a file, and adds examples", async () => {
    const page = await html("workflows");
    expect(page).toMatch(
      /<form method="post" action="\/workflows"[^>]*enctype="multipart\/form-data"/,
    );
    expect(page).toContain('action="/workflows/examples/haiku"');
    expect(page.match(/<svg class="mini"/g)).toHaveLength(2);
  });
});

describe("WorkflowPage()", () => {
  test("makes the right control for each type", async () => {
    const controls = inspect(await html("workflow"))
      .filter(({ attributes }) => attributes["name"]?.startsWith("input.") === true)
      .map(({ tag, attributes }) => [
        attributes["name"],
        tag,
        attributes["type"] ?? "",
        attributes["required"] === undefined ? "" : "required",
      ]);
    expect(controls).toEqual([
      ["input.topic", "textarea", "", "required"],
      ["input.max_words", "input", "number", ""],
      ["input.temperature", "input", "number", ""],
      ["input.with_sources", "input", "checkbox", ""],
      ["input.audiences", "textarea", "", ""],
      ["input.author", "textarea", "", ""],
      ["input.scores", "textarea", "", ""],
    ]);
  });

  test("puts an error at its field and opens what would hide it", async () => {
    const page = await html("workflow-form-errors");
    const author = inspect(page).find(({ attributes }) => attributes["id"] === "input-author");
    expect(author?.attributes["aria-invalid"]).toBe("true");
    expect(author?.attributes["aria-describedby"]).toBe("input-author-hint input-author-error");
    expect(page).toContain('<details class="fold" open="">');
    expect(page).toMatch(/<option value="demo" selected="">/);
    expect(page).toMatch(/<option value="anthropic" disabled="">anthropic \(no key\)/);
  });

  test("shows a text that cannot run with its problems and without the form", async () => {
    const page = await html("workflow-broken");
    expect(visibleText(page)).toContain("2 errors: this workflow cannot run (1 warning)");
    expect(page).toContain('href="#L17"');
    expect(page).toContain('<li id="L17" class="marked">');
    expect(page).not.toContain('id="run"');
  });

  test("deletes only what has no runs", async () => {
    expect(await html("workflow")).not.toContain('action="/workflows/01kae9article0000/deletion"');
    expect(await html("workflow-form-errors")).toContain(
      'action="/workflows/01kae9article0000/deletion"',
    );
  });
});

describe("RunsPage()", () => {
  test("filters by GET, pages by key, cancels per row", async () => {
    const page = await html("runs");
    expect(page).toContain('href="/runs?before=01kae9x7m5ee55ee"');
    expect(page.match(/\/cancellation"/g)).toHaveLength(3);
    const empty = await html("runs-empty");
    expect(empty).toContain('<input type="hidden" name="state" value="failed"/>');
    expect(empty).toContain('value="zebra"');
    expect(empty).toContain('hx-get="/runs?state=failed&amp;search=zebra"');
  });

  test("keeps every filter in its links, and gives each a way out", async () => {
    const page = await html("runs-filtered");
    const all =
      "state=failed&amp;state=cancelled&amp;workflow=01kae9article0000&amp;range=custom&amp;from=2026-11-19T08%3A00&amp;search=green+tea&amp;cost=0.5&amp;order=dearest";
    for (const place of ["&amp;before=4%7Ez", "&amp;after=6%7Ey", ""])
      expect(page).toContain(`href="/runs?${all}${place}"`);
    expect(page).toContain(`href="/runs/export.csv?${all}"`);
    expect(page).toContain(`href="/runs?${all.replace("&amp;search=green+tea", "")}"`);
    expect(page).toContain(`href="/runs?${all.replace("state=failed&amp;", "")}"`);
    // Only the first page is live, and says of itself what it has not looked at.
    expect(page).not.toContain("every 5s");
    expect(page).toContain("Only a part of the runs was looked at.");
    expect(page).toContain("Search cheaper runs");
  });
});

describe("RunPage()", () => {
  test("refreshes itself without script only while the run goes on", async () => {
    expect(await html("run-running")).toContain(
      '<noscript><meta http-equiv="refresh" content="5"/></noscript>',
    );
    expect(await html("run-succeeded")).not.toContain("http-equiv");
  });

  test("listens to its run while it goes on, to the status afterwards", async () => {
    expect(await html("run-running")).toContain(
      'hx-sse:connect="/runs/01kae9x7m0runnin/stream?after=15"',
    );
    expect(await html("run-succeeded")).toContain('hx-sse:connect="/status/stream"');
  });

  test("joins the pieces of an answer in the line of its call", async () => {
    expect(await html("run-running")).toContain(
      '<pre class="stream">I will look for harbours with a tidal range above 4 m, and for what they paid.</pre>',
    );
  });

  test("shows retries, recovery, waits, prices that are missing", async () => {
    const shown = await text("run-waiting");
    expect(shown).toContain("Rate limited");
    expect(shown).toContain("no worker is held up");
    expect(shown).toContain("outline attempt 2");
    expect(shown).toContain("taken up again 1×");
    expect(shown).toContain("no price");
  });

  test("says why a run failed and what to do", async () => {
    const shown = await text("run-failed");
    expect(shown).toContain("the quota of this key is used up.");
    expect(shown).toContain("Fix: Raise the quota, or set another provider for this run.");
    expect(shown).toContain("Code rate_limited 429 insufficient_quota");
  });

  test("leads to the chat from a failure, where there is a model to ask", async () => {
    expect(await html("run-failed")).toContain('href="/chat?run=01kae9x7m0failed"');
    expect(await failedUpdate(false)).toContain("Ask the chat why");
    expect(await failedUpdate(true)).not.toContain("Ask the chat why");
  });

  test("shows the last results first, and no input among them", async () => {
    const page = await html("run-succeeded");
    const outputs = page.match(/<dl class="values">.*?<\/dl>/s)?.[0] ?? "";
    const names = [...outputs.matchAll(/<dt><code>(.*?)<\/code>/g)].map(([, name]) => name);
    expect(names).toEqual(["word_count", "article", "tags", "research"]);
    // What one step wrote keeps its order.
    const patch = { title: "Tides", outline: ["Sea"] };
    const [done] = steps("succeeded");
    if (done === undefined) throw new Error("no step");
    const result = RunResult({
      run: run("succeeded", { values: patch }),
      steps: [{ ...done, patch }],
    });
    expect((await render(result)).match(/output-[a-z]+(?=")/g)).toEqual([
      "output-title",
      "output-title",
      "output-outline",
      "output-outline",
    ]);
  });
});

describe("SettingsPage()", () => {
  test("never shows a secret, only whether it is set and where it came from", async () => {
    const page = await html("settings");
    const keys = inspect(page).filter(({ attributes }) => attributes["name"] === "key");
    expect(keys.map(({ attributes }) => [attributes["type"], attributes["value"]])).toEqual([
      ["password", undefined],
      ["password", undefined],
      ["password", undefined],
    ]);
    expect(visibleText(page)).toContain(
      "OPENAI_API_KEY Key for OpenAI. Value set, hidden From environment",
    );
  });

  test("shows what a check said", async () => {
    const shown = await text("settings");
    expect(shown).toContain("Check passed: Answered in 412 ms");
    expect(shown).toContain("Check failed: The key was rejected (HTTP 403).");
  });
});

describe("ErrorPage() and LoginPage()", () => {
  test("say what happened and what to do, details on demand", async () => {
    expect(await text("not-found")).toContain(
      "There is no run with this id. Fix: Look for it in the list of runs.",
    );
    expect(await html("error")).toMatch(/<details class="more-details"><summary>Technical details/);
  });

  test("the login keeps where to go, and opens no stream", async () => {
    const page = await html("login");
    expect(page).toContain('<input type="hidden" name="next" value="/runs"/>');
    expect(page).not.toContain("hx-sse:connect");
    expect(visibleText(page)).toContain("This password is wrong.");
  });
});
