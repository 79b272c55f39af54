import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { completionScript } from "../../src/cli/completion.ts";
import { SHELLS } from "../../src/cli/definition.ts";
import { COMMANDS } from "../../src/cli/registry.ts";

const definitions = COMMANDS.map(({ definition }) => definition);

/** `test`, or its skipping form, loudly, where the shell is not installed. */
function testIn(shell: string) {
  if (Bun.which(shell) !== null) return test;
  console.warn(`SKIPPED: ${shell} is not installed, so its completion script is not tried.`);
  return test.skip;
}

const inBash = testIn("bash");
const inZsh = testIn("zsh");
const inFish = testIn("fish");
const inPowerShell = testIn("pwsh");

async function runShell(shell: string, argv: readonly string[]): Promise<string> {
  const child = Bun.spawn([shell, ...argv], { stdout: "pipe", stderr: "pipe" });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(errors).toBe("");
  expect(await child.exited).toBe(0);
  return out;
}

async function withScript<T>(
  shell: (typeof SHELLS)[number],
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "agents-completion-"));
  try {
    const path = join(folder, "script");
    await Bun.write(path, completionScript(shell, definitions));
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("completionScript()", () => {
  inBash("for bash is valid to it", async () => {
    await withScript("bash", (path) => runShell("bash", ["-n", path]));
  });

  inZsh("for zsh is valid to it", async () => {
    await withScript("zsh", (path) => runShell("zsh", ["-n", path]));
  });

  inFish("for fish is valid to it", async () => {
    await withScript("fish", (path) => runShell("fish", ["-n", path]));
  });

  inPowerShell("for PowerShell is valid to it", async () => {
    await withScript("powershell", (path) =>
      runShell("pwsh", ["-NoProfile", "-Command", `. '${path}'`]),
    );
  });

  inBash.each([
    [
      ["agents", "st"],
      ["start", "stop", "status"],
    ],
    [
      ["agents", "start", "--mlf"],
      ["--mlflow", "--mlflow-port"],
    ],
    [
      ["agents", "run", "--provider", "o"],
      ["openai", "ollama", "openai-compatible"],
    ],
    [
      ["agents", "completion", ""],
      ["bash", "zsh", "fish", "powershell"],
    ],
    [["agents", "--verbose", "runs", "--state", "f"], ["failed"]],
  ])("bash completes %o", async (words, expected) => {
    const out = await withScript("bash", (path) =>
      runShell("bash", [
        "-c",
        `source '${path}'; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); ` +
          `COMP_CWORD=${words.length - 1}; _agents; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ]),
    );
    expect(out.trim().split("\n")).toEqual(expected);
  });

  inBash("bash completes a path with spaces as one word", async () => {
    const out = await withScript("bash", async (path) => {
      await Bun.write(join(dirname(path), "my flow.yaml"), "");
      return await runShell("bash", [
        "-c",
        `source '${path}'; cd '${dirname(path)}'; COMP_WORDS=(agents run my); COMP_CWORD=2; _agents; ` +
          `printf '%s\\n' "\${COMPREPLY[@]}"`,
      ]);
    });
    expect(out).toBe("my flow.yaml\n");
  });

  inFish.each([
    ["agents st", ["start", "status", "stop"]],
    ["agents run --provider o", ["ollama", "openai", "openai-compatible"]],
  ])("fish completes %o", async (line, expected) => {
    const out = await withScript("fish", (path) =>
      runShell("fish", ["--no-config", "-c", `source '${path}'; complete -C '${line}'`]),
    );
    const words = out
      .trim()
      .split("\n")
      .map((row) => row.split("\t")[0] ?? "");
    expect(words.toSorted()).toEqual(expected);
  });

  test.each(SHELLS)("for %s knows no hidden command", (shell) => {
    const script = completionScript(shell, definitions);
    expect(script).not.toMatch(/\bguard\b|^\s*worker\b/m);
    expect(script).toContain("doctor");
  });
});
