import { afterEach } from "bun:test";

/** @returns what takes the things that a test opens: they are closed after it, the newest first. */
export function closeAfterEach(): <Thing extends AsyncDisposable>(thing: Thing) => Thing {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
  });
  return (thing) => {
    opened.push(thing);
    return thing;
  };
}
