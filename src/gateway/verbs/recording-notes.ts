import { basename, dirname, resolve } from "node:path";
import type { EventType, JsonObject } from "../../core/events/event-types.ts";
import type { RecordingRecord } from "../../store/types.ts";
import { snakeCase } from "../records/event-data.ts";
import type { RecordKeeper } from "../records/record-keeper.ts";
import type { RecordedFile, RecordingConsent, RecordingResult, RecordOptions } from "./types.ts";

/** What is known of a recording before it ends. */
export interface NotedRecording {
  /** `rec_…` */
  readonly id: string;
  readonly options: RecordOptions;
  /** Where files are that are named without a folder. */
  readonly folder: string;
  /** In ms since the Unix epoch. */
  readonly startedAt: number;
}

const TYPES: Readonly<Record<RecordingResult["status"], EventType>> = {
  completed: "recording.completed",
  failed: "recording.failed",
  absent: "recording.absent",
};

/** Notes that something is being recorded from now on, and where: what a crash leaves is then found. */
export function noteRecordingStart(
  keeper: RecordKeeper,
  noted: NotedRecording,
  consent: RecordingConsent,
  begun: readonly Pick<RecordedFile, "path" | "channel">[],
): void {
  const files = begun.map(({ path, channel }) => ({
    path: storedPath(path, noted.folder),
    channel,
    bytes: 0,
    sha256: "",
  }));
  const row = { ...rowOf(keeper, noted, consent), status: "in-progress", files, durationMs: null } as const;
  keeper.recording({ ...row, endedAt: null }, "recording.started", recordingData({ ...row, endedAt: null }));
}

export function noteRecordingEnd(
  keeper: RecordKeeper,
  noted: NotedRecording,
  result: RecordingResult,
  endedAt: number,
): void {
  const files = result.files.map(({ path, ...file }) => ({ path: storedPath(path, noted.folder), ...file }));
  const { status, durationMs, consent, endedBy, error } = result;
  const row = { ...rowOf(keeper, noted, consent), status, files, durationMs, endedAt };
  const data = { ...recordingData(row), ended_by: snakeCase(endedBy), error_code: error?.code ?? null };
  keeper.recording(row, TYPES[status], data);
}

type Row = Pick<RecordingRecord, "id" | "callId" | "phoneNumberId" | "format" | "consent" | "startedAt">;

function rowOf(
  { recordId, phoneNumberId }: RecordKeeper,
  noted: NotedRecording,
  consent: RecordingConsent,
): Row {
  const { id, options, startedAt } = noted;
  const { mode, state, atMs } = consent;
  const at = atMs === null ? null : new Date(atMs).toISOString();
  return {
    id,
    callId: recordId,
    phoneNumberId,
    format: options.format ?? "opus",
    consent: { mode, state: snakeCase(state), at },
    startedAt,
  };
}

/** A recording as events tell of it: without paths. */
export function recordingData(row: RecordingRecord): JsonObject {
  const [first] = row.files;
  return {
    recording_id: row.id,
    status: snakeCase(row.status),
    duration_ms: row.durationMs,
    channels: first === undefined ? null : row.files.length > 1 ? "both" : first.channel,
    format: row.format,
    consent: row.consent,
    files: row.files.map(({ channel, bytes, sha256 }) => ({ channel, bytes, sha256 })),
  };
}

/** Its name alone, inside the folder of recordings. */
export function storedPath(path: string, folder: string): string {
  return resolve(dirname(path)) === resolve(folder) ? basename(path) : resolve(path);
}
