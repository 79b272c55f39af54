/** What docs/tools.md says beside the parameters of the tools. */
import { HTTP_BODY_BYTES_MAX, HTTP_REDIRECT_COUNT_MAX } from "../../src/domain/http.ts";
import { TOOL_OUTPUT_CHARS_MAX, TOOL_ROUNDS_MAX, TOOL_TIMEOUT_MS } from "../../src/domain/tool.ts";

const MIB = 1024 * 1024;

export const INTRODUCTION = [
  "A tool is something that a model may call while it answers (`tools` of an `llm` node), or that a node calls by itself (`tool`). Both name it in the same way:",
  "```yaml\ntools:\n  - json_parse\n  - name: web_search\n    on_error: continue\n    timeout: 60\n    config:\n      provider: brave\n  - files.read_file # a tool of the MCP server `files`\n  - github.* # all tools of the MCP server `github`\n```",
  `- A model gets its tools in at most ${TOOL_ROUNDS_MAX} rounds of calls, and sees ${TOOL_OUTPUT_CHARS_MAX.toLocaleString("en")} characters of each answer. A \`tool\` node gets the whole answer. Tools that read long things give them in pieces (\`offset\`, \`next_offset\`).\n- A call ends after ${TOOL_TIMEOUT_MS / 1000} seconds, or after the \`timeout\` of its entry.\n- \`on_error: fail\` (the default) fails the step when a tool fails; with \`continue\` the model is told and goes on. Wrong arguments always go back to the model.\n- \`config\` is the workflow's say in how a tool works. A tool refuses keys that it does not know.\n- Each call carries a key that stays the same when it is repeated after a crash: \`http_client\` sends it as \`Idempotency-Key\`, MCP servers get it as \`_meta["agents/idempotencyKey"]\`, programs as \`AGENTS_IDEMPOTENCY_KEY\`.`,
];

export const GROUPS: readonly { readonly title: string; readonly tools: readonly string[] }[] = [
  { title: "Web", tools: ["web_search", "serper_search", "web_scrape", "http_client"] },
  { title: "Files", tools: ["file_read", "file_write", "file_glob", "file_move"] },
  { title: "Data", tools: ["sql_query", "dataframe_to_csv", "json_parse", "yaml_parse"] },
  { title: "System", tools: ["shell", "process", "env_vars"] },
];

/** Paragraphs below the parameters of a tool: answer, settings, what may surprise. */
export const NOTES: Readonly<Record<string, readonly string[]>> = {
  web_search: [
    "Answers with `results` (title, link, snippet, date), and with `answer` or `subject` where the service has one.",
    "The service is `config.provider`, else `WEB_SEARCH_PROVIDER`, else the first that is set up: `SERPER_API_KEY`, `TAVILY_API_KEY`, `BRAVE_API_KEY`, `SEARXNG_BASE_URL`. A SearXNG server must allow the format json; it may have a private address. Without any service the step fails with `missing_key` before the first model call.",
  ],
  serper_search: ["As `web_search` with `SERPER_API_KEY`."],
  web_scrape: [
    "Scripts, styles, buttons and hidden elements are left out. The selector knows elements, classes, ids, attributes, `:not`, `:nth-child`, descendants and children (`>`). A status of 400 or above is an error. Pages that are made by scripts in the browser have little text.",
  ],
  http_client: [
    "Answers with `status`, `url` (after redirects), `headers` and `body`: JSON where the answer says that it is, else text. An answer of any status is returned. All methods but GET carry `Idempotency-Key` unless it is given.",
  ],
  file_read: [
    "Answers with `text`, and with `next_offset` where there is more (`null` at the end).",
  ],
  file_write: [
    "A file is replaced as a whole: nobody sees half of it. Adding to the end may happen twice when the machine stops in the middle of the call.",
  ],
  file_glob: ["Links are not followed. At most 1,000 files; a note says when there are more."],
  file_move: [],
  sql_query: [
    "Answers with `columns` and `rows`. `config.database` names a file for workflows that should not leave the choice to the model. The path of `sqlite:///data.db` is relative to the workspace; `sqlite:////data/x.db` (four slashes) is absolute.",
    "The file is opened for reading only, in a process of its own that is ended with the call. One statement that begins with SELECT, WITH or VALUES; at most 1,000 rows. Whole numbers beyond 2^53 come as text, blobs as their size.",
  ],
  dataframe_to_csv: [
    'RFC 4180 with line feeds; maps and lists in cells are written as JSON, null as nothing. Values are kept exactly: a text that begins with "=" is a formula for a spreadsheet program, so do not open files with foreign data there unchecked.',
  ],
  json_parse: [],
  yaml_parse: ["YAML 1.2, one document. Dates stay text."],
  shell: [
    "Runs in the sandbox, or not at all: where the machine has none, the step fails with `sandbox_unavailable` before the first model call. `config` may hold `network` (default off), `timeout` (seconds) and `memory` (`512m`).",
  ],
  process: ["As `shell`, without a shell: arguments are taken as they are."],
  env_vars: [
    "Left out are variables whose names hold KEY, SECRET, PASSWORD, TOKEN, API, AUTH and the like, values that look like keys, and all of `ALLOWED_VARIABLES`.",
  ],
};

