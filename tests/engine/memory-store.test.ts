import { testQueue } from "../conformance/queue.ts";
import { testRunStore } from "../conformance/run-store.ts";
import { createManualClock } from "../store/support/manual-clock.ts";
import { createMemoryStore } from "./memory-store.ts";

const implementation = {
  setup: async () => {
    const clock = createManualClock();
    return { ...createMemoryStore(clock), clock, [Symbol.asyncDispose]: async () => undefined };
  },
};

testRunStore("in memory", implementation);
testQueue("in memory", implementation);
