/** Ports over real processes of this machine, without a sandbox: for tests only. */
import { AppError } from "../../../src/domain/error.ts";
import type { CodePort, CommandPort, CommandRequest } from "../../../src/domain/sandbox.ts";

export const SANDBOX = {
  mode: "auto",
  network: false,
  limits: { timeMs: 10_000, memoryBytes: 1024 ** 3, cpuCount: 1 },
} as const;

/** Commands as child processes; remembers what it was asked. */
export function spawnCommands(): CommandPort & { readonly requests: CommandRequest[] } {
  const requests: CommandRequest[] = [];
  return {
    requests,
    run: async (request) => {
      requests.push(request);
      const child = Bun.spawn([...request.command], {
        stdin: Buffer.from(request.stdin ?? ""),
        stdout: "pipe",
        stderr: "pipe",
        env: { PATH: process.env["PATH"], ...request.env },
      });
      const onAbort = () => child.kill("SIGKILL");
      request.signal.addEventListener("abort", onAbort, { once: true });
      const read = async (stream: "stdout" | "stderr") => {
        const decoder = new TextDecoder();
        let all = "";
        for await (const chunk of child[stream]) {
          const text = decoder.decode(chunk, { stream: true });
          all += text;
          request.onOutput(stream, text);
        }
        return all;
      };
      const [stdout, stderr] = await Promise.all([read("stdout"), read("stderr"), child.exited]);
      request.signal.throwIfAborted();
      return { exitCode: child.exitCode, stdout, stderr, cut: false };
    },
  };
}

/** JavaScript in a process of its own. */
export function spawnCode(): CodePort & { readonly keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    run: async ({ code }, { inputs, idempotencyKey, signal, onOutput }) => {
      keys.push(idempotencyKey);
      const source = `const inputs = ${JSON.stringify(inputs)}; let result;\n${code}\nprocess.stderr.write(JSON.stringify(result));`;
      const child = Bun.spawn([process.execPath, "-e", source], {
        stdout: "pipe",
        stderr: "pipe",
        signal,
      });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      await child.exited;
      signal.throwIfAborted();
      if (child.exitCode !== 0) throw new AppError("code_failed", "The code failed.");
      onOutput("stdout", stdout);
      return JSON.parse(stderr);
    },
  };
}
