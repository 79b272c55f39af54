import { describe, expect, test } from "bun:test";
import { RunSteps } from "../../../views/part/run-steps.tsx";
import { spansOf } from "../../../views/part/run-spans.ts";
import { ITEM_COUNT_MAX } from "../../../views/part/step-item.tsx";
import { momentText } from "../../../views/part/time.tsx";
import { NOW, step } from "../fixtures.ts";
import { GRAPH_RUNS, mapSteps } from "../graph-fixtures.ts";
import { inspect } from "../inspect.ts";
import { text } from "../pages.tsx";

/** A page of this size still opens at once. */
const HTML_CHARS_MAX = 600_000;

function detailOf(name: string) {
  const detail = GRAPH_RUNS[name];
  if (detail === undefined) throw new Error(`no run ${name}`);
  return { ...detail, now: NOW };
}

function ids(html: string): string[] {
  return inspect(html).flatMap(({ tag, attributes }) =>
    tag === "li" && attributes["id"] !== undefined ? [attributes["id"]] : [],
  );
}

describe("RunSteps()", () => {
  test("folds a thousand items under their map, the failed ones before others, and says so", async () => {
    const html = await text(<RunSteps {...detailOf("run-map")} />);
    const items = ids(html).filter((id) => id.includes("_5b_"));
    expect(items).toHaveLength(ITEM_COUNT_MAX);
    expect(items[0]).toBe("step-rate_5b_6_5d_-1");
    expect(html).toContain("998 of 1,000 items, 142 failed");
    expect(html).toContain("50 of 1,000 are shown");
    expect(html).toContain("998/1,000, 142 failed");
    expect(html.length).toBeLessThan(HTML_CHARS_MAX);
    expect(html).not.toContain("<details open");
  });

  test("shows all items of a small map, in their order", async () => {
    const html = await text(<RunSteps {...detailOf("run-graph")} />);
    const items = ids(html).filter((id) => id.includes("_5b_"));
    expect(items).toEqual(Array.from({ length: 12 }, (_, index) => `step-rate_5b_${index}_5d_-1`));
    expect(html).not.toContain("are shown");
  });

  test("cuts long values of items, not those of steps", async () => {
    const long = "x".repeat(5_000);
    const [map, item] = mapSteps(1, false);
    if (map === undefined || item === undefined) throw new Error("no map");
    const steps = [map, { ...item, patch: { stars: long } }, step("figures", { input: long })];
    const html = await text(<RunSteps {...detailOf("run-graph")} steps={steps} calls={[]} />);
    expect(html.match(/x{500,}/g)?.map((part) => Math.ceil(part.length / 1_000))).toEqual([1, 5]);
  });

  test("gives only the newest of many rounds a card, with those before it folded", async () => {
    const html = await text(<RunSteps {...detailOf("run-long")} />);
    const cards = inspect(html).filter(({ attributes }) => attributes["class"] === "node-item");
    expect(cards.map(({ attributes }) => attributes["id"])).toEqual(["step-improve_23_300-1"]);
    expect(html).toContain("299 attempts");
    expect(html).toContain("Failed, round 300".replace("Failed", "Succeeded"));
    expect(html.length).toBeLessThan(HTML_CHARS_MAX);
  });

  test("links a step with the run that it has started", async () => {
    const html = await text(<RunSteps {...detailOf("run-inner")} />);
    expect(html.match(/href="\/runs\/01kae9x7minner00"/g)).toHaveLength(1);
  });
});

test("spansOf() draws the items of a small map and only the map of a large one", () => {
  const names = (name: string) => spansOf(detailOf(name)).map((span) => span.name);
  expect(names("run-map")).toEqual(["rate"]);
  expect(names("run-graph").slice(0, 3)).toEqual(["rate", "rate[0]", "rate[1]"]);
  expect(names("run-graph").slice(-2)).toEqual(["improve#2", "ask"]);
  expect(spansOf(detailOf("run-graph")).at(-1)).toMatchObject({ kind: "wait", open: true });
});

test("momentText() has the date when it is another day", () => {
  const noon = new Date(2026, 10, 20, 12, 0, 0).getTime();
  const later = new Date(2026, 10, 20, 18, 30, 5).getTime();
  const next = new Date(2026, 11, 4, 9, 5, 0).getTime();
  expect([momentText(later, noon), momentText(next, noon)]).toEqual([
    "18:30:05",
    "2026-12-04 09:05",
  ]);
});
