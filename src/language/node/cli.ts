import type { CliNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import { readVariableTexts } from "../address.ts";
import { listOf, member, textOf } from "../raw.ts";
import { readSandbox } from "../sandbox.ts";
import { checkTemplate, type TextPlace } from "../text-check.ts";
import { checkTextOutput, type NodeContext, type NodePart, type Own } from "./part.ts";

export function readCliNode(part: NodePart, context: NodeContext): Own<CliNode> {
  const { raw, path, locals } = part;
  const cli = member(raw, "cli");
  const at = [...path, "cli"];
  const prompt = textOf(member(raw, "prompt"));
  if (prompt !== undefined) checkTemplate(prompt, { path: [...path, "prompt"], locals }, context);
  const response = readResponse(member(cli, "response"), part);
  if (response === "text") checkTextOutput(part, context.reporter);
  const folder = textOf(member(cli, "folder"));
  checkFolder(folder, { path: [...at, "folder"], locals }, context);
  return {
    kind: "cli",
    command: readCommand(cli, { part, hasPrompt: prompt !== undefined }, context),
    env: readVariableTexts(member(cli, "env"), { path: [...at, "env"], locals }, context),
    response,
    sandbox: readSandbox(raw, path, context.reporter),
    ...defined({ prompt, folder }),
  };
}

/** Without a word about it, text when one text is wanted, and JSON for anything else. */
function readResponse(stated: Json | undefined, { outputs }: NodePart): CliNode["response"] {
  if (stated === "json" || stated === "text") return stated;
  const [only, second] = outputs;
  const isText = only === undefined || only.type.kind === "str" || only.type.kind === "any";
  return isText && second === undefined ? "text" : "json";
}

function readCommand(
  cli: Json | undefined,
  { part, hasPrompt }: { part: NodePart; hasPrompt: boolean },
  context: NodeContext,
): string[] {
  const path = [...part.path, "cli", "command"];
  const command = listOf(member(cli, "command")).flatMap((word) =>
    typeof word === "string" ? [word] : [],
  );
  const locals = new Map(part.locals);
  if (hasPrompt) locals.set("prompt", { kind: "str" });
  for (const [index, word] of command.entries())
    checkTemplate(word, { path: [...path, index], locals }, context);
  const [program] = command;
  if (program === undefined || /^\S+$/.test(program)) return command;
  const report = program.trim() === "" ? context.reporter.error : context.reporter.warning;
  report([...path, 0], {
    code: "bad-value",
    message:
      program.trim() === ""
        ? "The first entry of `command` is the program, and it is blank."
        : `\`${program}\` is taken as the name of one program, with its spaces.`,
    fix: "Write the program and each argument as an entry of its own.",
  });
  return command;
}

function checkFolder(folder: string | undefined, place: TextPlace, context: NodeContext): void {
  if (folder === undefined) return;
  checkTemplate(folder, place, context);
  if (!/^[/\\]|^[a-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)/i.test(folder)) return;
  context.reporter.error(place.path, {
    code: "bad-value",
    message: `\`${folder}\` leads out of the workspace.`,
    fix: "Write a folder inside the workspace, such as `reports`.",
  });
}
