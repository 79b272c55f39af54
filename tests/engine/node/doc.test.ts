/** docs/nodes.md: every kind has its section, and its examples are what the workflow language takes. */
import { expect, test } from "bun:test";
import { AGENT_TIMEOUT_MS } from "../../../src/engine/node/agent.ts";
import { IDEMPOTENCY_VARIABLE } from "../../../src/engine/node/cli.ts";
import { HTTP_TIMEOUT_MS } from "../../../src/engine/node/http.ts";
import { EXECUTORS } from "../../../src/engine/node/registry.ts";
import { ERROR_CODES } from "../../../src/domain/error.ts";
import { parseWorkflow } from "../../../src/language/parse.ts";

const DOC = await Bun.file("docs/nodes.md").text();
const FIELDS = {
  article: "str",
  topic: "str",
  summary: "str",
  tags: "list[str]",
  total: "int",
  found: "object",
  approved: "bool",
  comment: "str",
  by: "str",
};

test("docs/nodes.md has one section for each kind", () => {
  const sections = [...DOC.matchAll(/^## (\w+)$/gm)].map(([, name = ""]) => name);
  expect(sections.toSorted()).toEqual(Object.keys(EXECUTORS).toSorted());
});

test("docs/nodes.md shows nodes of the section's kind that the language takes", () => {
  for (const section of DOC.split(/^## /m)) {
    const kind = section.split("\n")[0] ?? "";
    for (const [, yaml = ""] of section.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const ids = [...yaml.matchAll(/^- id: (\w+)/gm)].map(([, id = ""]) => id);
      const source = JSON.stringify({
        schema_version: "1.0",
        flow: { name: "test" },
        state: {
          fields: Object.fromEntries(
            Object.entries(FIELDS).map(([name, type]) => [name, { type }]),
          ),
        },
        nodes: Bun.YAML.parse(yaml),
        edges: ["START", ...ids].map((from, index) => ({ from, to: ids[index] ?? "END" })),
      });
      const { workflow, problems } = parseWorkflow(source, {
        format: "json",
        knownTools: ["web_search"],
      });
      expect([kind, problems.filter(({ severity }) => severity === "error")]).toEqual([kind, []]);
      expect(workflow?.nodes.map((node) => node.kind)).toEqual(ids.map(() => kind as never));
    }
  }
});

test("docs/nodes.md names limits and error codes that exist", () => {
  expect(DOC).toContain(`no answer in ${HTTP_TIMEOUT_MS / 1_000} s`);
  expect(DOC).toContain(`${AGENT_TIMEOUT_MS / 60_000} minutes`);
  expect(DOC).toContain(IDEMPOTENCY_VARIABLE);
  const named = [
    ...DOC.matchAll(
      /`((?:[a-z]+_(?:failed|limited|invalid|key|rejected|reached|unavailable|found)))`/g,
    ),
  ];
  const codes = named.map(([, code = ""]) => code);
  expect(codes.filter((code) => !(code in ERROR_CODES))).toEqual([]);
  expect(codes.length).toBeGreaterThan(10);
});
