/** Resolves when the condition holds; fails after `limitMs` with what was waited for. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Still waiting for: ${what}.`);
    await Bun.sleep(5);
  }
}
