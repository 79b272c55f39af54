import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { staleFiles } from "../../scripts/generate.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { GLOBAL_FLAGS, type FlagDefinitions } from "../../src/cli/flag.ts";
import { envText } from "../../src/config/env-text.ts";
import { VARIABLES } from "../../src/config/schema.ts";
import { parseEnvFile, updateEnvText } from "../../src/lib/env-file.ts";

test(".env.example and docs/cli.md are what the code makes of them", async () => {
  expect(await staleFiles(resolve(import.meta.dir, "../.."))).toEqual([]);
});

test("envText() sets nothing by itself and has a line for every variable", () => {
  expect(parseEnvFile(envText())).toEqual({ entries: [], malformed: [] });
  const all = Object.fromEntries(VARIABLES.map(({ name }) => [name, "x"]));
  const updated = updateEnvText(envText(), all);
  expect(updated.split("\n").length).toBe(envText().split("\n").length);
  expect(parseEnvFile(updated).entries.map(({ name }) => name)).toEqual(
    VARIABLES.map(({ name }) => name),
  );
});

test("every variable that names a flag is set by it, and every flag's variable names it", () => {
  const definitions: FlagDefinitions[] = [
    GLOBAL_FLAGS,
    ...COMMANDS.map(({ definition }) => definition.flags),
  ];
  const fromFlags = definitions.flatMap((flags) =>
    Object.entries(flags).flatMap(([name, flag]) =>
      "variable" in flag && flag.variable !== undefined ? [`${flag.variable} --${name}`] : [],
    ),
  );
  const fromVariables = VARIABLES.flatMap(({ name, info }) =>
    info.flag === undefined ? [] : [`${name} ${info.flag}`],
  );
  expect([...new Set(fromFlags)].toSorted()).toEqual(fromVariables.toSorted());
});
