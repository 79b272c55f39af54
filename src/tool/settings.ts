/** What the tools are configured with; the same shape as the `tools` part of the configuration. */
export interface ToolSettings {
  readonly serper: { readonly apiKey: string | undefined; readonly baseUrl: string | undefined };
}
