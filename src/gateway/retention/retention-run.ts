import type { JsonObject } from "../../core/events/event-types.ts";
import type { Pruned, RetentionPolicy, Store } from "../../store/types.ts";
import { deleteRecording, type RecordingFilesDeps } from "./recording-files.ts";
import type { RetentionOutcome } from "./retention-policy.ts";

/** What the store gives at a time. */
const RECORDINGS_AT_ONCE = 100;

export interface RetentionRunDeps extends RecordingFilesDeps {
  readonly store: Pick<Store, "prune" | "recordings" | "audit">;
}

/**
 * Removes what is older than it may be: rows in small transactions, recordings with their files. Leaves an entry in the audit when there
 * was anything. Never rejects.
 *
 * @param isStopping Asked between recordings.
 */
export async function runRetention(
  policy: RetentionPolicy,
  deps: RetentionRunDeps,
  isStopping: () => boolean,
): Promise<RetentionOutcome> {
  const { store, clock, logger } = deps;
  try {
    const at = Math.round(clock.wallMs());
    const { recordings: due, ...rows } = await store.prune(policy, at);
    let recordings = 0;
    for (const recording of due) {
      if (isStopping()) break;
      if (await deleteRecording(recording, "retention", deps)) recordings += 1;
    }
    const detail = countsOf(rows, recordings);
    if (Object.keys(detail).length > 0) {
      await store.audit.add({ at, actor: "retention", action: "retention.enforced", target: null, detail });
      logger.info(detail, "what was older than it may be was removed");
    }
    if (recordings < due.length) return "failed";
    return due.length === RECORDINGS_AT_ONCE ? "more" : "done";
  } catch (error) {
    logger.error({ err: error }, "what is older than it may be could not be removed; it is tried again");
    return "failed";
  }
}

/** Those that are not zero. */
function countsOf(rows: Omit<Pruned, "recordings">, recordings: number): JsonObject {
  const { webhooks, calls, events, deliveries, audit } = rows;
  const counts = { webhooks, calls, events, deliveries, audit, recordings };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
