import { describe, expect, test } from "bun:test";
import { RUN, START, VALIDATE, LOGS } from "../../src/cli/definition.ts";
import { GUARD } from "../../src/cli/internal-definition.ts";
import type { CommandDefinition } from "../../src/cli/flag.ts";
import { parseArguments, splitCommand, unknownCommand } from "../../src/cli/parse.ts";
import { AppError } from "../../src/domain/error.ts";

/** The flags that were given. */
function parse(command: CommandDefinition, ...argv: string[]) {
  const { flags, positionals, variables } = parseArguments(command, argv);
  const given = Object.entries(flags).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return { flags: Object.fromEntries(given), positionals, variables };
}

function failure(command: CommandDefinition, ...argv: string[]): string {
  try {
    parseArguments(command, argv);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message} ${error.fix}`;
  }
  throw new Error("expected a failure");
}

describe("parseArguments()", () => {
  test("reads values after a space and after =, shorts, lists and positionals in any order", () => {
    expect(
      parse(RUN, "-i", "a=b=c", "file.yaml", "--input=d=", "--provider", "demo", "--json"),
    ).toEqual({
      flags: { input: ["a=b=c", "d="], provider: "demo", json: true },
      positionals: ["file.yaml"],
      variables: {},
    });
    expect(parse(LOGS, "-fn50".slice(0, 2), "-n50", "worker-1").flags).toEqual({
      follow: true,
      lines: 50,
    });
  });

  test("flags that set variables say how they were typed", () => {
    expect(parse(START, "--port", "0", "--no-mlflow", "--open", "--verbose").variables).toEqual({
      AGENTS_PORT: { flag: "--port", value: "0" },
      AGENTS_MLFLOW: { flag: "--no-mlflow", value: "off" },
      AGENTS_OPEN: { flag: "--open", value: "on" },
      AGENTS_VERBOSE: { flag: "--verbose", value: "on" },
    });
  });

  test("everything after -- is positional, also what looks like a flag", () => {
    expect(parse(GUARD, "--", "sleep", "--port", "-x").positionals).toEqual([
      "sleep",
      "--port",
      "-x",
    ]);
    expect(parse(RUN, "--", "--file").positionals).toEqual(["--file"]);
    expect(parse(RUN, "-").positionals).toEqual(["-"]);
  });

  test.each([
    [START, ["--prot", "1"], "no flag --prot. Did you mean --port?"],
    [START, ["--no-mlfow"], "no flag --no-mlfow. Did you mean --no-mlflow?"],
    [START, ["--no-port"], "no flag --no-port."],
    [START, ["-x"], "no flag -x. Run `agents help start` for its flags."],
    [START, ["--port"], "--port needs a value: --port PORT."],
    [START, ["--port", "--open"], "--port needs a value: --port PORT."],
    [START, ["--open=yes"], "--open takes no value."],
    [START, ["now"], '`agents start` does not take "now".'],
    [RUN, [], "`agents run` needs FILE."],
    [RUN, ["a", "b"], '`agents run` does not take "b".'],
    [RUN, ["a", "--provider", "opnai"], "Did you mean openai? Choose one of openai, anthropic"],
    [LOGS, ["-n", "0"], '-n is "0". Give a whole number above 0.'],
    [VALIDATE, [], "`agents validate` needs FILE."],
  ] as [CommandDefinition, string[], string][])("refuses %o", (command, argv, text) => {
    const message = failure(command, ...argv);
    expect(message).toStartWith("usage: ");
    expect(message).toContain(text);
  });

  test("--help wins over what is missing", () => {
    expect(parse(RUN, "--help").flags).toEqual({ help: true });
  });
});

describe("splitCommand()", () => {
  test.each([
    [[], undefined, []],
    [["run", "a", "b"], "run", ["a", "b"]],
    [["--port", "80"], undefined, ["--port", "80"]],
    [["--data-dir", "d", "--verbose", "run", "a"], "run", ["--data-dir", "d", "--verbose", "a"]],
    [["--data-dir=d", "run"], "run", ["--data-dir=d"]],
    [["-h"], undefined, ["-h"]],
  ] as [string[], string | undefined, string[]][])("%o is %o with %o", (argv, name, rest) => {
    expect(splitCommand(argv)).toEqual({ name, rest });
  });
});

test("unknownCommand() names the nearest, and none when nothing is near", () => {
  expect(unknownCommand("strat", ["start", "stop"]).fix).toBe(
    "Did you mean `agents start`? `agents help` lists all commands.",
  );
  expect(unknownCommand("xyz", ["start", "stop"]).fix).toBe("Run `agents help` for the commands.");
});
