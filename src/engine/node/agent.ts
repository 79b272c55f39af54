/**
 * A node that asks another agent. Two checkpoints: that the agent has taken the message up, and its answer. So
 * after a crash, or a failure while it works, its task is found again and not begun twice.
 */
import type { AgentAddress, AgentTask } from "../../domain/agent.ts";
import { AppError } from "../../domain/error.ts";
import type { AgentNode } from "../../domain/workflow.ts";
import { assert } from "../../lib/assert.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { limitSignal } from "../../lib/time-limit.ts";
import { readOutput } from "../../language/output.ts";
import { renderTemplate, type TemplateScope } from "../../language/template.ts";
import { RunAborted } from "../abort.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { pickInputs } from "./inputs.ts";
import { locateAgent } from "./locate-agent.ts";
import { maskedError } from "./masked-error.ts";
import { callOutside } from "./outside-call.ts";
import { toPatch } from "./result.ts";
import { fillVariables, type FilledTexts, renderVariableTexts } from "./variable-text.ts";
import type { VariableTexts } from "./variable-text.ts";

/** For one attempt of a node that states no `timeout`: agents take their time, but not for ever. */
export const AGENT_TIMEOUT_MS = 60 * 60_000;

type AgentInput = AgentNode["target"] & {
  readonly protocol: AgentNode["protocol"];
  readonly headers: VariableTexts;
  readonly text: string;
  readonly inputs: JsonObject;
};

export const agentNode: NodeExecutor<AgentNode, AgentInput> = {
  render: (node, scope) => ({
    protocol: node.protocol,
    ...renderTarget(node.target, scope),
    headers: renderVariableTexts(node.headers, scope),
    text: renderTemplate(node.prompt ?? "", scope),
    inputs: pickInputs(node, scope),
  }),
  execute: async (node, input, step) => {
    if (node.timeoutMs !== undefined)
      return { patch: readAnswer(node, await askAgent(node, input, step)) };
    const { signal, stop } = limitSignal({
      signal: step.signal,
      clock: step.clock,
      ms: AGENT_TIMEOUT_MS,
      reason: () => tooSlow(node),
    });
    try {
      // Waited for also after an abort, which may still have to reach the agent.
      return { patch: readAnswer(node, await askAgent(node, input, { ...step, signal })) };
    } finally {
      stop();
    }
  },
};

function renderTarget(target: AgentNode["target"], scope: TemplateScope): AgentNode["target"] {
  return "url" in target
    ? { url: renderTemplate(target.url, scope).trim() }
    : { name: renderTemplate(target.name, scope).trim() };
}

function tooSlow({ id }: AgentNode): AppError {
  return new AppError(
    "timeout",
    `The agent took longer than ${AGENT_TIMEOUT_MS / 60_000} minutes.`,
    { fix: `Give node \`${id}\` a longer \`timeout\`.` },
  );
}

async function askAgent(node: AgentNode, input: AgentInput, step: StepContext): Promise<Json> {
  const { protocol, text, inputs } = input;
  const filled = fillVariables(input.headers, step.variable);
  const headers = filled.texts;
  const reply = await callOutside(
    step,
    { ordinal: 0, name: "agent", input },
    async ({ idempotencyKey }) => {
      const url = "url" in input ? input.url : await locateAgent(input.name, input.headers, step);
      const message = { text, inputs, idempotencyKey };
      const got = await withMaskedErrors(
        filled,
        step.signal,
        step.agents.send({ protocol, url, headers }, message, step.signal),
      );
      return got.kind === "answer"
        ? { kind: "answer", answer: filled.mask.value(got.answer) }
        : { kind: "task", task: got.task, ...("url" in input ? {} : { url }) };
    },
  );
  assert(isJsonObject(reply), "a journaled reply of an agent is no object");
  if (reply["kind"] === "answer") return reply["answer"] ?? null;
  const { task } = reply;
  assert(isJsonObject(task), "a journaled reply of an agent has no task");
  // An agent with a name is asked on where it was when it took the message up.
  const url = "url" in input ? input.url : reply["url"];
  assert(typeof url === "string", "a journaled reply of a registered agent has no address");
  return follow(node, step, { address: { protocol, url, headers }, task, filled });
}

interface Followed {
  readonly address: AgentAddress;
  readonly task: AgentTask;
  readonly filled: FilledTexts;
}

function follow(
  node: AgentNode,
  step: StepContext,
  { address, task, filled }: Followed,
): Promise<Json> {
  const { signal, agents } = step;
  return callOutside(step, { ordinal: 1, name: "agent", input: { task } }, async (kit) => {
    const onOutput = (said: string) => kit.onOutput("stdout", filled.mask.text(said));
    try {
      const answer = await withMaskedErrors(
        filled,
        signal,
        agents.follow(address, task, { signal, onOutput }),
      );
      return filled.mask.value(answer);
    } catch (error) {
      if (signal.aborted && isOver(node, step)) await agents.cancel(address, task);
      throw error;
    }
  });
}

/** Nobody will ask for this task again: neither another worker nor another attempt. */
function isOver({ retry }: AgentNode, { signal, attempt }: StepContext): boolean {
  const reason: unknown = signal.reason;
  if (reason instanceof RunAborted) return reason.kind !== "lost" && reason.kind !== "stopping";
  return attempt >= retry.maxAttempts || !retry.on.includes("timeout");
}

/** The work, with its own errors freed of secrets. */
async function withMaskedErrors<T>(
  { mask }: FilledTexts,
  signal: AbortSignal,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw maskedError(error, mask, signal);
  }
}

/** A text is read like a model's answer where the outputs want more than one text. */
function readAnswer(node: AgentNode, answer: Json): JsonObject {
  const [only, second] = node.outputs;
  const wantsText = only === undefined || (only.type.kind === "str" && second === undefined);
  if (typeof answer === "string" && !wantsText) {
    const reading = readOutput(node, answer);
    if ("patch" in reading) return reading.patch;
  }
  return toPatch(node, answer, "The agent's answer");
}
