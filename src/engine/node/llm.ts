/**
 * A node that asks a model: inputs → prompt → calls → patch.
 *
 * Tools and a required answer format do not go together everywhere: Ollama's grammar keeps a model
 * from calling tools at all, Gemini refuses the combination, and others call a tool and then ignore
 * the format. So tool rounds are free-form, with the format asked for in words; when the answer that
 * ends them fits, it is the answer. Only when it does not, one more call without tools asks for the
 * format. That call carries the tool results as plain text, because Anthropic refuses tool messages
 * in a request that offers no tools.
 */
import { AppError } from "../../domain/error.ts";
import { type OpenTool, TOOL_ROUNDS_MAX } from "../../domain/tool.ts";
import type { LlmNode } from "../../domain/workflow.ts";
import { abortable } from "../../lib/abortable.ts";
import type { JsonObject } from "../../lib/json.ts";
import { renderTemplate } from "../../language/template.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { pickInputs } from "./inputs.ts";
import { demoNotes, takeNotes } from "./memory.ts";
import type { Answer } from "./model-call.ts";
import { chooseModels, createModelChain } from "./model-chain.ts";
import { createTalk, type LlmInput, readAnswer, type Talk } from "./talk.ts";
import { callTools } from "./tool-call.ts";

/** Reasons that an error message names; the others are in its details. */
const REASONS_SHOWN_MAX = 3;

export const llmNode: NodeExecutor<LlmNode, LlmInput> = {
  render: (node, scope) => {
    // An optional file that the inputs do not give renders as nothing.
    const files = node.files
      .map((template) => renderTemplate(template, scope).trim())
      .filter((reference) => reference !== "");
    return {
      inputs: pickInputs(node, scope),
      prompt: renderTemplate(node.prompt, scope),
      ...(files.length === 0 ? {} : { files }),
    };
  },
  execute: async (node, input, step) => {
    const chain = createModelChain(step, chooseModels(node.llm, step.run.overrides));
    // The demo model answers from the schema alone; its runs need no key of any tool.
    const isDemo = (await chain.first()).provider === "demo";
    const tools = isDemo ? [] : await openTools(node, step);
    const talk = createTalk(node, step, { chain, input });
    const good = await findAnswer(node, step, { talk, tools });
    const memories = await takeNotes(node, step, () =>
      isDemo ? Promise.resolve(demoNotes(node, input.prompt)) : talk.askForNotes(good.text),
    );
    return { patch: good.patch, ...(memories.length === 0 ? {} : { memories }) };
  },
};

interface GoodAnswer {
  readonly text: string;
  readonly patch: JsonObject;
}

async function findAnswer(
  node: LlmNode,
  step: StepContext,
  { talk, tools }: { readonly talk: Talk; readonly tools: readonly OpenTool[] },
): Promise<GoodAnswer> {
  const free = tools.length === 0 ? undefined : await talkWithTools(talk, step, tools);
  const first = free === undefined ? undefined : readAnswer(node, free);
  if (free !== undefined && first !== undefined && "patch" in first)
    return { text: free.text, patch: first.patch };
  const answer = await talk.askForFormat();
  const read = readAnswer(node, answer);
  if ("patch" in read) return { text: answer.text, patch: read.patch };
  throw outputInvalid(node, read.issues);
}

async function openTools(node: LlmNode, step: StepContext): Promise<readonly OpenTool[]> {
  if (node.tools.length === 0) return [];
  const { signal, workflow } = step;
  const scope = { servers: workflow.mcpServers, signal };
  return abortable(signal, step.tools.open(node.tools, scope));
}

/** @returns the answer that ended the rounds; undefined when the model still wanted tools at the limit. */
async function talkWithTools(
  talk: Talk,
  step: StepContext,
  tools: readonly OpenTool[],
): Promise<Answer | undefined> {
  for (let round = 0; round < TOOL_ROUNDS_MAX; round += 1) {
    // Each round asks for what the one before it found.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await talk.askWithTools(tools);
    if (answer.toolCalls.length === 0) return answer;
    // oxlint-disable-next-line no-await-in-loop
    const results = await callTools(step, tools, {
      calls: answer.toolCalls,
      firstOrdinal: talk.nextOrdinal() - answer.toolCalls.length,
      askedInAttempt: answer.madeInAttempt,
    });
    talk.addRound({ answer, results });
  }
  return undefined;
}

function outputInvalid(node: LlmNode, issues: readonly string[]): AppError {
  const shown = issues.slice(0, REASONS_SHOWN_MAX).join("; ");
  const more = issues.length - REASONS_SHOWN_MAX;
  return new AppError(
    "output_invalid",
    `The model's answer does not fit the outputs: ${shown}${more > 0 ? `; and ${more} more` : ""}`,
    {
      fix: `Say in the prompt of node \`${node.id}\` what its answer must hold, or use a stronger model.`,
      // The next attempt shows these to the model.
      cause: issues.map((issue) => `- ${issue}`).join("\n"),
    },
  );
}
