/** The tools that are built in, by the names that files use. */
export const KNOWN_TOOLS = [
  "web_search",
  "serper_search",
  "web_scrape",
  "http_client",
  "file_read",
  "file_write",
  "file_glob",
  "file_move",
  "sql_query",
  "dataframe_to_csv",
  "json_parse",
  "yaml_parse",
  "shell",
  "process",
  "env_vars",
];
