import { AppError } from "../../../src/domain/error.ts";
import { type Store, openStore } from "../../../src/store/store.ts";
import { createManualClock } from "./manual-clock.ts";
import type { Answer, Call } from "./remote-store.ts";

const clock = createManualClock();
const stores = new Map<string, Promise<Store>>();

async function answer(call: Call): Promise<Answer> {
  const opening = stores.get(call.path) ?? openStore({ path: call.path, clock });
  stores.set(call.path, opening);
  const store = await opening;
  clock.set(call.nowMs);
  try {
    if (call.port === "store") {
      stores.delete(call.path);
      return { id: call.id, value: await store.close() };
    }
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
process.on("disconnect", () => process.exit());
