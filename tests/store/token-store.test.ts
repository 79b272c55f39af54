import { expect, test } from "bun:test";
import { TOKEN_COUNT_MAX } from "../../src/domain/access-token.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";

async function setup() {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  return { clock, store, tokens: store.tokens };
}

const token = (digest: string, expiresAt: number | null = null) => ({
  name: `Token ${digest}`,
  scope: "write" as const,
  expiresAt,
  digest,
});

test("create() keeps a token without its digest in sight, list() has the newest first", async () => {
  const { clock, tokens } = await setup();
  const first = await tokens.create(token("a"));
  expect(first).toEqual({
    id: expect.any(String),
    name: "Token a",
    scope: "write",
    createdAt: clock.now(),
    lastUsedAt: null,
    expiresAt: null,
  });
  clock.advance(1_000);
  const second = await tokens.create(token("b"));
  expect(await tokens.list()).toEqual([second, first]);
  expect(await codeOf(tokens.create(token("a")))).not.toBeUndefined();
});

test("use() gives the token until it expires, and notes the minute", async () => {
  const { clock, tokens } = await setup();
  const expiresAt = clock.now() + 120_000;
  const made = await tokens.create(token("a", expiresAt));
  const minute = clock.now() - (clock.now() % 60_000);
  expect(await tokens.use("a")).toEqual({ ...made, lastUsedAt: minute });
  expect(await tokens.use("b")).toBeUndefined();
  clock.advance(60_000);
  expect((await tokens.use("a"))?.lastUsedAt).toBe(minute + 60_000);
  expect((await tokens.list())[0]?.lastUsedAt).toBe(minute + 60_000);
  clock.advance(60_000);
  expect(await tokens.use("a")).toBeUndefined();
});

test("revoke() ends a token, and refuses one that there is not", async () => {
  const { tokens } = await setup();
  const { id } = await tokens.create(token("a"));
  await tokens.revoke(id);
  expect(await tokens.use("a")).toBeUndefined();
  expect(await codeOf(tokens.revoke(id))).toBe("not_found");
});

test("create() refuses one more than TOKEN_COUNT_MAX", async () => {
  const { tokens } = await setup();
  for (let count = 0; count < TOKEN_COUNT_MAX; count += 1) await tokens.create(token(`d${count}`));
  expect(await codeOf(tokens.create(token("more")))).toBe("limit_reached");
});
