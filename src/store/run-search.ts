/**
 * Finding runs among a million. Candidates are read along an index in the order asked for, and what the index does
 * not know is asked of the run itself. Nothing is counted, sorted or filtered over the whole table: after
 * CANDIDATE_COUNT_MAX candidates the page says that it is partial, and where to go on.
 */
import type { Database } from "bun:sqlite";
import { RUN_STATES, type RunFilter, type RunState } from "../domain/run.ts";
import { firstIdAt } from "../lib/id.ts";
import { hasQueryWords, wordQuery, type WordQuery } from "./run-words.ts";
import { defineStatement } from "./statement.ts";

/** Runs that are looked at for one page. */
export const CANDIDATE_COUNT_MAX = 1_000;
/** Candidates that are read at once. */
const CHUNK_COUNT = 200;
/** So many runs with a word tell how rare it is: the further back they reach, the rarer. */
const PROBE_COUNT = 100;
/** Ids sort by time and rows by creation: so far apart the two may be. */
const DISORDER_ROW_COUNT = 200;
/** Sorts after every character that an id can hold. */
const LAST_CHARACTER = "\u{10FFFF}";

interface IdRow {
  id: string;
}

interface Candidate {
  readonly rowid: number;
  readonly id: string;
  readonly state: RunState;
  readonly workflowId: string;
  readonly workflowName: string;
  readonly inputs: string;
  readonly costNanoUsd: number;
  readonly finishedAt: number | null;
}

/** Ids from `low` (included) to `high` (not included). */
interface IdRange {
  readonly low: string;
  readonly high: string;
}

/** Along the index, or against it. */
type Way = "down" | "up";

/** The same statement in both directions. */
function bothWays<Row, Params extends (string | number)[]>(text: (order: string) => string) {
  return {
    down: defineStatement<Row, Params>(text("DESC")),
    up: defineStatement<Row, Params>(text("ASC")),
  };
}

const CANDIDATE_COLUMNS = `runs.rowid AS rowid, runs.id AS id, runs.state AS state,
  runs.workflow_id AS workflowId, runs.workflow_name AS workflowName, runs.inputs AS inputs,
  runs.cost_nano_usd AS costNanoUsd, runs.finished_at AS finishedAt`;

const ALL = bothWays<IdRow, [string, string, number]>(
  (order) => `SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id ${order} LIMIT ?`,
);
const BY_STATE = bothWays<IdRow, [RunState, string, string, number]>(
  (order) =>
    `SELECT id FROM runs WHERE state = ? AND id >= ? AND id < ? ORDER BY id ${order} LIMIT ?`,
);
const BY_WORKFLOW = bothWays<IdRow, [string, RunState, string, string, number]>(
  (order) => `SELECT id FROM runs WHERE workflow_id = ? AND state = ? AND id >= ? AND id < ?
   ORDER BY id ${order} LIMIT ?`,
);
const CANDIDATE = defineStatement<Candidate, [string]>(
  `SELECT ${CANDIDATE_COLUMNS} FROM runs WHERE id = ?`,
);
const BY_WORD = bothWays<Candidate, [string, number, number, number]>(
  (
    order,
  ) => `SELECT ${CANDIDATE_COLUMNS} FROM run_words CROSS JOIN runs ON runs.rowid = run_words.rowid
   WHERE run_words MATCH ? AND run_words.rowid >= ? AND run_words.rowid < ?
   ORDER BY run_words.rowid ${order} LIMIT ?`,
);
const ROWS_BY_WORD = bothWays<{ rowid: number }, [string, number, number, number]>(
  (order) => `SELECT rowid FROM run_words WHERE run_words MATCH ? AND rowid >= ? AND rowid < ?
   ORDER BY rowid ${order} LIMIT ?`,
);
const DEARER_FIRST = defineStatement<Candidate, [number, number, string, number]>(
  `SELECT ${CANDIDATE_COLUMNS} FROM runs INDEXED BY runs_by_cost WHERE finished_at IS NOT NULL
     AND cost_nano_usd >= ? AND (cost_nano_usd, id) < (?, ?)
   ORDER BY cost_nano_usd DESC, id DESC LIMIT ?`,
);
// With one bound, so that SQLite cannot begin at another.
const CHEAPER_FIRST = defineStatement<Candidate, [number, string, number]>(
  `SELECT ${CANDIDATE_COLUMNS} FROM runs INDEXED BY runs_by_cost WHERE finished_at IS NOT NULL
     AND (cost_nano_usd, id) > (?, ?)
   ORDER BY cost_nano_usd, id LIMIT ?`,
);
const EXACT = defineStatement<IdRow, [string]>("SELECT id FROM runs WHERE id = ?");
const BY_END = defineStatement<IdRow, [string, string]>(
  "SELECT id FROM runs WHERE reversed_id >= ? AND reversed_id < ? LIMIT 2",
);
const ROW_BELOW = defineStatement<{ rowid: number; id: string }, [string]>(
  "SELECT rowid, id FROM runs WHERE id <= ? ORDER BY id DESC LIMIT 1",
);
const NEWEST_ROW = defineStatement<{ rowid: number | null }, []>(
  "SELECT max(rowid) AS rowid FROM runs",
);

