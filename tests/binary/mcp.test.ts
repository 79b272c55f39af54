/**
 * Goal: the executable calls tools of an MCP server; what they give is checked by the schemas of that server.
 * Method: the executable runs a workflow whose steps call a server on stdio that was written with the official SDK.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { dirname, join } from "node:path";
import { createHome, PATIENCE_MS, runAgents } from "../support/agents.ts";

setDefaultTimeout(PATIENCE_MS);

const SERVER = join(import.meta.dir, "../mcp/fixture/stdio-server.ts");

test("a tool's typed result, checked by the server's schema, goes into the state", async () => {
  await using home = await createHome();
  const file = join(home.path, "sum.yaml");
  await Bun.write(
    file,
    `schema_version: "1.0"
flow: { name: typed_tools }
config:
  mcp_servers:
    local: { command: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(SERVER)}] }
state:
  fields:
    given: { type: object }
nodes:
  - id: ask
    tool: { name: local.data }
    outputs: [given]
edges:
  - { from: START, to: ask }
  - { from: ask, to: END }
`,
  );
  const env = { ALLOWED_COMMANDS: process.execPath, PATH: dirname(process.execPath) };
  const run = await runAgents(["run", file, "--json"], { home, env });
  expect(run.stderr).toBe("");
  expect(JSON.parse(run.stdout)).toMatchObject({
    state: "succeeded",
    values: { given: { list: [1, 2] } },
  });
});
