/** The conformance suites on a database in memory, in a file, and in a file that three processes share. */
import { afterAll } from "bun:test";
import type { Queue, RunStore } from "../../src/domain/run.ts";
import { openStore } from "../../src/store/store.ts";
import { testQueue } from "../conformance/queue.ts";
import { testRunStore } from "../conformance/run-store.ts";
import type { Implementation } from "../conformance/support.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { startRemoteStore } from "./support/remote-store.ts";

const inMemory: Implementation = {
  async setup() {
    const clock = createManualClock();
    const store = await openStore({ path: ":memory:", clock });
    return { ...store, clock, [Symbol.asyncDispose]: () => store.close() };
  },
};

const inFile: Implementation = {
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
};

/** Two processes that stay for all tests: each test gives them a file of its own. */
const remotes = [startRemoteStore(), startRemoteStore()];
afterAll(() => Promise.all(remotes.map((remote) => remote.stop())));

const inSharedFile: Implementation = {
  async setup() {
    const folder = await temporaryFolder();
    const clock = createManualClock();
    const store = await openStore({ path: folder.database, clock });
    const others = remotes.map((remote) => remote.open(folder.database, clock));
    return {
      runs: takeTurns<RunStore>(store.runs, ...others.map((other) => other.runs)),
      queue: takeTurns<Queue>(store.queue, ...others.map((other) => other.queue)),
      workflows: store.workflows,
      clock,
      async [Symbol.asyncDispose]() {
        await Promise.all(others.map((other) => other.close()));
        await store.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

/** Every call goes to the next of them. */
function takeTurns<T extends object>(...all: readonly [T, ...T[]]): T {
  let count = 0;
  return new Proxy(all[0], {
    get(_, method) {
      count += 1;
      return Reflect.get(all[count % all.length] ?? all[0], method);
    },
  });
}

for (const [name, implementation] of Object.entries({
  memory: inMemory,
  file: inFile,
  "file shared by three processes": inSharedFile,
})) {
  testRunStore(name, implementation);
  testQueue(name, implementation);
}