export interface FoundRuns {
  /** In the order asked for. */
  readonly ids: readonly string[];
  readonly next: string | undefined;
  readonly isPartial: boolean;
}

const NONE: FoundRuns = { ids: [], next: undefined, isPartial: false };

/** Everything about a question that does not change while candidates are read. */
interface Question {
  readonly filter: RunFilter;
  readonly way: Way;
  /** Ids that the time allows. */
  readonly time: IdRange;
  readonly query: WordQuery | undefined;
}

/** Gives candidates from a place on (undefined: from the beginning), fewer than asked for at the end. */
interface Source {
  read(place: string | undefined, count: number): readonly Candidate[];
  placeOf(candidate: Candidate): string;
}

/** As `RunStore.page`. */
export function findRuns(client: Database, filter: RunFilter): FoundRuns {
  const search = filter.search?.trim() ?? "";
  const query = search === "" ? undefined : wordQuery(search);
  if (filter.limit < 1 || (search !== "" && query === undefined)) return NONE;
  const way = filter.after === undefined ? "down" : "up";
  const question = { filter, way, time: timeOf(filter), query } as const;
  const isDearest = filter.order === "dearest" || filter.minCostNanoUsd !== undefined;
  if (!isDearest && query === undefined) return byIndex(client, question);
  // Few runs of a rare state or of a short time are gone through whole.
  const few = isNarrow(filter) ? fewCandidates(client, question) : undefined;
  if (few === undefined) {
    return collect(
      question,
      isDearest ? costSource(client, question) : wordSource(client, question),
    );
  }
  return collect(question, isDearest ? sortedSource(few, question) : listSource(few, question));
}

function timeOf({ sinceMs, untilMs }: RunFilter): IdRange {
  return {
    low: sinceMs === undefined ? "" : firstIdAt(sinceMs),
    high: untilMs === undefined ? LAST_CHARACTER : firstIdAt(untilMs),
  };
}

function isNarrow({ states, workflowId, sinceMs, untilMs }: RunFilter): boolean {
  return [states, workflowId, sinceMs, untilMs].some((one) => one !== undefined);
}

/** All runs of the states, workflow and time asked for, newest first; undefined when they are many. */
function fewCandidates(client: Database, question: Question): Candidate[] | undefined {
  const whole = { ...question, way: "down" } as const;
  const ids = idsIn(client, whole, { place: undefined, count: CANDIDATE_COUNT_MAX + 1 });
  if (ids.length > CANDIDATE_COUNT_MAX) return undefined;
  return ids.flatMap((id) => CANDIDATE(client).get(id) ?? []);
}

/** What the indexes of the id answer alone. */
function byIndex(client: Database, question: Question): FoundRuns {
  const { filter, way } = question;
  const { limit } = filter;
  const found = idsIn(client, question, { place: placeOf(filter), count: limit + 1 });
  const ids = found.slice(0, limit);
  if (way === "up") return { ids: ids.toReversed(), next: ids[0], isPartial: false };
  return { ids, next: found.length > limit ? ids.at(-1) : undefined, isPartial: false };
}

function placeOf(filter: RunFilter): string | undefined {
  return filter.after ?? filter.before;
}

