/**
 * Holds many streams open on bare sockets. Arguments: host, port, path, how many. Says `ready` when each has had its
 * first message; for every line on standard input it says `watching`, and then, as JSON, when each reader had that
 * word.
 */
import { connect, type Socket } from "node:net";

const [host = "", port = "", path = "", count = "0"] = process.argv.slice(2);
const readerCount = Number(count);
/** Opened at the same time; the backlog of a server is not endless. */
const BATCH_COUNT = 100;
/** The end of a chunk, in which a word may have begun. */
const TAIL_BYTES = 64;
const HEAD_END = "\n\n";

interface Reader {
  tail: Buffer;
  foundAt: number;
  readonly first: PromiseWithResolvers<void>;
}

let word: Buffer | undefined;
let left = 0;
let done = Promise.withResolvers<void>();
const readers: Reader[] = [];

function open(): Promise<void> {
  const reader: Reader = { tail: Buffer.alloc(0), foundAt: 0, first: Promise.withResolvers() };
  readers.push(reader);
  const socket: Socket = connect(Number(port), host);
  socket.on("connect", () =>
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: text/event-stream\r\n\r\n`,
    ),
  );
  socket.on("data", (chunk) => read(reader, Buffer.from(chunk)));
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("A stream was closed.")));
  return reader.first.promise;
}

function read(reader: Reader, chunk: Buffer): void {
  const bytes = Buffer.concat([reader.tail, chunk]);
  if (bytes.includes("data: ") && bytes.includes(HEAD_END)) reader.first.resolve();
  if (word !== undefined && reader.foundAt === 0 && bytes.includes(word)) {
    reader.foundAt = Date.now();
    left -= 1;
    if (left === 0) done.resolve();
  }
  reader.tail = bytes.subarray(-TAIL_BYTES);
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

for (let opened = 0; opened < readerCount; opened += BATCH_COUNT)
  await Promise.all(Array.from({ length: Math.min(BATCH_COUNT, readerCount - opened) }, open));
console.log("ready");

for await (const line of console) {
  left = readerCount;
  done = Promise.withResolvers();
  for (const reader of readers) reader.foundAt = 0;
  word = Buffer.from(line);
  console.log("watching");
  await done.promise;
  console.log(JSON.stringify(readers.map(({ foundAt }) => foundAt)));
}
