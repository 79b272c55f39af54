/**
 * Finding runs by words: of their id, the name of their workflow and their inputs. `run_words` is an FTS5 index
 * without content; its rowid is that of the run, which a copy (`VACUUM INTO`) keeps because `runs` has an index.
 *
 * A word that is typed finds the words that begin so. The index holds beginnings of some lengths only: SQLite
 * walks those newest first and stops at a limit, while for every other length it would first gather all runs that
 * match. A word of another length is looked up by its longest beginning that is held, and the rest of it is
 * compared in the run itself.
 */
import type { Database } from "bun:sqlite";
import type { Json, JsonObject } from "../lib/json.ts";
import { hasWords, searchWords } from "../lib/search-words.ts";
import { defineStatement } from "./statement.ts";

/** As in the migrations: `prefix` of `run_words` and `memory_words`. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 6, 9];
/** Of its inputs a run is found by so many characters. */
const INPUT_CHARS_MAX = 4_000;
/** Of a search; more are left out. */
const WORD_COUNT_MAX = 8;

const INSERT = defineStatement<unknown, [number | bigint, string]>(
  "INSERT INTO run_words (rowid, words) VALUES (?, ?)",
);

interface Named {
  readonly id: string;
  readonly workflowName: string;
}

export function insertRunWords(
  client: Database,
  rowid: number | bigint,
  run: Named & { readonly inputs: JsonObject },
): void {
  INSERT(client).run(rowid, wordsText(run, run.inputs));
}

/** What a search asks for. */
export interface WordQuery {
  readonly words: readonly string[];
  /** For MATCH, one for each word: finds all runs that have it, and perhaps some that do not. */
  readonly matches: readonly string[];
}

/** Undefined when there is no word in it. */
export function wordQuery(search: string): WordQuery | undefined {
  const words = [...new Set(searchWords(search))].slice(0, WORD_COUNT_MAX);
  if (words.length === 0) return undefined;
  return { words, matches: [...new Set(words.map((word) => `"${heldPrefix(word)}"*`))] };
}

/** True for a run that has all words of the search. */
export function hasQueryWords(run: Named & { readonly inputs: string }, query: WordQuery): boolean {
  const inputs: JsonObject = JSON.parse(run.inputs);
  return hasWords(wordsText(run, inputs), query.words);
}

/** The longest beginning of a word that an index of words holds. */
export function heldPrefix(word: string): string {
  const characters = Array.from(word);
  const length = PREFIX_LENGTHS.findLast((one) => one <= characters.length) ?? 1;
  return characters.slice(0, length).join("");
}

function wordsText({ id, workflowName }: Named, inputs: JsonObject): string {
  return `${id} ${workflowName} ${leafTexts(inputs).join(" ").slice(0, INPUT_CHARS_MAX)}`;
}

/** Texts and numbers anywhere in a value, in its order. */
function leafTexts(value: Json): string[] {
  const found: string[] = [];
  let charCount = 0;
  const visit = (one: Json): void => {
    if (charCount > INPUT_CHARS_MAX) return;
    if (typeof one === "string" || typeof one === "number") {
      const text = String(one).slice(0, INPUT_CHARS_MAX);
      charCount += text.length;
      found.push(text);
    } else if (Array.isArray(one)) for (const entry of one) visit(entry);
    else if (typeof one === "object" && one !== null)
      for (const entry of Object.values(one)) visit(entry);
  };
  visit(value);
  return found;
}
