import type { LlmNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import { readMemory } from "../memory.ts";
import { listOf, member, textOf } from "../raw.ts";
import { readLlm } from "../settings.ts";
import { checkTemplate } from "../text-check.ts";
import { readTools } from "../tool-use.ts";
import type { NodeContext, NodePart, Own } from "./part.ts";

export function readLlmNode(part: NodePart, context: NodeContext): Own<LlmNode> {
  const { raw, path, locals } = part;
  const { config } = context;
  const prompt = textOf(member(raw, "prompt")) ?? "";
  checkTemplate(prompt, { path: [...path, "prompt"], locals }, context);
  const files = listOf(member(raw, "files")).flatMap((file) => textOf(file) ?? []);
  for (const [index, file] of files.entries())
    checkTemplate(file, { path: [...path, "files", index], locals }, context);
  return {
    kind: "llm",
    prompt,
    tools: readTools(raw, path, context),
    llm: readLlm(member(config, "llm"), member(raw, "llm")),
    cache: member(raw, "cache") === true,
    files,
    ...defined({
      outputDescription: textOf(member(member(raw, "output_schema"), "description")),
      memory: readMemory(member(config, "memory"), member(raw, "memory")),
    }),
  };
}
