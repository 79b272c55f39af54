import { setImmediate as otherTurns } from "node:timers/promises";
import type { ExampleCard } from "../../views/part/example-gallery.tsx";
import type { Kit } from "./kit.ts";
import { formatOf } from "./workflow-upload.ts";

/** The examples never change: each is read and drawn once. */
const cards = new WeakMap<Kit, Promise<readonly ExampleCard[]>>();

/** The examples with their drawings. */
export function readGallery(kit: Kit): Promise<readonly ExampleCard[]> {
  const known = cards.get(kit);
  if (known !== undefined) return known;
  const made = drawAll(kit);
  cards.set(kit, made);
  return made;
}

async function drawAll({ deps, reader }: Kit): Promise<readonly ExampleCard[]> {
  const drawn: ExampleCard[] = [];
  for (const { name, description, source } of deps.examples) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- Others are answered meanwhile.
    await otherTurns();
    // oxlint-disable-next-line eslint/no-await-in-loop -- See above.
    const { drawing } = await reader.source(source, formatOf(source));
    drawn.push({ name, description, drawing });
  }
  return drawn;
}
