/** The transport of the MCP client library over a program that we have started ourselves. */
import type { Transport } from "@modelcontextprotocol/client";
import type { PipedProgram } from "../domain/program.ts";
import type { Clock } from "../lib/clock.ts";

/** How long a server may take to end after its input was closed, and again after it was asked to. */
const STOP_GRACE_MS = 1_000;

/** The two functions of the library that know how messages look on a pipe. */
export interface Wire {
  readonly ReadBuffer: typeof import("@modelcontextprotocol/client").ReadBuffer;
  readonly serializeMessage: typeof import("@modelcontextprotocol/client").serializeMessage;
}

/** Closed when the program ends; closing it ends the program. */
export function createStdioTransport(
  program: PipedProgram,
  { ReadBuffer, serializeMessage }: Wire,
  clock: Clock,
): Transport {
  const buffer = new ReadBuffer();
  const takeMessages = () => {
    for (;;) {
      try {
        const message = buffer.readMessage();
        if (message === null) return;
        transport.onmessage?.(message);
      } catch (error) {
        // A line that is JSON but no message: servers print things. The next line may be one.
        transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  const read = async () => {
    try {
      for await (const chunk of program.stdout) {
        buffer.append(Buffer.from(chunk));
        takeMessages();
      }
    } catch (error) {
      // More than the library holds, or a broken pipe: no server to talk to any more.
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
    await stop();
    transport.onclose?.();
  };
  const endedWithin = async (ms: number) => {
    const over = new AbortController();
    const ended = await Promise.race([
      program.exited.then(() => true),
      clock.sleep(ms, over.signal).then(() => false),
    ]);
    over.abort();
    return ended;
  };
  const stop = async () => {
    program.closeInput();
    if (await endedWithin(STOP_GRACE_MS)) return;
    if (program.ask() && (await endedWithin(STOP_GRACE_MS))) return;
    program.kill();
    await program.exited;
  };
  const transport: Transport = {
    async start() {
      void read();
    },
    send: (message) => program.write(serializeMessage(message)),
    close: stop,
  };
  return transport;
}
