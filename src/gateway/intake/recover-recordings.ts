import { isAbsolute, join } from "node:path";
import type { Logger } from "../../logger.ts";
import { finishRecording, type WorkSlices } from "../../media/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { CallRecord, RecordingRecord, Store } from "../../store/types.ts";
import type { Records } from "../records/records.ts";
import { recordingData, storedPath } from "../verbs/recording-notes.ts";

const PAGE = 100;

export interface RecoverRecordingsOptions {
  readonly store: Store;
  readonly records: Records;
  readonly node: string;
  readonly recordingsFolder: string;
  readonly slices: WorkSlices;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ends the recordings that a process before this one was at: what is on the disk of them can be played, and is named. */
export async function recoverRecordings(options: RecoverRecordingsOptions): Promise<void> {
  const { store, node } = options;
  let after: string | undefined;
  for (;;) {
    const page = { limit: PAGE, ...(after !== undefined && { after }) };
    const { items, next } = await store.recordings.list({ status: "in-progress" }, page);
    for (const recording of items) {
      const call = await store.calls.get(recording.callId);
      if (call?.node === node && call.state === "ended") await endRecording(options, recording, call);
    }
    if (next === null) return;
    after = String(next);
  }
}

async function endRecording(
  { recordingsFolder, slices, records, clock, logger }: RecoverRecordingsOptions,
  recording: RecordingRecord,
  call: CallRecord,
): Promise<void> {
  const begun = recording.files.map(({ path, channel, bytes }) => ({
    path: isAbsolute(path) ? path : join(recordingsFolder, path),
    channel,
    bytes,
  }));
  const { files } = await finishRecording(begun, { slices });
  const row: RecordingRecord = {
    ...recording,
    status: "failed",
    // What was to become WAV is still Opus.
    format: "opus",
    files: files.map(({ path, channel, bytes, sha256 }) => ({
      path: storedPath(path, recordingsFolder),
      channel,
      bytes,
      sha256,
    })),
    durationMs: Math.round(Math.max(0, ...files.map(({ durationMs }) => durationMs))),
    endedAt: Math.round(clock.wallMs()),
  };
  logger.warn(
    { recording: recording.id, files: files.length },
    "a recording was cut off by the end of the process",
  );
  const data = { ...recordingData(row), ended_by: "gateway_restarted", error_code: "RECORDING_FAILED" };
  await records.endRecording(call, row, data);
}
