/**
 * Goal: what a run did shows on the status, metrics and logs pages of the executable, with script and without.
 * Method: as in flows.test.ts; one product for each mode, the demo answers.
 */
import { expect, test } from "bun:test";
import { createHome, PATIENCE_MS, startAgents } from "../support/agents.ts";
import { isWithoutChromium, launchChromium } from "../views/chromium.ts";
import { openVisit, type Visit } from "./visit.ts";

const skipped = isWithoutChromium("tests/browser/observe.test.ts");

const value = ({ page }: Visit, tile: string) =>
  page.locator(`#tile-${tile} .tile-value`).textContent();

async function runExample(open: Visit): Promise<string> {
  await open.page.goto("/workflows");
  const add = open.page.getByRole("button", { name: "Add example greeting" });
  if (await add.isVisible()) await add.click();
  else await open.page.getByRole("link", { name: "greeting" }).first().click();
  await open.page.waitForURL(/\/workflows\/\w+$/);
  await open.page.fill("#input-name", "Ada");
  await open.page.getByRole("button", { name: "Start run" }).first().click();
  await open.page.waitForURL(/\/runs\/\w+$/);
  await open.page.locator('#run-head[data-phase="final"]').waitFor({ timeout: PATIENCE_MS });
  return new URL(open.page.url()).pathname.split("/").at(-1) ?? "";
}

async function saved(open: Visit, link: string): Promise<string> {
  const [download] = await Promise.all([
    open.page.waitForEvent("download"),
    open.page.getByRole("link", { name: link }).click(),
  ]);
  return Bun.file(await download.path()).text();
}

test.skipIf(skipped).each([
  ["with script", true],
  ["without script", false],
])(
  "a run shows in metrics and logs, which are filtered, followed and saved (%s)",
  async (_, script) => {
    await using home = await createHome();
    await using agents = await startAgents({ home });
    await using browser = await launchChromium();
    await using open = await openVisit({ browser, url: agents.url, script });
    const { page } = open;
    await page.goto("/metrics");
    await page.getByText("Nothing ran in this time").waitFor();
    await open.check("metrics of nothing");
    await page.goto("/logs");
    await page.getByText("[running]").first().waitFor();
    await open.check("logs of services");

    const run = await runExample(open);
    await page.goto("/metrics");
    expect(await value(open, "runs")).toBe("1");
    expect(await value(open, "success")).toBe("100%");
    await page.getByText("Bottleneck:").first().waitFor();
    await page.locator("#chart-runs-table summary").click();
    await open.check("metrics of a run");
    expect(await saved(open, "By workflow as CSV")).toContain(",greeting,1,1,0,0,1,");
    expect(JSON.parse(await saved(open, "By model as JSON"))).toMatchObject({
      models: [{ calls: 1 }],
    });
    await page.locator("select[name=range]").selectOption("custom");
    await page.fill("input[name=from]", "2020-01-02");
    await page.fill("input[name=to]", "2020-01-01");
    await page.getByRole("button", { name: "Show" }).click();
    open.provoked("422 GET /metrics");
    await page.getByText("The last day is before the first.").waitFor();

    await page.goto("/logs");
    await page.locator("#log-source").selectOption("runs");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/source=runs/);
    await page.getByText("[running]").first().waitFor({ state: "detached" });
    await page.locator(`#log-lines a[href="/runs/${run}"]`).first().waitFor();
    await open.check("logs of runs");
    expect(await saved(open, "Download")).toContain(`info ${run}: succeeded`);

    // Another tab starts a run: its lines come here by themselves, or with the next look.
    const other = await open.openTab();
    const next = await runExample(other);
    const line = page.locator(`#log-lines a[href="/runs/${next}"]`);
    const before = open.loadCount;
    if (!script) await page.getByRole("link", { name: "Refresh" }).click();
    await line.first().waitFor();
    if (script) expect(open.loadCount).toBe(before);
    await line.first().click();
    await page.waitForURL(new RegExp(`/runs/${next}$`));
  },
  PATIENCE_MS * 2,
);
