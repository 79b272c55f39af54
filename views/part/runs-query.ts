/** What the list of runs is asked for, as it stands in the page's address. */
import { RUN_STATES, type RunState } from "../../src/domain/run.ts";

/** Time ranges to choose from, in milliseconds. */
export const RUN_RANGES = {
  "1h": { label: "Last hour", ms: 3_600_000 },
  "24h": { label: "Last 24 hours", ms: 24 * 3_600_000 },
  "7d": { label: "Last 7 days", ms: 7 * 24 * 3_600_000 },
  "30d": { label: "Last 30 days", ms: 30 * 24 * 3_600_000 },
} as const;
export type RunRange = keyof typeof RUN_RANGES;

export interface RunsQuery {
  readonly states: readonly RunState[];
  /** Id of a workflow. */
  readonly workflow: string;
  readonly range: RunRange | "custom" | "";
  /** As typed: `2026-11-20T14:00`. Used when the range is `custom`. */
  readonly from: string;
  readonly to: string;
  readonly search: string;
  /** As typed, in US dollars. */
  readonly cost: string;
  readonly order: "newest" | "dearest";
}

export const NO_QUERY: RunsQuery = {
  states: [],
  workflow: "",
  range: "",
  from: "",
  to: "",
  search: "",
  cost: "",
  order: "newest",
};

/** Reads what a page's address holds; what it does not know it leaves out. */
export function parseRunsQuery(params: URLSearchParams): RunsQuery {
  const text = (name: string) => params.get(name)?.trim() ?? "";
  const range = text("range");
  const isCustom = range === "custom" || (range === "" && text("from") + text("to") !== "");
  const known = isRange(range) ? range : "";
  return {
    states: RUN_STATES.filter((state) => params.getAll("state").includes(state)),
    workflow: text("workflow"),
    range: isCustom ? "custom" : known,
    from: isCustom ? text("from") : "",
    to: isCustom ? text("to") : "",
    search: text("search"),
    cost: text("cost"),
    order: text("order") === "dearest" ? "dearest" : "newest",
  };
}

function isRange(text: string): text is RunRange {
  return Object.hasOwn(RUN_RANGES, text);
}

/** The address of a query, without what it does not ask for. */
export function runsAddress(
  query: RunsQuery,
  place: { readonly before?: string; readonly after?: string } = {},
  path = "/runs",
): string {
  const text = runsParams(query, place).toString();
  return text === "" ? path : `${path}?${text}`;
}

export function runsParams(
  query: RunsQuery,
  place: { readonly before?: string; readonly after?: string } = {},
): URLSearchParams {
  const params = new URLSearchParams();
  for (const state of query.states) params.append("state", state);
  for (const name of ["workflow", "range", "from", "to", "search", "cost"] as const) {
    if (query[name] !== "") params.set(name, query[name]);
  }
  if (query.order === "dearest") params.set("order", "dearest");
  for (const [name, value] of Object.entries(place)) params.set(name, value);
  return params;
}

/** True when it asks for less than all runs. */
export function isFiltered(query: RunsQuery): boolean {
  return runsAddress({ ...query, order: "newest" }) !== "/runs";
}
