/**
 * Twenty descriptions through the whole path: form, prompt, provider adapter, HTTP, stream, check, repair, saving.
 * The answers in `descriptions/` are as models write them, some with mistakes, each sent in a provider's own wire
 * format. Which format, and what was wrong with the answers that had to be mended, is said here.
 */
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import type { ProviderName } from "../../src/domain/workflow.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { splitFences } from "../../src/lib/fenced-text.ts";
import { createModelPort } from "../../src/llm/port.ts";
import { serverSettings } from "../llm/support.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { beginTalk, isAtRest, pageWith, startChatWorld } from "./chat-world.ts";
import { Browser } from "./world.ts";

const FOLDER = join(import.meta.dir, "descriptions");

/** By description: the codes of the errors in each answer but the last, which has none. */
const REPAIRED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "competitor-brief": [["unknown-tool"]],
  "contract-review": [["parallel-write"]],
  "language-tutor": [["bad-value"]],
  "localize-release-notes": [
    ["bad-type", "missing-key", "unknown-field", "unknown-key", "unknown-placeholder"],
  ],
  "newsletter-campaign": [
    ["bad-type", "bad-type", "no-end", "unknown-key", "unknown-node"],
    ["unknown-key"],
  ],
  "refund-desk": [["bad-value", "dead-end"]],
  "sales-digest": [["syntax"]],
  "slogan-workshop": [["bad-condition", "bad-routes"]],
};

/** How the providers are asked whose answers have this format. */
const FORMATS: Readonly<Record<string, { provider: ProviderName; model: string; path: string }>> = {
  chat: { provider: "openai-compatible", model: "qwen3-32b", path: "/v1/chat/completions" },
  responses: { provider: "openai", model: "gpt-5-mini", path: "/v1/responses" },
  messages: { provider: "anthropic", model: "claude-sonnet-5", path: "/v1/messages" },
  gemini: {
    provider: "google",
    model: "gemini-2.5-pro",
    path: "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
  },
};

interface Recording {
  readonly name: string;
  readonly format: string;
  /** What the person wrote. */
  readonly text: string;
  readonly answers: readonly string[];
}

function readRecording(file: string): Recording {
  const [head = "", ...answers] = readFileSync(join(FOLDER, file), "utf8").split("\n=== answer\n");
  const [, format = "", text = ""] = /^(\w+): (.+)\n$/.exec(head) ?? [];
  return { name: file.replace(/\.txt$/, ""), format, text, answers };
}

const RECORDINGS = readdirSync(FOLDER).toSorted().map(readRecording);
/** Names of the descriptions that became valid, with how often they were repaired. */
const valid = new Map<string, number>();

const yamlOf = (answer: string) =>
  `${splitFences(answer).find((part) => part.kind === "code")?.text ?? ""}\n`;
const read = (source: string) => parseWorkflow(source, { format: "yaml", knownTools: TOOL_NAMES });
const errorsOf = (source: string) =>
  read(source)
    .problems.map(({ code }) => code)
    .toSorted();
/** About as long as tokens are. */
const tokensOf = (answer: string) => answer.match(/\s*\S{1,5}|\s+$/gu) ?? [];

async function startTalks(format: string, models: ModelServer) {
  const { provider, model } = FORMATS[format] ?? { provider: "demo", model: "" };
  return startChatWorld({
    models: createModelPort({ ...serverSettings(models), provider, model }),
    chatDeps: {
      facts: () =>
        Promise.resolve({
          tools: TOOL_NAMES.map((name) => ({ name, description: "A tool." })),
          workflows: [],
          providers: [provider],
        }),
    },
  });
}

test.each(RECORDINGS.map((recording) => [recording.name, recording] as const))(
  "%s",
  async (name, { format, text, answers }) => {
    const repairs = REPAIRED[name] ?? [];
    const sources = answers.map(yamlOf);
    expect(sources.map(errorsOf)).toEqual([...repairs.map((codes) => [...codes]), []]);
    await using models = await startModelServer();
    await using world = await startTalks(format, models);
    models.next(
      ...answers.map((answer) => {
        const pieces = tokensOf(answer);
        const usage = { input: 4_000, output: pieces.length };
        return { kind: "answer", pieces, usage } as const;
      }),
    );

    const browser = new Browser(world);
    const path = await beginTalk(browser, text);
    const page = await pageWith(browser, path, isAtRest);
    const flow = read(sources.at(-1) ?? "").workflow?.name ?? "";
    expect(page).toContain(flow);
    const requests = models.requests();
    expect(requests.map((request) => request.path)).toEqual(
      answers.map(() => FORMATS[format]?.path ?? ""),
    );
    for (const [index, { body }] of requests.entries()) {
      const sent = JSON.stringify(body);
      expect(sent).toContain(JSON.stringify(text).slice(1, -1));
      // What was wrong with each answer before this one goes back with it.
      const told = sent.match(/The workflow was checked and cannot run yet: \d+ error/g) ?? [];
      expect(told.map((words) => Number(/\d+/.exec(words)?.[0]))).toEqual(
        repairs.slice(0, index).map((codes) => codes.length),
      );
    }

    const message = `${1 + answers.length}-new`;
    const saved = await browser.post(`${path}/workflows`, { message });
    expect(saved.headers.get("Location")).toMatch(/^\/workflows\/\w+\?conversation=\w+$/);
    const record = await world.store.workflows.get(flow);
    expect(record?.version).toMatchObject({ number: 1, source: sources.at(-1) });
    const workflowPage = await browser.get(saved.headers.get("Location") ?? "");
    expect(workflowPage.text).toContain(`<h1>${flow}</h1>`);
    expect(world.errors).toEqual([]);
    valid.set(name, requests.length - 1);
  },
);

test("twenty are valid, eight of them after repair", () => {
  const counts = [...valid.values()];
  expect({
    valid: counts.length,
    repaired: counts.filter((count) => count > 0).length,
    rounds: counts.reduce((sum, count) => sum + count, 0),
    formats: Object.keys(Object.groupBy(RECORDINGS, ({ format }) => format)).toSorted(),
  }).toEqual({
    valid: 20,
    repaired: 8,
    rounds: 9,
    formats: ["chat", "gemini", "messages", "responses"],
  });
});

afterAll(() => {
  const repaired = [...valid].filter(([, count]) => count > 0);
  const names = repaired.map(([name, count]) => `${name} ${count}`).join(", ");
  console.log(`${valid.size} valid, ${repaired.length} after repair (${names})`);
});
