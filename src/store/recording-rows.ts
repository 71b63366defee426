import type { Insertable, Selectable } from "kysely";
import type { JsonObject } from "../core/events/event-types.ts";
import type { RecordingTable, Tx } from "./schema.ts";
import type { RecordingFileRecord, RecordingRecord, RecordingStatus } from "./types.ts";

export function toRecording(row: Selectable<RecordingTable>): RecordingRecord {
  return {
    id: row.id,
    callId: row.call_id,
    phoneNumberId: row.phone_number_id,
    status: row.status as RecordingStatus,
    format: row.format as RecordingRecord["format"],
    files: JSON.parse(row.files) as readonly RecordingFileRecord[],
    durationMs: row.duration_ms,
    consent: JSON.parse(row.consent) as JsonObject,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function fromRecording(recording: RecordingRecord): Insertable<RecordingTable> {
  return {
    id: recording.id,
    call_id: recording.callId,
    phone_number_id: recording.phoneNumberId,
    status: recording.status,
    format: recording.format,
    files: JSON.stringify(recording.files),
    duration_ms: recording.durationMs === null ? null : Math.round(recording.durationMs),
    consent: JSON.stringify(recording.consent),
    started_at: Math.round(recording.startedAt),
    ended_at: recording.endedAt === null ? null : Math.round(recording.endedAt),
  };
}

export async function upsertRecordings(tx: Tx, recordings: readonly RecordingRecord[]): Promise<void> {
  for (const recording of recordings) {
    const { id, ...columns } = fromRecording(recording);
    await tx
      .insertInto("recordings")
      .values({ id, ...columns })
      // A deleted one does not come back.
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet(columns).where("recordings.status", "<>", "deleted"),
      )
      .execute();
  }
}
