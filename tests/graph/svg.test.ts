import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../src/domain/error.ts";
import { START } from "../../src/domain/workflow.ts";
import { DRAWN_NODE_COUNT_MAX } from "../../src/graph/layout.ts";
import { toSvg } from "../../src/graph/svg.ts";
import { graphs, waitNode, workflowOf } from "./random-graph.ts";

const TOKEN =
  /<\/(?<close>[a-z]+)>|<(?<open>[a-z]+)(?<attributes>(?: [\w:-]+="(?:[^"<&]|&(?:amp|lt|gt|quot);)*")*)(?<empty>\/?)>|(?<text>(?:[^<&]|&(?:amp|lt|gt|quot);)+)/gy;

/** The elements and texts of an XML document; throws where it is not well-formed. */
function readXml(xml: string): { names: string[]; texts: string[] } {
  const names: string[] = [];
  const texts: string[] = [];
  const open: string[] = [];
  let end = 0;
  for (const { 0: token, index, groups = {} } of xml.matchAll(TOKEN)) {
    if (index !== end) break;
    end = index + token.length;
    const { close, text } = groups;
    if (close !== undefined && open.pop() !== close) throw new Error(`</${close}> closes nothing`);
    if (text !== undefined) texts.push(text);
    if (groups["open"] === undefined) continue;
    names.push(groups["open"]);
    if (groups["empty"] === "") open.push(groups["open"]);
  }
  if (end !== xml.length) throw new Error(`not well-formed: ${xml.slice(end, end + 80)}`);
  if (open.length > 0) throw new Error(`<${open.join("><")}> are not closed`);
  return { names, texts };
}

test("toSvg() of any graph is well-formed, with every text escaped and no script or address", () => {
  fc.assert(
    fc.property(graphs, (workflow) => {
      const svg = toSvg({ ...workflow, name: `<img src=x onerror="alert('&')">` });
      const { names } = readXml(svg);
      const known = new Set([
        "circle",
        "defs",
        "g",
        "marker",
        "path",
        "rect",
        "style",
        "svg",
        "text",
        "title",
      ]);
      expect(names.filter((name) => !known.has(name))).toEqual([]);
      expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
        /https?:|href=| on\w+=(?!&)/,
      );
    }),
  );
});

test("toSvg() names every node in its title, however long", () => {
  const id = "a".repeat(60);
  const svg = toSvg(workflowOf([waitNode(id)], [{ kind: "to", from: START, to: [id] }]));
  const { texts } = readXml(svg);
  expect(texts).toContain(id);
  expect(texts).toContain(`${"a".repeat(19)}…`);
});

test("toSvg() of too many nodes says what to do instead", () => {
  const ids = Array.from({ length: DRAWN_NODE_COUNT_MAX + 1 }, (_, index) => `n${index}`);
  const workflow = workflowOf(
    ids.map((id) => waitNode(id)),
    [{ kind: "to", from: START, to: ids }],
  );
  expect(() => toSvg(workflow)).toThrow(AppError);
});
