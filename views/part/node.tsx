/** What a node of a workflow does, by its kind. */
import type { Child } from "hono/jsx";
import type { WorkflowNode } from "../../src/domain/workflow.ts";
import { KIND_LABELS } from "../../src/graph/drawing.ts";
import { formatDuration } from "./duration.ts";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";
import { plural } from "./number.ts";
import { typeText } from "./type.ts";

/** A few words below the node's name in a drawing. */
export function nodeNote(node: WorkflowNode): string {
  if (node.map !== undefined) return `for each of ${node.map.itemsField}`;
  switch (node.kind) {
    case "llm":
      if (node.tools.length > 0) return plural(node.tools.length, "tool");
      return node.llm.model ?? "default model";
    case "tool":
      return node.tool.name;
    case "code":
      return node.language === "python" ? "Python" : "JavaScript";
    case "cli":
      return node.command[0] ?? KIND_LABELS.cli;
    case "workflow":
      return node.workflow;
    case "http":
      return `${node.method} request`;
    case "agent":
    case "approval":
    case "wait":
      return KIND_LABELS[node.kind];
  }
}

export function NodeItem(props: { node: WorkflowNode }) {
  const { node } = props;
  const outputs = node.outputs.map((output) => `${output.name}: ${typeText(output.type)}`);
  const text = mainText(node);
  return (
    <li class="node-item" id={`node-${idPart(node.id)}`}>
      <h3>{node.id}</h3>
      {node.description === undefined ? null : <p class="node-text">{node.description}</p>}
      <ul class="facts">
        <KindFacts node={node} />
        {node.when === undefined ? null : <Fact name="only when">{code(node.when)}</Fact>}
        {node.map === undefined ? null : (
          <Fact name="for each of">
            {code(node.map.itemsField)}, at most {node.map.maxConcurrency} at once, into{" "}
            {code(node.map.collectField)}
          </Fact>
        )}
        {outputs.length === 0 ? null : <Fact name="writes">{code(outputs.join(", "))}</Fact>}
        {node.timeoutMs === undefined ? null : (
          <Fact name="limit">{formatDuration(node.timeoutMs)}</Fact>
        )}
        {node.retry.maxAttempts > 1 ? <Fact name="tries">{node.retry.maxAttempts}</Fact> : null}
        {node.onError.kind === "fail" ? null : (
          <Fact name="when it fails">
            {node.onError.kind === "route" ? (
              <>goes to {code(node.onError.to)}</>
            ) : (
              "the run goes on"
            )}
          </Fact>
        )}
      </ul>
      {text === undefined ? null : (
        <details class="fold">
          <summary>
            <Icon name="chevron" size={12} />
            {text.title}
            <span class="sr"> of {node.id}</span>
          </summary>
          <pre class="value prose">{text.text}</pre>
        </details>
      )}
    </li>
  );
}

function Fact(props: { name: string; children?: Child }) {
  return (
    <li>
      <span class="fact-name">{props.name}</span>
      {props.children}
    </li>
  );
}

function code(text: string) {
  return <code>{text}</code>;
}

function KindFacts(props: { node: WorkflowNode }) {
  const { node } = props;
  if (node.kind === "llm") return <ModelFacts node={node} />;
  const where = target(node);
  return (
    <>
      <Fact name="kind">{KIND_LABELS[node.kind]}</Fact>
      {where === undefined ? null : <Fact name={where.name}>{code(where.text)}</Fact>}
    </>
  );
}

function ModelFacts(props: { node: Extract<WorkflowNode, { kind: "llm" }> }) {
  const { node } = props;
  const model = [node.llm.provider, node.llm.model].filter((part) => part !== undefined).join(" ");
  const others = node.llm.fallbacks.map((choice) => choice.model ?? choice.provider ?? "");
  return (
    <>
      <li>
        <Icon name="spark" size={14} />
        <span class="sr">Model: </span>
        {model === "" ? "default model" : model}
      </li>
      {others.length === 0 ? null : <Fact name="else">{others.join(", ")}</Fact>}
      {node.tools.length === 0 ? null : (
        <li>
          <Icon name="tool" size={14} />
          <span class="sr">Tools: </span>
          {node.tools.map((tool) => tool.name).join(", ")}
        </li>
      )}
      {node.memory === undefined ? null : (
        <Fact name="remembers">{REMEMBERS[node.memory.scope]}</Fact>
      )}
      {node.cache ? <Fact name="answers">used again for equal requests</Fact> : null}
    </>
  );
}

const REMEMBERS = {
  agent: "from run to run",
  workflow: "within a run",
  node: "for this step of a run",
} as const;

/** What a node calls, starts or waits for. */
function target(node: WorkflowNode): { name: string; text: string } | undefined {
  switch (node.kind) {
    case "tool":
      return { name: "tool", text: node.tool.name };
    case "http":
      return { name: node.method, text: node.url };
    case "agent":
      return "url" in node.target
        ? { name: "address", text: node.target.url }
        : { name: "agent", text: node.target.name };
    case "workflow":
      return { name: "runs", text: node.workflow };
    case "wait":
      return { name: "waits", text: waitText(node.wait) };
    case "approval":
      return node.waitMs === undefined
        ? undefined
        : { name: "waits at most", text: formatDuration(node.waitMs) };
    case "llm":
    case "code":
    case "cli":
      return undefined;
  }
}

function waitText(wait: Extract<WorkflowNode, { kind: "wait" }>["wait"]): string {
  if (wait.for === "duration") return formatDuration(wait.ms);
  return wait.for === "time" ? `until ${wait.at}` : `for the signal ${wait.name}`;
}

/** The text that makes the node what it is. */
function mainText(node: WorkflowNode): { title: string; text: string } | undefined {
  switch (node.kind) {
    case "llm":
      return { title: "Prompt", text: node.prompt };
    case "code":
      return { title: "Code", text: node.code };
    case "cli":
      return { title: "Command", text: node.command.join(" ") };
    case "approval":
      return { title: "Question", text: node.message };
    case "agent":
      return node.prompt === undefined ? undefined : { title: "Message", text: node.prompt };
    case "tool":
    case "workflow":
      return { title: "Arguments", text: JSON.stringify(node.arguments, null, 2) };
    case "http":
      if (node.body === undefined) return undefined;
      return { title: "Body", text: JSON.stringify(node.body, null, 2) };
    case "wait":
      return undefined;
  }
}