/** Reads candidates until a page is full, none is left, or enough were looked at. */
function collect(question: Question, source: Source): FoundRuns {
  const { filter, way } = question;
  const found: Candidate[] = [];
  let place = placeOf(filter);
  let lookedAt = 0;
  let isEnd = false;
  while (!isEnd && found.length <= filter.limit && lookedAt < CANDIDATE_COUNT_MAX) {
    const chunk = source.read(place, CHUNK_COUNT);
    found.push(...chunk.filter((candidate) => isWanted(candidate, question)));
    lookedAt += chunk.length;
    const last = chunk.at(-1);
    if (last !== undefined) place = source.placeOf(last);
    isEnd = chunk.length < CHUNK_COUNT;
  }
  const isFull = found.length > filter.limit;
  const page = found.slice(0, filter.limit);
  const last = page.at(-1);
  const isPartial = !isFull && !isEnd;
  const ids = page.map((candidate) => candidate.id);
  if (way === "up") {
    return { ids: ids.toReversed(), next: page[0] && source.placeOf(page[0]), isPartial };
  }
  if (isFull && last !== undefined) return { ids, next: source.placeOf(last), isPartial: false };
  return { ids, next: isPartial ? place : undefined, isPartial };
}

function isWanted(candidate: Candidate, { filter, time, query }: Question): boolean {
  const { states, workflowId } = filter;
  return (
    candidate.id >= time.low &&
    candidate.id < time.high &&
    (states === undefined || states.includes(candidate.state)) &&
    (workflowId === undefined || workflowId === candidate.workflowId) &&
    (query === undefined || hasQueryWords(candidate, query))
  );
}

/** Candidates that have been read, newest first. */
function listSource(all: readonly Candidate[], { way }: Question): Source {
  const ordered = way === "down" ? all : all.toReversed();
  return {
    read(place, count) {
      const rest =
        place === undefined
          ? ordered
          : ordered.filter(({ id }) => (way === "down" ? id < place : id > place));
      return rest.slice(0, count);
    },
    placeOf: (candidate) => candidate.id,
  };
}

/** Those of them that have ended, by cost. */
function sortedSource(all: readonly Candidate[], { filter, way }: Question): Source {
  const min = filter.minCostNanoUsd ?? 0;
  const dearest = all
    .filter(({ finishedAt, costNanoUsd }) => finishedAt !== null && costNanoUsd >= min)
    .toSorted(byCost);
  const ordered = way === "down" ? dearest : dearest.toReversed();
  return {
    read(place, count) {
      if (place === undefined) return ordered.slice(0, count);
      const { cost: costNanoUsd, id } = parseCostPlace(place);
      const rest = ordered.filter((candidate) => {
        const order = byCost(candidate, { costNanoUsd, id });
        return way === "down" ? order > 0 : order < 0;
      });
      return rest.slice(0, count);
    },
    placeOf: costPlace,
  };
}

type Priced = Pick<Candidate, "costNanoUsd" | "id">;

function byCost(a: Priced, b: Priced): number {
  return b.costNanoUsd - a.costNanoUsd || descending(a.id, b.id);
}

function costPlace({ costNanoUsd, id }: Priced): string {
  return `${costNanoUsd}~${id}`;
}

/** Runs that have ended, by cost. A place is the cost and the id. */
function costSource(client: Database, { filter, way }: Question): Source {
  const min = filter.minCostNanoUsd ?? 0;
  return {
    read(place, count) {
      const { cost, id } = parseCostPlace(place);
      if (way === "down") return DEARER_FIRST(client).all(min, cost, id, count);
      return cost < min
        ? CHEAPER_FIRST(client).all(min, "", count)
        : CHEAPER_FIRST(client).all(cost, id, count);
    },
    placeOf: costPlace,
  };
}

/** A text that is no place is one before all. */
function parseCostPlace(place: string | undefined): { cost: number; id: string } {
  const [, digits, id = ""] = /^(\d{1,15})~(.*)$/.exec(place ?? "") ?? [];
  if (digits === undefined) return { cost: Number.MAX_SAFE_INTEGER, id: LAST_CHARACTER };
  return { cost: Number(digits), id };
}

/** Rows from `low` (included) to `high` (not included). */
interface RowRange {
  readonly low: number;
  readonly high: number;
}

/** Runs that have the rarest of the words, in the order in which they were created. */
function wordSource(client: Database, question: Question): Source {
  const { way, query } = question;
  const all = rowsOf(client, question.time);
  let match: string | undefined;
  return {
    read(place, count) {
      const { low, high } = rowsFrom(client, { all, way, place });
      match ??= rarest(client, query?.matches ?? [], { low, high, way });
      return match === undefined ? [] : BY_WORD[way](client).all(match, low, high, count);
    },
    placeOf: (candidate) => candidate.id,
  };
}

