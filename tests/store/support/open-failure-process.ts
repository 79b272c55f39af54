/** Tries to open the store at the path given and prints how that failed. */
import { AppError } from "../../../src/domain/error.ts";
import { openStore } from "../../../src/store/store.ts";
import { createManualClock } from "./manual-clock.ts";

try {
  const store = await openStore({ path: process.argv[2] ?? "", clock: createManualClock() });
  await store.close();
  console.log("opened");
} catch (error) {
  const { code, message } = AppError.from(error);
  console.log(`${code}: ${message}`);
}
