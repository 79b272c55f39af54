import { describe, expect, test } from "bun:test";
import { formatFailure, reportError } from "../../src/cli/error.ts";
import { AppError, ERROR_CODES } from "../../src/domain/error.ts";
import { expectGolden, expectNarrow } from "./golden.ts";
import { createTestTerminal } from "./terminal.ts";

const FAILURES: AppError[] = [
  new AppError("port_in_use", "Port 7861 is in use by node (process 4711).", {
    fix: "Stop that program, or start with --port 7862.",
  }),
  new AppError("cancelled", "Setup was cancelled; nothing was changed."),
  new AppError(
    "forbidden",
    "The dashboard would be open to other machines on 0.0.0.0, and no administrator password is set.",
    { fix: "Run `agents password` to set one, or leave out --host." },
  ),
  new AppError(
    "config_invalid",
    '2 settings are not valid:\n  AGENTS_PORT is "x" (--port); expected a whole number from 0 to 65535.\n  AGENTS_PROVIDER is "opnai" (environment); expected one of openai, anthropic, google, ollama, openai-compatible, demo.',
    { fix: "Correct or remove these settings." },
  ),
];

test("failures at 80 columns are as in the golden file", async () => {
  const text = FAILURES.map((failure) => {
    const { terminal, errors } = createTestTerminal();
    expect(reportError(failure, terminal, false)).toBe(ERROR_CODES[failure.code].exit);
    return errors();
  }).join("\n");
  expectNarrow(text);
  await expectGolden("errors.txt", text);
});

describe("reportError()", () => {
  test("says nothing of an unknown error but where to find out, and exits 70", () => {
    const { terminal, errors, written } = createTestTerminal();
    expect(reportError(new TypeError("secret detail"), terminal, false)).toBe(70);
    expect(errors()).toBe(
      "error: Internal error.\nFix: Run again with --verbose for the technical details.\n",
    );
    expect(written()).toBe("");
  });

  test("shows the chain of causes under --verbose", () => {
    const { terminal, errors } = createTestTerminal();
    const cause = new Error("outer", { cause: new Error("inner") });
    reportError(new AppError("disk_full", "The disk is full.", { cause }), terminal, true);
    expect(errors()).toStartWith(
      "error: The disk is full.\nDetails:\n  code: disk_full\n  cause: outer\n  cause: Error: inner\n",
    );
  });
});

test("formatFailure() colours only when asked to", () => {
  const record = { code: "disk_full", message: "The disk is full.", fix: "Free some." } as const;
  expect(formatFailure(record, { columns: 80, color: false })).not.toContain("\u001B");
  expect(formatFailure(record, { columns: 80, color: true })).toContain("\u001B[31merror:");
});