/** The word with fewest runs in the direction in which they are read. */
function rarest(
  client: Database,
  matches: readonly string[],
  { low, high, way }: RowRange & { way: Way },
): string | undefined {
  if (matches.length < 2) return matches[0];
  const reach = (match: string) => {
    const rows = ROWS_BY_WORD[way](client).all(match, low, high, PROBE_COUNT);
    const last = rows.length < PROBE_COUNT ? undefined : rows.at(-1)?.rowid;
    if (last === undefined) return rows.length - PROBE_COUNT;
    return way === "down" ? high - last : last - low;
  };
  const found = matches.map((match) => ({ match, reach: reach(match) }));
  return found.toSorted((a, b) => rank(a.reach) - rank(b.reach))[0]?.match;
}

/** Few runs at all (below 0) are rarer than any distance, and a long distance is rarer than a short one. */
function rank(reach: number): number {
  return reach < 0 ? reach : 1 / (1 + reach);
}

/** About the rows of a time: those at its ends are looked at one by one. */
function rowsOf(client: Database, time: IdRange): RowRange {
  const end = (NEWEST_ROW(client).get()?.rowid ?? 0) + 1;
  const rowAt = (id: string) => ROW_BELOW(client).get(id)?.rowid ?? 0;
  return {
    low: time.low === "" ? 0 : Math.max(0, rowAt(time.low) - DISORDER_ROW_COUNT),
    high: time.high === LAST_CHARACTER ? end : Math.min(end, rowAt(time.high) + DISORDER_ROW_COUNT),
  };
}

/** What of the rows lies behind a place, the id of a run that may have been removed meanwhile. */
function rowsFrom(
  client: Database,
  { all, way, place }: { all: RowRange; way: Way; place: string | undefined },
): RowRange {
  if (place === undefined) return all;
  const nearest = ROW_BELOW(client).get(place);
  if (nearest === null) return way === "down" ? { low: 0, high: 0 } : all;
  const { rowid, id } = nearest;
  if (way === "up") return { low: Math.max(all.low, rowid + 1), high: all.high };
  return { low: all.low, high: Math.min(all.high, id === place ? rowid : rowid + 1) };
}

/** Ids of the range for each state asked for, in the order of the way. */
function idsIn(
  client: Database,
  { filter, way, time }: Question,
  from: { place: string | undefined; count: number },
): string[] {
  const { workflowId, states } = filter;
  const { place, count } = from;
  const range =
    way === "down"
      ? { low: time.low, high: least(time.high, place ?? time.high) }
      : { low: greatest(time.low, `${place ?? ""}\0`), high: time.high };
  const { low, high } = range;
  if (workflowId === undefined && states === undefined) {
    return ALL[way](client).all(low, high, count).map(toId);
  }
  const found = [...new Set(states ?? RUN_STATES)].flatMap((state) =>
    workflowId === undefined
      ? BY_STATE[way](client).all(state, low, high, count).map(toId)
      : BY_WORKFLOW[way](client).all(workflowId, state, low, high, count).map(toId),
  );
  return found.toSorted(way === "down" ? descending : ascending).slice(0, count);
}

/** The run with this id, else the only one whose id begins or ends so. */
export function findRunId(client: Database, idPart: string): string | undefined {
  if (idPart === "") return undefined;
  const exact = EXACT(client).get(idPart);
  if (exact !== null) return exact.id;
  const tail = reversed(idPart);
  const found = new Set([
    ...ALL.down(client)
      .all(idPart, idPart + LAST_CHARACTER, 2)
      .map(toId),
    ...BY_END(client)
      .all(tail, tail + LAST_CHARACTER)
      .map(toId),
  ]);
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** The text backwards, as kept in `runs.reversed_id`. */
export function reversed(id: string): string {
  return Array.from(id).toReversed().join("");
}

function toId(row: IdRow): string {
  return row.id;
}

function least(a: string, b: string): string {
  return a < b ? a : b;
}

function greatest(a: string, b: string): string {
  return a < b ? b : a;
}

function ascending(a: string, b: string): number {
  return descending(b, a);
}

function descending(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}
