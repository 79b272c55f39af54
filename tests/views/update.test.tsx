import { describe, expect, test } from "bun:test";
import type { RunEvent } from "../../src/domain/event.ts";
import { RunUpdate } from "../../views/run.tsx";
import { StatusPage, statusParts, StatusUpdate } from "../../views/status.tsx";
import {
  calls,
  DRAWING,
  events,
  HOSTILE,
  NOW,
  run,
  shell,
  STATUS_EMPTY,
  STATUS_FULL,
  steps,
  WORKFLOW,
} from "./fixtures.ts";
import { text } from "./pages.tsx";

const newestLine = (key: string) =>
  `run-log-lines &gt; :nth-last-child(1 of [data-text=${key}]) &gt; .stream beforeend`;

const targets = (html: string) =>
  [...html.matchAll(/<hx-partial hx-target="#([^"]+)" hx-swap="(\w+)">/g)].map(
    ([, target, swap]) => `${target} ${swap}`,
  );

function update(list: readonly RunEvent[], withSteps = false): Promise<string> {
  const item = run("running");
  return text(
    <RunUpdate
      run={item}
      steps={steps("running")}
      calls={calls("running")}
      events={events(item.id, list)}
      workflow={WORKFLOW}
      drawing={DRAWING}
      approvals={[]}
      descendants={[]}
      now={NOW}
      withSteps={withSteps}
    />,
  );
}

const delta = (call: number, piece: string): RunEvent => ({
  type: "model.delta",
  step: "draft#2[5]",
  attempt: 1,
  call,
  text: piece,
});

async function partsOf(status: typeof STATUS_FULL): Promise<string[]> {
  return targets(await text(<StatusUpdate parts={statusParts(status)} events={status.events} />));
}

function facesOf(status: typeof STATUS_FULL): ReadonlyMap<string, string> {
  return new Map(statusParts(status).map(({ name, face }) => [name, face]));
}

describe("StatusUpdate()", () => {
  test("renders every live part of the page, and lines only when there are new ones", async () => {
    const names = [
      "alerts",
      ...["failed", "active", "success", "tokens", "cost"].map((id) => `tile-${id}`),
      "runs",
      "services",
      "resources",
    ];
    const parts = names.map((name) => `${name} outerMorph`);
    expect(await partsOf(STATUS_FULL)).toEqual([...parts, "log-lines beforeend"]);
    expect(await partsOf(STATUS_EMPTY)).toEqual(parts);
    const page = await text(<StatusPage shell={shell()} status={STATUS_EMPTY} />);
    for (const name of [...names, "banners", "log-lines"]) expect(page).toContain(`id="${name}"`);
  });

  test("a part keeps its face while nothing of it has changed", () => {
    const before = facesOf(STATUS_FULL);
    const changed = (status: Partial<typeof STATUS_FULL>) =>
      [...facesOf({ ...STATUS_FULL, ...status })]
        .filter(([name, face]) => before.get(name) !== face)
        .map(([name]) => name);
    expect(changed({ now: STATUS_FULL.now + 60_000, events: [] })).toEqual([]);
    expect(changed({ queueDepth: 4 })).toEqual(["tile-active"]);
    expect(changed({ approvals: [], held: [] })).toEqual(["alerts"]);
    expect(changed({ services: [] })).toEqual(["alerts", "services"]);
    expect(changed({ resources: STATUS_FULL.resources.slice(1) })).toEqual(["resources"]);
  });
});

describe("RunUpdate()", () => {
  test("renders the live parts and appends the new lines", async () => {
    expect(targets(await update([{ type: "run.started", worker: "worker-1" }]))).toEqual([
      "run-head outerMorph",
      "run-needs outerMorph",
      "run-result outerMorph",
      "run-steps outerMorph",
      "run-relatives outerMorph",
      "run-state outerMorph",
      "run-log-lines beforeend",
    ]);
  });

  test("joins pieces per call, appends them to a line that is on the page, and leaves the steps out", async () => {
    const html = await update([delta(0, "Once "), delta(1, "No"), delta(0, "upon ")]);
    expect(targets(html)).toEqual([
      "run-head outerMorph",
      newestLine("run-text-draft_23_2_5b_5_5d_-1-0"),
      newestLine("run-text-draft_23_2_5b_5_5d_-1-1"),
    ]);
    expect(html).toContain('hx-swap="beforeend">Once upon </hx-partial>');
    const withSteps = targets(await update([delta(0, "Once ")], true));
    expect(withSteps).toContain("run-steps outerMorph");
  });

  test("puts pieces into their line when the line is in the same message", async () => {
    const started: RunEvent = {
      type: "model.started",
      step: "draft#2[5]",
      attempt: 1,
      call: 0,
      provider: "demo",
      model: "demo",
    };
    const html = await update([started, delta(0, "Once")]);
    expect(targets(html).filter((target) => target.includes("run-text"))).toEqual([]);
    expect(html).toContain('data-text="run-text-draft_23_2_5b_5_5d_-1-0"');
    expect(html).toContain('<pre class="stream">Once</pre>');
    // A call that was cut off by a crash is made again: its second line begins with nothing.
    const again = await update([started, delta(0, "On"), started, delta(0, "Once")]);
    expect(again.match(/<pre class="stream">\w*<\/pre>/g)).toEqual([
      '<pre class="stream">On</pre>',
      '<pre class="stream">Once</pre>',
    ]);
  });

  test("escapes what the model says, so that it cannot make parts of its own", async () => {
    const html = await update([delta(0, `</hx-partial><hx-partial hx-target="body">${HOSTILE}`)]);
    expect(targets(html)).toHaveLength(2);
    expect(html).not.toContain("<script");
  });
});
