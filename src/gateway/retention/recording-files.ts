import { isAbsolute, join } from "node:path";
import { createId } from "../../core/events/id.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import { type OpenFile, openForReading } from "../../platform/read-range.ts";
import { removeFile } from "../../platform/remove-file.ts";
import type { RecordingFileRecord, RecordingRecord, Store } from "../../store/types.ts";

export interface RecordingFilesDeps {
  readonly store: Pick<Store, "recordings">;
  /** Where relative paths begin. */
  readonly recordingsFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Place {
  readonly path: string;
  readonly within: string | null;
}

/** A path of the store: inside the folder of recordings, unless a program has recorded to a place of its own. */
function placeOf({ path }: RecordingFileRecord, folder: string): Place {
  return isAbsolute(path) ? { path, within: null } : { path: join(folder, path), within: folder };
}

/** Null when it is not there. @throws The system's error. */
export function openRecordingFile(file: RecordingFileRecord, folder: string): Promise<OpenFile | null> {
  const { path, within } = placeOf(file, folder);
  return openForReading(path, within);
}

/**
 * Removes a recording's files, then marks it deleted: with an event of its call and an entry of the audit. What fails halfway can be done
 * again.
 *
 * @param actor As in the audit.
 * @returns False when a file could not be removed; the log says why, and the recording is not marked.
 * @throws {RingbackError} `STORE_UNAVAILABLE`.
 */
export async function deleteRecording(
  recording: RecordingRecord,
  actor: string,
  deps: RecordingFilesDeps,
): Promise<boolean> {
  for (const file of recording.files) {
    if (!(await remove(recording.id, file, deps))) return false;
  }
  const at = Math.round(deps.clock.wallMs());
  await deps.store.recordings.markDeleted(recording.id, createId("evt", at, deps.random), at, actor);
  return true;
}

async function remove(
  recordingId: string,
  file: RecordingFileRecord,
  { recordingsFolder, logger }: RecordingFilesDeps,
): Promise<boolean> {
  const { path, within } = placeOf(file, recordingsFolder);
  try {
    if (await removeFile(path, within)) return true;
    logger.error(
      { recordingId },
      "a file of a recording is not in the folder of recordings: it was left alone",
    );
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    logger.error(
      { recordingId, code },
      "a file of a recording cannot be removed: look at the folder's rights",
    );
  }
  return false;
}
