import { AppError } from "../../../src/domain/error.ts";
import { openStore } from "../../../src/store/store.ts";
import { createManualClock } from "./manual-clock.ts";
import type { Answer, Call } from "./remote-store.ts";

const clock = createManualClock();
const opening = openStore({ path: process.argv[2] ?? "", clock });

async function answer(call: Call): Promise<Answer> {
  const store = await opening;
  clock.set(call.nowMs);
  try {
    const port = store[call.port] as unknown as Record<
      string,
      (...args: readonly unknown[]) => Promise<unknown>
    >;
    return { id: call.id, value: await port[call.method]?.(...call.args) };
  } catch (error) {
    const { code, message } = AppError.from(error);
    return { id: call.id, code, message };
  }
}

process.on("message", (call: Call) => {
  void answer(call).then((reply) => process.send?.(reply));
});
