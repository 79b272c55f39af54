/** A node that runs one command: an AI coding CLI, or any program that takes a prompt and prints an answer. */
import { AppError } from "../../domain/error.ts";
import type { CommandResult } from "../../domain/sandbox.ts";
import type { CliNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import { lastJson } from "../../lib/last-json.ts";
import type { Mask } from "../../lib/mask.ts";
import { placeholders, renderTemplate, type TemplateScope } from "../../language/template.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { maskedError } from "./masked-error.ts";
import { callOutside, type OutsideCallKit } from "./outside-call.ts";
import { toPatch } from "./result.ts";
import { fillVariables, renderVariableTexts, type VariableTexts } from "./variable-text.ts";

/** Environment variable with the key that stays the same when the command is run again. */
export const IDEMPOTENCY_VARIABLE = "AGENTS_IDEMPOTENCY_KEY";
/** What an error shows of a failed command's last words. */
const ERROR_LINE_COUNT = 5;
const ERROR_CHARS = 500;

type CliInput = {
  readonly command: readonly string[];
  readonly stdin?: string;
  readonly env: VariableTexts;
  readonly folder?: string;
};

export const cliNode: NodeExecutor<CliNode, CliInput> = {
  render: (node, scope) => {
    const prompt = node.prompt === undefined ? undefined : renderTemplate(node.prompt, scope);
    const inside = prompt === undefined ? scope : { ...scope, locals: { ...scope.locals, prompt } };
    const stdin = node.command.some(takesPrompt) ? undefined : prompt;
    return {
      command: node.command.map((entry) => renderTemplate(entry, inside)),
      ...defined({ stdin, folder: renderFolder(node, scope) }),
      env: renderVariableTexts(node.env, scope),
    };
  },
  execute: async (node, input, step) => {
    const result = await callOutside(step, { ordinal: 0, name: "cli", input }, (kit) =>
      run(node, step, { input, kit }),
    );
    return { patch: toPatch(node, result, "The command's answer") };
  },
};

function takesPrompt(entry: string): boolean {
  return placeholders(entry).some(({ path, fromState }) => !fromState && path[0] === "prompt");
}

function renderFolder({ folder }: CliNode, scope: TemplateScope): string | undefined {
  return folder === undefined ? undefined : renderTemplate(folder, scope);
}

interface Run {
  readonly input: CliInput;
  readonly kit: OutsideCallKit;
}

async function run(node: CliNode, step: StepContext, { input, kit }: Run): Promise<Json> {
  const { command, stdin, folder } = input;
  const { texts, mask } = fillVariables(input.env, step.variable);
  const env = { [IDEMPOTENCY_VARIABLE]: kit.idempotencyKey, ...texts };
  const output = maskedOutput(mask, kit.onOutput);
  try {
    const result = await step.commands.run(
      {
        command,
        ...defined({ stdin, folder }),
        env,
        signal: step.signal,
        onOutput: output.take,
      },
      node.sandbox,
    );
    if (result.exitCode !== 0) throw failed(command, result);
    return mask.value(readAnswer(node, result));
  } catch (error) {
    throw maskedError(error, mask, step.signal);
  } finally {
    output.end();
  }
}

/** A secret may come in two pieces, each harmless. */
function maskedOutput(mask: Mask, onOutput: OutsideCallKit["onOutput"]) {
  const streams = { stdout: mask.stream(), stderr: mask.stream() };
  return {
    take: (stream: "stdout" | "stderr", text: string) =>
      onOutput(stream, streams[stream].push(text)),
    end: () => {
      onOutput("stdout", streams.stdout.end());
      onOutput("stderr", streams.stderr.end());
    },
  };
}

function readAnswer({ response }: CliNode, { stdout, cut }: CommandResult): Json {
  if (response === "text") return stdout.trimEnd();
  const json = lastJson(stdout);
  if (json !== undefined) return json;
  const why = cut ? " It was longer than what is kept." : "";
  throw new AppError(
    "output_invalid",
    stdout.trim() === ""
      ? "The command printed nothing; JSON was expected."
      : `There is no JSON in what the command printed.${why}`,
    { fix: "Let the command print JSON, or give the node `response: text`.", cause: tail(stdout) },
  );
}

function failed(command: readonly string[], { exitCode, stdout, stderr }: CommandResult): AppError {
  const how = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  const words = tail(stderr.trim() === "" ? stdout : stderr);
  return new AppError(
    "command_failed",
    `\`${command[0] ?? ""}\` ${how}${words === "" ? "." : `: ${words}`}`,
    { fix: "Run the command by hand to see what it needs." },
  );
}

function tail(text: string): string {
  const lines = text.trim().split(/\r?\n/).slice(-ERROR_LINE_COUNT).join("\n");
  return lines.length <= ERROR_CHARS ? lines : `…${lines.slice(-ERROR_CHARS).toWellFormed()}`;
}
