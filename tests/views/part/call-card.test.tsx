import { expect, test } from "bun:test";
import { HASH } from "../call-fixtures.tsx";
import { inspect, visibleText } from "../inspect.ts";
import { PAGES } from "../pages.tsx";

async function html(name: string): Promise<string> {
  const page = PAGES.find((candidate) => candidate.name === name);
  if (page === undefined) throw new Error(`no page ${name}`);
  return page.render("auto");
}

test("CallCard() has buttons of the form that has the token, only for what waits for a person", async () => {
  const page = await html("chat-calls");
  const buttons = inspect(page).filter(({ attributes }) => attributes["form"] === "call-form");
  expect(buttons.map(({ attributes }) => [attributes["name"], attributes["value"]])).toEqual([
    ["decision", `2-5-approve-${HASH}`],
    ["decision", "2-5-decline"],
    ["decision", "2-6-approve-new"],
    ["decision", "2-6-decline"],
    ["decision", `2-7-approve-${HASH}`],
    ["decision", "2-7-decline"],
    ["decision", `2-8-approve-${HASH}`],
    ["decision", "2-8-decline"],
    // What can no longer be done can only be declined.
    ["decision", "2-9-decline"],
  ]);
  expect(await html("chat-calls-decided")).not.toContain('name="decision"');
  expect(await html("chat-calls-degraded")).not.toContain('name="decision"');
});

test("CallCard() says what was looked at, what is asked for, and what became of it", async () => {
  const open = visibleText(await html("chat-calls"));
  for (const words of [
    "Looked at the run 000042",
    "Read the workflow artcle: it failed",
    "Save article_writer as version 3 needs your decision",
    "Save the new workflow article_writer",
    "Cost: about $0.0123 ($0.0098 to $0.0201), from 14 runs",
    "Cost: price not known",
    "There is no workflow article.",
  ])
    expect(open).toContain(words);
  const decided = visibleText(await html("chat-calls-decided"));
  for (const words of ["approved and done", "approved, under way", "declined", "not done"])
    expect(decided).toContain(words);
});

test("CallCard() links only to pages of the product", async () => {
  const links = inspect(await html("chat-calls-hostile")).flatMap(({ tag, attributes }) =>
    tag === "a" ? [attributes["href"] ?? ""] : [],
  );
  expect(links.filter((href) => /^(?:javascript|data):/i.test(href))).toEqual([]);
});
