import { expect, test } from "bun:test";
import { join } from "node:path";

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

test("model-server.ts runs as a process of its own and ends with its standard input", async () => {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "model-server.ts"), "--port", "0"],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const { url, baseUrls } = JSON.parse(new TextDecoder().decode(value));
  expect(Object.keys(baseUrls)).toEqual([
    "openai",
    "anthropic",
    "google",
    "ollama",
    "openai-compatible",
  ]);
  const ask = () =>
    fetch(`${baseUrls["openai-compatible"]}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] }),
    });
  await fetch(`${url}/control/next`, {
    method: "POST",
    body: JSON.stringify([{ kind: "status", status: 503 }]),
  });
  expect((await ask()).status).toBe(503);
  const answer: Answer = JSON.parse(await (await ask()).text());
  expect(answer.choices[0]?.message.content).toBe("The mock server was asked: Hi");
  const page = await fetch(`${url}/control/requests`);
  const recorded: { path: string }[] = JSON.parse(await page.text());
  expect(recorded.map((request) => request.path)).toEqual([
    "/v1/chat/completions",
    "/v1/chat/completions",
  ]);
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});
