/** Servers of the Model Context Protocol, whose tools a workflow may use. */
import type { Tool } from "./tool.ts";
import type { McpServer } from "./workflow.ts";

/** One tool of a server, under its own name; `tool.spec.name` is what models call it. */
export interface McpTool {
  readonly name: string;
  readonly tool: Tool;
}

export interface McpPort {
  /**
   * The tools of a server, which is started or called at its first use and then kept: one a process for
   * each definition, whatever its name. The tools stay usable when it ends; it is started again then.
   * @param server `name` is the one in the workflow file.
   * @throws AppError `tool_failed` (cannot be started or reached), `forbidden` (program or address that the owner has not
   * allowed), `missing_key` (a variable that is not there); the signal's reason.
   */
  tools(
    server: McpServer & { readonly name: string },
    signal: AbortSignal,
  ): Promise<readonly McpTool[]>;
  /** Ends all servers. */
  close(): Promise<void>;
}
