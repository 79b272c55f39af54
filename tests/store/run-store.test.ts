/** The conformance suite on a database in memory, in a file, and in a file that two processes share. */
import { openStore } from "../../src/store/store.ts";
import type { Queue, RunStore } from "../../src/domain/run.ts";
import { testRunStore } from "../conformance/run-store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { startRemoteStore } from "./support/remote-store.ts";

testRunStore("memory", {
  async setup() {
    const clock = createManualClock();
    const store = await openStore({ path: ":memory:", clock });
    return { ...store, clock, [Symbol.asyncDispose]: () => store.close() };
  },
});

testRunStore("file", {
  async setup() {
    const folder = await temporaryFolder();
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    return {
      ...store,
      clock,
      async [Symbol.asyncDispose]() {
        await store.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
});

testRunStore("file shared by two processes", {
  async setup() {
    const folder = await temporaryFolder();
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    const remote = startRemoteStore(folder.database, clock);
    return {
      runs: alternate<RunStore>(store.runs, remote.runs),
      queue: alternate<Queue>(store.queue, remote.queue),
      workflows: store.workflows,
      clock,
      async [Symbol.asyncDispose]() {
        await remote[Symbol.asyncDispose]();
        await store.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
});

/** Every second call goes to the other process. */
function alternate<T extends object>(here: T, there: T): T {
  let count = 0;
  return new Proxy(here, {
    get(_, method) {
      count += 1;
      return Reflect.get(count % 2 === 0 ? here : there, method);
    },
  });
}
