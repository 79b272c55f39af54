import { editDistance } from "../lib/nearest.ts";

const SUGGESTION_COUNT_MAX = 3;
/** Above this share of changed letters a name is another name, not a slip. */
const DISTANCE_SHARE_MAX = 0.4;

/**
 * The models that `model` was most likely meant to be, best first. A dated or tagged form of the same
 * name (`claude-haiku-4-5-20251001`, `llama3.2:latest`) comes before a misspelling.
 */
export function nearestModels(model: string, models: readonly string[]): string[] {
  const wanted = model.toLowerCase();
  return models
    .map((name) => ({ name, distance: modelDistance(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= wanted.length * DISTANCE_SHARE_MAX)
    .toSorted((left, right) => left.distance - right.distance)
    .slice(0, SUGGESTION_COUNT_MAX)
    .map(({ name }) => name);
}

function modelDistance(wanted: string, name: string): number {
  const bare = name.slice(name.lastIndexOf("/") + 1);
  if (name.startsWith(wanted) || bare.startsWith(wanted)) return 0;
  return Math.min(editDistance(wanted, name), editDistance(wanted, bare));
}