export const REACH = [
  "## What tools can reach",
  "### Addresses",
  `Web tools, \`http\` nodes, A2A agents and MCP servers on HTTP may call the public internet only. Addresses of this machine, of private and link-local networks (also those that clouds use for machine data), multicast, and IPv6 spellings of all of these are refused with \`forbidden\`. The owner opens exceptions with \`AGENTS_ALLOWED_ADDRESSES\`: \`localhost:8080\`, \`10.1.0.0/16\`, \`[::1]:9000\`.`,
  `- Names are resolved once, and the connection goes to the address that was checked, so a name that changes its address in between gains nothing.\n- At most ${HTTP_REDIRECT_COUNT_MAX} redirects, each checked anew. Credentials, cookies and keys in headers stay with their origin.\n- Answers of more than ${HTTP_BODY_BYTES_MAX / MIB} MiB are refused. Proxies of the environment are not used, nor names and passwords inside of addresses.`,
  "### Files",
  "File tools work in the workspace (`AGENTS_WORKSPACE`) and in the folders of `ALLOWED_PATHS`. Relative paths begin in the workspace. Links are followed and what they lead to is checked; `..` leads nowhere outside. The data folder and the database stay closed also when they lie in an allowed folder; the workspace in it is open.",
  "### Programs",
  "`shell`, `process` and `code` nodes run in the sandbox. `cli` nodes and MCP servers are programs of this machine: only those in `ALLOWED_COMMANDS` run outside of it.",
];

export const SERVERS = [
  "## MCP servers",
  "Tools of [Model Context Protocol](https://modelcontextprotocol.io) servers, over stdio or streamable HTTP:",
  '```yaml\nconfig:\n  mcp_servers:\n    files:\n      command: npx\n      args: [-y, "@modelcontextprotocol/server-filesystem", /srv/reports]\n    tickets:\n      url: https://tickets.example.com/mcp\n      headers:\n        Authorization: Bearer ${TICKETS_TOKEN}\n```',
  "- Files name a tool `server.tool`, or all tools of a server `server.*`; an entry for one tool wins over the star. Models see `server__tool`.\n- **A server on stdio runs outside of the sandbox**, so its program must be in `ALLOWED_COMMANDS`, or the step fails with `forbidden`. Allowing `npx` allows every package that a workflow names.\n- It starts in a folder of the product, not in the workspace, with PATH, HOME and the like and with its own `env`; no key of the product reaches it. Variables that make a program run other code (`PATH`, `NODE_OPTIONS`, `LD_PRELOAD`) are refused. `${NAME}` in `env` and `headers` is taken from the environment for the names in `ALLOWED_VARIABLES`.\n- Where `npx`, `bunx`, `node` or `bun` is not installed, `agents` itself does their work.\n- A worker starts each definition once, for all runs, lists its tools, ends it after five minutes without use and with itself, and starts it again, later and later, when it dies. What it writes on standard error goes to the log.\n- Results with structured content come as data, others as text; images and sounds are named in words. A call that is cancelled is cancelled at the server.\n- A server on HTTP that has forgotten the session is asked again in a new one. Questions of a server to the user or to the model (elicitation, sampling) are not answered.",
];

export const ERRORS = [
  "## Errors",
  "`invalid` (arguments, unknown names, `config`), `missing_key`, `forbidden`, `sandbox_unavailable`, `timeout`, and `tool_failed` for all else. The message says what happened and what to do instead: the model reads it, and so can you. [All errors](errors.md).",
];
