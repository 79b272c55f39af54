import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createModelPort } from "../../src/llm/port.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { answerOf, collect, NO_SETTINGS } from "./support.ts";
import { violations } from "./validate-schema.ts";

const NOTICE = "[demo model: no real AI was called]";

function requestOf(text: string, schema?: JsonObject, signal = new AbortController().signal) {
  return {
    provider: "demo" as const,
    model: "demo",
    messages: [{ role: "user" as const, text }],
    tools: [{ name: "search", description: "Searches.", parameters: { type: "object" } }],
    ...(schema === undefined ? {} : { output: { name: "answer", schema } }),
    signal,
  };
}

const instant = createModelPort(NO_SETTINGS, { demoDelayMs: 0 });

/** A clock on which sleeping takes no time but is written down. */
function recordingClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return { slept, now: () => 0, sleep: async (ms) => void slept.push(ms) };
}

describe("demo provider", () => {
  test("text says that no AI was called, costs nothing and calls no tool", async () => {
    const answer = await answerOf(instant, requestOf("Describe volcanoes and glaciers."));
    expect(answer.text).toStartWith(`${NOTICE} `);
    expect(answer.text).toMatch(/volcanoes|glaciers|Describe/);
    expect({ ...answer, text: "", usage: {} }).toEqual({
      text: "",
      toolCalls: [],
      finish: "stop",
      usage: {},
      costNanoUsd: 0,
      model: "demo",
    });
    expect(answer.usage).toEqual({
      input: 8,
      output: Math.ceil(answer.text.length / 4),
      cacheRead: 0,
      cacheWrite: 0,
      reasoning: 0,
    });
  });

  test("the same request has the same answer, another has another", async () => {
    const [first, second, other] = await Promise.all(
      ["one question", "one question", "another question"].map((text) =>
        answerOf(instant, requestOf(text)),
      ),
    );
    expect(first).toEqual(second);
    expect(other?.text).not.toBe(first?.text);
  });

  test("pieces come one after the other, 15 ms apart unless said otherwise", async () => {
    const clock = recordingClock();
    const { pieces, end } = await collect(
      createModelPort(NO_SETTINGS, { clock }),
      requestOf("Tell me about rivers."),
    );
    expect(pieces.length).toBeGreaterThan(5);
    expect(clock.slept).toEqual(pieces.map(() => 15));
    expect(end).toMatchObject({ reason: "finished", answer: { text: pieces.join("") } });
    expect((await collect(instant, requestOf("Tell me about rivers."))).pieces.length).toBe(1);
  });

  test("an abort in the middle ends the stream as aborted", async () => {
    const controller = new AbortController();
    const events = [];
    const request = requestOf("Tell me about rivers.", undefined, controller.signal);
    for await (const event of createModelPort(NO_SETTINGS).call(request)) {
      events.push(event.type === "text" ? "text" : event);
      controller.abort();
    }
    expect(events).toEqual(["text", { type: "end", reason: "aborted" }]);
  });

  test("JSON is realistic: sentences are marked, labels short, numbers within 1 and 100", async () => {
    const answer = await answerOf(
      instant,
      requestOf("Analyse the harbour.", {
        type: "object",
        properties: {
          summary: { type: "string" },
          keywords: { type: "array", items: { type: "string" } },
          score: { type: "integer" },
          confidence: { type: "number" },
          shares: { type: "object", additionalProperties: { type: "integer" } },
        },
        required: ["summary", "keywords", "score", "confidence", "shares"],
      }),
    );
    const value = JSON.parse(answer.text);
    expect(value.summary).toStartWith("[demo] ");
    expect(value.keywords.length).toBeGreaterThan(1);
    for (const keyword of value.keywords) expect(keyword).toMatch(/^\w+$/);
    expect(value.score).toBeWithin(1, 101);
    expect(value.confidence).toBeWithin(0, 1.01);
    expect(Object.keys(value.shares).length).toBeGreaterThan(1);
  });

  test("a schema that refers to itself ends", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#" } } },
      required: ["name", "children"],
    };
    const { text } = await answerOf(instant, requestOf("A tree.", schema));
    expect(violations(JSON.parse(text), schema)).toEqual([]);
  });

  test("property: for any schema the answer satisfies it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), schemas(), async (prompt, schema) => {
        const { text } = await answerOf(instant, requestOf(prompt, schema));
        expect(violations(JSON.parse(text), schema)).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });
});

/** Schemas with all keywords that the sampler honours, nested. */
function schemas(): fc.Arbitrary<JsonObject> {
  const { node } = fc.letrec<{ node: JsonObject }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      scalar(),
      list(tie("node")),
      object(tie("node")),
      choice(tie("node")),
    ),
  }));
  return node;
}

function scalar(): fc.Arbitrary<JsonObject> {
  const small = fc.integer({ min: -50, max: 50 });
  return fc.oneof(
    fc.constantFrom<JsonObject>({ type: "boolean" }, { type: "null" }, {}),
    fc
      .record({ type: fc.constant("string"), minLength: fc.nat(60), spare: fc.nat(60) })
      .map(({ spare, ...rest }) => Object.assign(rest, { maxLength: rest.minLength + spare })),
    fc.record({
      type: fc.constant("string"),
      format: fc.constantFrom("date", "date-time", "email", "uri", "uuid"),
    }),
    fc
      .record({ type: fc.constantFrom("integer", "number"), minimum: small, width: fc.nat(90) })
      .map(({ width, ...rest }) => Object.assign(rest, { maximum: rest.minimum + width })),
    fc
      .record({
        type: fc.constant("integer"),
        exclusiveMinimum: small,
        width: fc.integer({ min: 2, max: 9 }),
      })
      .map(({ width, ...rest }) =>
        Object.assign(rest, { exclusiveMaximum: rest.exclusiveMinimum + width }),
      ),
    fc.record({ type: fc.constant("integer"), maximum: small }),
    fc.record({ type: fc.constant("integer"), multipleOf: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1 }),
    }),
    fc.record({ const: fc.oneof(fc.string(), fc.integer()) }),
    fc.constant<JsonObject>({ type: ["string", "null"] }),
  );
}

function list(item: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  return fc
    .record({ type: fc.constant("array"), items: item, minItems: fc.nat(3), spare: fc.nat(3) })
    .map(({ spare, ...rest }) => Object.assign(rest, { maxItems: rest.minItems + spare }));
}

function object(item: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  return fc.oneof(
    fc
      .record({
        properties: fc.dictionary(name, item, { maxKeys: 4 }),
        isOpen: fc.boolean(),
        keep: fc.nat(4),
      })
      .map(({ properties, isOpen, keep }): JsonObject => {
        const required = Object.keys(properties).slice(0, keep);
        const open = { type: "object", properties, required };
        return isOpen ? open : Object.assign(open, { additionalProperties: false });
      }),
    fc
      .record({ additionalProperties: item, minProperties: fc.nat(4) })
      .map((rest): JsonObject => Object.assign(rest, { type: "object" })),
  );
}

function choice(item: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> {
  const named: fc.Arbitrary<Json> = item;
  return fc.oneof(
    fc.array(item, { minLength: 1, maxLength: 3 }).map((anyOf): JsonObject => ({ anyOf })),
    named.map((part): JsonObject => ({ $defs: { part }, anyOf: [part, { type: "null" }] })),
  );
}
