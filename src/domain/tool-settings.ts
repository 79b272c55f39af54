/** What the tools are configured with. */
interface SearchService {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
}

export interface ToolSettings {
  readonly search: {
    /** The service behind `web_search`; undefined: one that is set up. */
    readonly provider: "serper" | "tavily" | "brave" | "searxng" | undefined;
    readonly serper: SearchService;
    readonly tavily: SearchService;
    readonly brave: SearchService;
    readonly searxng: { readonly baseUrl: string | undefined };
  };
  /** Absolute; what file tools, code and commands work in. */
  readonly workspace: string;
  /** Absolute; more folders for file tools. */
  readonly allowedPaths: readonly string[];
  /** What `${NAME}` stands for in workflows: the allowed variables that are set. */
  readonly variables: Readonly<Record<string, string>>;
}
