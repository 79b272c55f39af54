/** A node of Python or JavaScript: inputs → sandbox → `result` → outputs. */
import type { CodeNode } from "../../domain/workflow.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { NodeExecutor } from "./executor.ts";
import { pickInputs } from "./inputs.ts";
import { callOutside } from "./outside-call.ts";
import { toPatch } from "./result.ts";

type CodeInput = { readonly inputs: JsonObject };

export const codeNode: NodeExecutor<CodeNode, CodeInput> = {
  render: (node, scope) => ({ inputs: pickInputs(node, scope) }),
  execute: async (node, { inputs }, step) => {
    const { language, code, sandbox } = node;
    const result = await callOutside(
      step,
      { ordinal: 0, name: "code", input: { language, inputs } },
      ({ idempotencyKey, onOutput }) =>
        step.code.run(
          { language, code, sandbox },
          { inputs, idempotencyKey, onOutput, signal: step.signal },
        ),
    );
    return { patch: toPatch(node, result, "The result of the code") };
  },
};
