/** What a start does about the end of the session before it. */
import type { SessionRecord } from "../domain/service.ts";
import { AppError } from "../domain/error.ts";
import type { Store } from "../store/store.ts";

/**
 * Marks the session as begun. After an unclean end, the runs that were interrupted are made due at
 * once: the workers of the dead session are dead too, or will find their claims overtaken.
 * @returns the ids of these runs; empty when the database cannot be written, which every page shows.
 */
export async function recoverSession(
  store: Store,
  session: Omit<SessionRecord, "clean">,
  hooks: { reportError: (error: unknown) => void; onNotice: (text: string) => void },
): Promise<readonly string[]> {
  try {
    const before = await store.system.beginSession(session);
    if (before === undefined || before.clean) return [];
    const ids = await store.system.interruptedRunIds();
    const runs = await Promise.all(ids.map((id) => store.runs.get(id)));
    const workers = new Set(runs.flatMap((run) => run?.worker ?? []));
    const dead = [...workers].filter((worker) => worker.startsWith("worker-"));
    await Promise.all(dead.map((worker) => store.queue.releaseWorker(worker)));
    if (ids.length === 0)
      hooks.onNotice("The last session ended without a shutdown. No run was interrupted.");
    return ids;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (store.health().state === "ok") hooks.reportError(error);
    return [];
  }
}
