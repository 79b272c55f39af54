/** Names of steps: the execution of a node, and of one item of a map. */
import type { StepKey } from "../domain/event.ts";

/** `number` counts the executions of the node in its run, from 1. */
export function stepKey(nodeId: string, number: number): StepKey {
  return number === 1 ? nodeId : `${nodeId}#${number}`;
}

/** Which execution of its node a step is; of an item, that of its map. */
export function stepNumber(key: StepKey): number {
  return Number(/#(\d+)/.exec(key)?.[1] ?? 1);
}

export function itemKey(mapKey: StepKey, index: number): StepKey {
  return `${mapKey}[${index}]`;
}

/** The map and the index that an item's key names; undefined for any other key. */
export function readItemKey(key: StepKey): { mapKey: StepKey; index: number } | undefined {
  if (!key.endsWith("]")) return undefined;
  const bracket = key.lastIndexOf("[");
  return { mapKey: key.slice(0, bracket), index: Number(key.slice(bracket + 1, -1)) };
}
