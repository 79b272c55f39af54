/** Real A2A servers made with the official SDK: version 1.0, and 0.3 through its compatibility layer. */
import { AgentCard, Message, Task, TaskStatusUpdateEvent } from "@a2a-js/sdk";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import {
  AgentEvent,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  type RequestContext,
  ServerCallContext,
  validateVersion,
} from "@a2a-js/sdk/server";

/** What an agent says to one message, in the JSON form of version 1.0. */
export interface Turn {
  readonly taskId: string;
  readonly contextId: string;
  /** The user's message as JSON. */
  readonly message: unknown;
  /** Begins or ends the task: `TASK_STATE_WORKING`, `TASK_STATE_COMPLETED`, … */
  task(state: string, more?: { artifacts?: readonly unknown[]; parts?: readonly unknown[] }): void;
  /** Changes the state of the task that was begun. */
  status(state: string, parts?: readonly unknown[]): void;
  /** Answers without a task. */
  reply(parts: readonly unknown[]): void;
}

export interface A2aServer extends AsyncDisposable {
  readonly url: string;
  /** JSON-RPC methods in the order in which they came, with their version header. */
  readonly calls: {
    readonly method: string;
    readonly version: string | null;
    readonly authorization: string | null;
  }[];
  /** Ids of tasks that were asked to stop. */
  readonly cancelled: string[];
  /** Answers the next requests to the endpoint in this way, until it gives undefined. */
  disturb: (method: string) => Response | undefined;
}

export function startA2aServer(
  version: "1.0" | "0.3",
  execute: (turn: Turn) => Promise<void> | void,
): A2aServer {
  const calls: A2aServer["calls"] = [];
  const cancelled: string[] = [];
  const cardOf = (origin: string) => ({
    name: "Test",
    description: "An agent of a test.",
    version: "1",
    capabilities: { streaming: false },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [],
    ...(version === "1.0"
      ? {
          supportedInterfaces: [
            { url: `${origin}/grpc`, protocolBinding: "GRPC", protocolVersion: "1.0" },
            { url: `${origin}/rpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
          ],
        }
      : { url: `${origin}/rpc`, protocolVersion: "0.3.0", preferredTransport: "JSONRPC" }),
  });
  const handler = new DefaultRequestHandler(
    AgentCard.fromJSON(cardOf("http://unused")),
    new InMemoryTaskStore(),
    {
      execute: async (context, bus) => execute(openTurn(context, bus)),
      cancelTask: async (taskId, bus) => {
        cancelled.push(taskId);
        bus.publish(
          AgentEvent.statusUpdate(
            TaskStatusUpdateEvent.fromJSON({
              taskId,
              contextId: "c",
              status: { state: "TASK_STATE_CANCELED" },
            }),
          ),
        );
        bus.finished();
      },
    },
  );
  const transport =
    version === "1.0"
      ? new JsonRpcTransportHandler(handler)
      : new LegacyJsonRpcTransportHandler(handler);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const url = new URL(request.url);
      if (url.pathname === "/.well-known/agent-card.json") return Response.json(cardOf(url.origin));
      if (url.pathname !== "/rpc") return new Response("no", { status: 404 });
      const body = (await request.json()) as { readonly method: string };
      const requested = request.headers.get("a2a-version");
      calls.push({
        method: body.method,
        version: requested,
        authorization: request.headers.get("authorization"),
      });
      const disturbed = api.disturb(body.method);
      if (disturbed !== undefined) return disturbed;
      const context = new ServerCallContext({ requestedVersion: requested ?? "0.3" });
      if (version === "1.0")
        validateVersion(context.requestedVersion, await handler.getAgentCard(), "JSONRPC");
      return Response.json(await transport.handle(body, context));
    },
  });
  const api: A2aServer = {
    url: `http://127.0.0.1:${server.port}`,
    calls,
    cancelled,
    disturb: () => undefined,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return api;
}

const say = (parts: readonly unknown[] | undefined) =>
  parts === undefined
    ? {}
    : { message: { messageId: crypto.randomUUID(), role: "ROLE_AGENT", parts } };

function openTurn(
  { taskId, contextId, userMessage }: RequestContext,
  bus: ExecutionEventBus,
): Turn {
  return {
    taskId,
    contextId,
    message: Message.toJSON(userMessage),
    task: (state, { artifacts = [], parts } = {}) => {
      const status = { state, ...say(parts) };
      bus.publish(AgentEvent.task(Task.fromJSON({ id: taskId, contextId, status, artifacts })));
    },
    status: (state, parts) => {
      const update = { taskId, contextId, status: { state, ...say(parts) } };
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON(update)));
    },
    reply: (parts) =>
      bus.publish(
        AgentEvent.message(
          Message.fromJSON({
            messageId: crypto.randomUUID(),
            contextId,
            role: "ROLE_AGENT",
            parts,
          }),
        ),
      ),
  };
}
