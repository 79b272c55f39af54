/** Files for models, read from a real folder and a real server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../src/domain/error.ts";
import { createHttpPort } from "../../src/http/port.ts";
import {
  createModelFiles,
  MODEL_FILE_BYTES_MAX,
  MODEL_TEXT_BYTES_MAX,
} from "../../src/llm/file.ts";

const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);
const signal = new AbortController().signal;

let folder: string;
let workspace: string;
let server: ReturnType<typeof Bun.serve>;
/** Of the server, with a slash at its end. */
let address: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agents-file-"));
  workspace = join(folder, "workspace");
  await mkdir(join(workspace, "inner"), { recursive: true });
  await writeFile(join(workspace, "inner", "dot.png"), PNG);
  await writeFile(join(workspace, "lies.txt"), PNG);
  await writeFile(join(workspace, "table.csv"), "a,b\n1,ü\n");
  await writeFile(join(workspace, "empty.txt"), "");
  await writeFile(join(workspace, "large.txt"), "x".repeat(MODEL_TEXT_BYTES_MAX + 1));
  await writeFile(join(workspace, "huge.png"), new Uint8Array(MODEL_FILE_BYTES_MAX + 1));
  await writeFile(join(folder, "secret.txt"), "secret");
  await symlink(join(folder, "secret.txt"), join(workspace, "link.txt"));
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/a/report.pdf") return new Response("%PDF-1.7\n");
      if (pathname === "/gone") return new Response("", { status: 404 });
      return new Response("", { status: 503 });
    },
  });
  address = server.url.href;
});
afterAll(async () => {
  await server.stop(true);
  await rm(folder, { recursive: true, force: true });
});

const files = (allowedAddresses: readonly string[] = [`127.0.0.1:${server.port}`]) =>
  createModelFiles({
    folders: { roots: [workspace], hidden: [] },
    http: createHttpPort({ allowedAddresses }),
  });

/** The failure of a reference that must be refused. */
async function refusal(reference: string, reader = files()): Promise<string> {
  return await reader.read(reference, signal).then(
    ({ name }) => `read ${name}`,
    ({ code, message }: AppError) => `${code}: ${message}`,
  );
}

describe("read()", () => {
  test("knows a file by its content, names it, and gives its hash", async () => {
    const expected = {
      name: "dot.png",
      mediaType: "image/png",
      hash: new Bun.CryptoHasher("sha256").update(PNG).digest("hex"),
      data: PNG,
    };
    expect(await files().read("inner/dot.png", signal)).toEqual(expected);
    expect(await files().read(join(workspace, "inner/dot.png"), signal)).toEqual(expected);
    expect(await files().read("lies.txt", signal)).toEqual({ ...expected, name: "lies.txt" });
    const table = await files().read("table.csv", signal);
    expect([table.mediaType, new TextDecoder().decode(table.data)]).toEqual([
      "text/csv",
      "a,b\n1,ü\n",
    ]);
  });

  test("downloads an address, and reads a data: URL", async () => {
    const report = await files().read(`${address}a/report.pdf?key=1`, signal);
    expect([report.name, report.mediaType]).toEqual(["report.pdf", "application/pdf"]);
    const image = await files().read(`data:image/jpeg;base64,${PNG.toBase64()}`, signal);
    expect([image.name, image.mediaType, image.data]).toEqual(["data", "image/png", PNG]);
    const text = await files().read("data:,Hello%20there", signal);
    expect([text.mediaType, new TextDecoder().decode(text.data)]).toEqual([
      "text/plain",
      "Hello there",
    ]);
  });

  test("stays in the workspace and away from private addresses", async () => {
    for (const path of ["../secret.txt", join(folder, "secret.txt"), "link.txt"])
      expect(await refusal(path)).toStartWith(`forbidden: The file "${path}" may not be read:`);
    expect(await refusal(`${address}a/report.pdf`, files([]))).toStartWith("forbidden: ");
  });

  test("says what is wrong with a reference", async () => {
    expect(await refusal("missing.png")).toBe(
      'not_found: The file "missing.png" is not in the workspace.',
    );
    expect((await refusal("x/".repeat(3_000))).length).toBeLessThan(300);
    expect(await refusal("inner")).toStartWith("invalid: ");
    expect(await refusal("empty.txt")).toBe('invalid: "empty.txt" is empty.');
    expect(await refusal("large.txt")).toBe('too_large: "large.txt" is larger than 2 MiB.');
    expect(await refusal("huge.png")).toBe('too_large: "huge.png" is larger than 10 MiB.');
    expect(await refusal("ftp://host/a.png")).toBe(
      "invalid: A file cannot be read from a ftp: address.",
    );
    expect(await refusal("data:image/png;base64,!!")).toBe(
      "invalid: A data: URL of a file cannot be read.",
    );
    expect(await refusal(`${address}gone?key=secret`)).toBe(
      `not_found: The file at ${address}gone cannot be had (HTTP 404).`,
    );
    expect(await refusal(`${address}busy`)).toStartWith("unavailable: ");
  });

  for (const [name, kind, begin] of [
    ["letter.docx", "a zip archive or an office document", "PK\x03\x04"],
    ["photo.heic", "a HEIC image", "\x00\x00\x00\x18ftypheic"],
    ["film.mp4", "a film or sound", "\x00\x00\x00\x18ftypisom"],
    ["song.wav", "a sound", "RIFF\x01\x02\x03\x04WAVE"],
    ["thing.bin", "of a kind that is not known", "\x00\x01\x02"],
    ["old.txt", "of a kind that is not known", "gr\xfc\xdf"],
  ] as const) {
    test(`refuses ${name}, which is ${kind}`, async () => {
      await writeFile(join(workspace, name), Buffer.from(begin, "latin1"));
      expect(await refusal(name)).toBe(
        `invalid: "${name}" is ${kind}; models take images, PDF and text.`,
      );
    });
  }

  test("does nothing when the signal has aborted", async () => {
    const reason = new Error("over");
    const read = files().read("table.csv", AbortSignal.abort(reason));
    expect(await read.catch((error: unknown) => error)).toBe(reason);
  });
});
