/**
 * Every workflow file of the replaced system, both of its branches, on the real executable. Nothing is known about
 * any of them here: inputs are made from the types that a file states. `tests/golden/replaced/` says of each whether it
 * runs, with its final state against the scripted model server, or is refused, with the messages. `UPDATE=1` writes
 * them anew. The files are not ours, so their own texts are left out of the golden files.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createHome, type Home, PATIENCE_MS, runAgents, skipLoudly } from "../support/agents.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

setDefaultTimeout(PATIENCE_MS);

const FOLDER = join(import.meta.dir, "../../../shared/workflows");
const GOLDEN = join(import.meta.dir, "../golden/replaced");
/** Code needs the machine's Python and a sandbox. */
const needed = ["python3", "bwrap"].filter((program) => Bun.which(program) === null);

interface StateField {
  readonly type: string;
  readonly required?: boolean;
}

function sampleOf(type: string, name: string): unknown {
  if (type.startsWith("list")) return [sampleOf(/\[(.*)\]/.exec(type)?.[1] ?? "str", name)];
  if (type.startsWith("dict") || type === "object") return {};
  if (type === "int") return 3;
  if (type === "float") return 0.5;
  return type === "bool" ? true : `a ${name}`;
}

function sampleInputs(source: string): string[] {
  const file = Bun.YAML.parse(source) as { state?: { fields?: Record<string, StateField> } };
  return Object.entries(file.state?.fields ?? {}).flatMap(([name, field]) => {
    if (field.required !== true) return [];
    const sample = sampleOf(field.type, name);
    return ["--input", `${name}=${typeof sample === "string" ? sample : JSON.stringify(sample)}`];
  });
}

/** The mock's free answers quote the prompt, which is not ours: they are replaced by what they are. */
function withoutPrompts(value: unknown): unknown {
  const text = JSON.stringify(value, null, 2).replaceAll(
    /"The mock server was asked: (?:[^"\\]|\\.)*"/g,
    '"(an answer of the mock server)"',
  );
  return JSON.parse(text) as unknown;
}

if (!existsSync(FOLDER)) {
  skipLoudly("the workflow files of the replaced system", `${FOLDER} is not here`);
  test.skip("every workflow file of the replaced system runs or is refused", () => {});
} else if (needed.length > 0) {
  skipLoudly("the workflow files of the replaced system", `${needed.join(", ")} is not installed`);
  test.skip("every workflow file of the replaced system runs or is refused", () => {});
} else {
  const files = [...new Bun.Glob("**/*.yaml").scanSync(FOLDER)].toSorted();
  let home: Home;
  let models: ModelServer;
  beforeAll(async () => {
    home = await createHome();
    models = await startModelServer();
  });
  afterAll(async () => {
    await models.stop();
    await home[Symbol.asyncDispose]();
  });

  test("there are as many as there were", () => {
    expect(files.length).toBe(27);
  });

  describe.each(files)("%s", (file) => {
    test("runs or is refused as its golden file says", async () => {
      const path = join(FOLDER, file);
      const inputs = sampleInputs(await Bun.file(path).text());
      const env = {
        PATH: process.env["PATH"] ?? "",
        GOOGLE_API_KEY: "test-google",
        GOOGLE_BASE_URL: models.baseUrlFor("google"),
        OPENAI_API_KEY: "test-openai",
        OPENAI_BASE_URL: models.baseUrlFor("openai"),
        ANTHROPIC_API_KEY: "test-anthropic",
        ANTHROPIC_BASE_URL: models.baseUrlFor("anthropic"),
        SERPER_API_KEY: "test-serper",
        SERPER_BASE_URL: models.serperUrl,
        AGENTS_MLFLOW: "off",
      };
      const { code, stdout } = await runAgents(["run", path, ...inputs, "--json"], { home, env });
      const document = JSON.parse(stdout) as {
        state?: string;
        values?: unknown;
        usage?: { total_tokens: number };
        cost_complete?: boolean;
        error: { code: string; message: string } | null;
        problems?: readonly { severity: string; code: string; message: string; fix?: string }[];
      };
      const seen = {
        exit: code,
        state: document.state ?? "refused",
        ...(document.values === undefined ? {} : { values: withoutPrompts(document.values) }),
        ...(document.usage === undefined ? {} : { tokens: document.usage.total_tokens }),
        error: document.error?.code ?? null,
        ...(document.problems === undefined
          ? {}
          : {
              problems: document.problems.map(({ severity, code: problem, message, fix }) => ({
                severity,
                code: problem,
                message,
                fix,
              })),
            }),
      };
      const golden = join(GOLDEN, `${file}.json`);
      const text = `${JSON.stringify(seen, null, 2)}\n`;
      if (process.env["UPDATE"] === "1") {
        await mkdir(dirname(golden), { recursive: true });
        await Bun.write(golden, text);
      }
      expect(text).toBe(await Bun.file(golden).text());
    });
  });
}
