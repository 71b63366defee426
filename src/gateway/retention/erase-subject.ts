import type { CallRecord, CallState, Store } from "../../store/types.ts";
import { deleteRecording, type RecordingFilesDeps } from "./recording-files.ts";

const LIVE: readonly CallState[] = ["ringing", "connecting", "active"];
const PAGE = 100;

export interface EraseDeps extends RecordingFilesDeps {
  readonly store: Pick<Store, "calls" | "erase" | "recordings">;
}

/** What was taken away of a person. */
export interface Erasure {
  readonly calls: number;
  readonly events: number;
  readonly webhooks: number;
  readonly recordings: number;
  /** Recordings with a file that could not be removed: the log says why, and the retention job tries again. */
  readonly recordingsLeft: number;
}

/**
 * Takes everything personal of somebody out of the store, and removes their recordings with the files.
 *
 * @param subject As `readSubject` gives it.
 * @param actor As in the audit.
 * @returns `live` when they are on the line: nothing was done.
 * @throws {RingbackError} `STORE_UNAVAILABLE`.
 */
export async function eraseSubject(
  subject: string,
  actor: string,
  deps: EraseDeps,
): Promise<Erasure | "live"> {
  if (await isLive(subject, deps)) return "live";
  const erased = await deps.store.erase(subject, Math.round(deps.clock.wallMs()), actor);
  let recordingsLeft = 0;
  for (const recording of erased.recordings) {
    if (!(await deleteRecording(recording, actor, deps))) recordingsLeft += 1;
  }
  const { calls, events, webhooks } = erased;
  return { calls, events, webhooks, recordings: erased.recordings.length - recordingsLeft, recordingsLeft };
}

/** Digits of a number in any common way of writing it, or a user id as it is; null for what is neither. */
export function readSubject(text: string): string | null {
  const compact = text.trim();
  if (/^\+?[\d\s().-]+$/.test(compact)) {
    const digits = compact.replace(/\D/g, "").replace(/^00/, "");
    return digits.length >= 5 && digits.length <= 20 ? digits : null;
  }
  return /^[\w.:@-]{1,128}$/.test(compact) ? compact : null;
}

/** There are no more live calls than a gateway takes, so all of them are looked at. */
async function isLive(subject: string, { store }: EraseDeps): Promise<boolean> {
  for (const state of LIVE) {
    for (let after: string | undefined; ; ) {
      const page = await store.calls.list({ state }, { limit: PAGE, ...(after !== undefined && { after }) });
      if (page.items.some((call) => isAbout(call, subject))) return true;
      if (page.next === null) break;
      after = String(page.next);
    }
  }
  return false;
}

function isAbout({ party }: CallRecord, subject: string): boolean {
  return party.number === subject || party.userId === subject;
}
