/** Opens the store at the path given and prints what that did. */
import { openStore } from "../../../src/store/store.ts";
import { createManualClock } from "./manual-clock.ts";

const store = await openStore({ path: process.argv[2] ?? "", clock: createManualClock() });
console.log(JSON.stringify(store.opened));
await store.close();
