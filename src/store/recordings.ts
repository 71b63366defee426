import type { JsonObject } from "../core/events/event-types.ts";
import { addAudit } from "./audit.ts";
import { insertEvents } from "./commit.ts";
import type { Database } from "./database.ts";
import type { EnqueueDeps } from "./enqueue.ts";
import { toRecording } from "./recording-rows.ts";
import type { Queries, Tx } from "./schema.ts";
import type { Page, RecordingRecord, Recordings } from "./types.ts";

type RecordingFilter = Parameters<Recordings["list"]>[0];

interface Deletion {
  readonly id: string;
  readonly eventId: string;
  readonly at: number;
  readonly actor: string;
}

export function createRecordings(database: Database, deps: EnqueueDeps): Recordings {
  return {
    get: (id) => database.read((db) => readRecording(db, id)),
    list: (filter, page) => database.read((db) => listRecordings(db, filter, page)),
    markDeleted: async (id, eventId, at, actor) => {
      const deleted = await database.write(async (tx) => {
        await database.dialect.lock(tx, "events");
        return await markDeleted(tx, { id, eventId, at: Math.round(at), actor }, deps);
      });
      if (deleted !== null) database.announce();
      return deleted;
    },
  };
}

async function readRecording(db: Queries, id: string): Promise<RecordingRecord | null> {
  const row = await db.selectFrom("recordings").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toRecording(row);
}

async function listRecordings(
  db: Queries,
  filter: RecordingFilter,
  page: { readonly after?: string; readonly limit: number },
): Promise<Page<RecordingRecord>> {
  let query = db
    .selectFrom("recordings")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (filter.callId !== undefined) query = query.where("call_id", "=", filter.callId);
  if (filter.phoneNumberId !== undefined) query = query.where("phone_number_id", "=", filter.phoneNumberId);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  const rows = await query.execute();
  const items = rows.slice(0, page.limit).map(toRecording);
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
}

async function markDeleted(tx: Tx, deletion: Deletion, deps: EnqueueDeps): Promise<RecordingRecord | null> {
  const recording = await readRecording(tx, deletion.id);
  // Deleted already: no second event of it.
  if (recording === null || recording.status === "deleted") return recording;
  const deleted: RecordingRecord = { ...recording, status: "deleted", files: [] };
  await tx
    .updateTable("recordings")
    .set({ status: "deleted", files: "[]" })
    .where("id", "=", deletion.id)
    .execute();
  await addDeletedEvent(tx, deletion, recording, deps);
  await addAudit(tx, {
    at: deletion.at,
    actor: deletion.actor,
    action: "recording.deleted",
    target: deletion.id,
    detail: { call_id: recording.callId },
  });
  return deleted;
}

async function addDeletedEvent(
  tx: Tx,
  deletion: Deletion,
  recording: RecordingRecord,
  deps: EnqueueDeps,
): Promise<void> {
  const call = await tx
    .updateTable("calls")
    .set((set) => ({ seq: set("seq", "+", 1) }))
    .where("id", "=", recording.callId)
    .returning("seq")
    .executeTakeFirst();
  if (call === undefined) return;
  const event = {
    id: deletion.eventId,
    type: "recording.deleted",
    at: deletion.at,
    call_id: recording.callId,
    phone_number_id: recording.phoneNumberId,
    seq: call.seq,
    data: JSON.stringify(deletedData(recording)),
  };
  await insertEvents(tx, [event], deps);
}

function deletedData(recording: RecordingRecord): JsonObject {
  const [first] = recording.files;
  return {
    recording_id: recording.id,
    status: "deleted",
    duration_ms: recording.durationMs,
    channels: first === undefined ? null : recording.files.length > 1 ? "both" : first.channel,
    format: recording.format,
    consent: recording.consent,
    files: [],
  };
}
