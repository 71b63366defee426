import type { Insertable, Selectable, Updateable } from "kysely";
import { RingbackError } from "../errors.ts";
import { chunks } from "./batches.ts";
import { afterEnd, fromNewCall, fromUpdate } from "./call-rows.ts";
import { type EnqueueDeps, enqueueDeliveries } from "./enqueue.ts";
import { finishEntries } from "./journal.ts";
import { upsertRecordings } from "./recording-rows.ts";
import type { CallTable, EventTable, Tx } from "./schema.ts";
import type { CallChange, CommitOutcome, NewEvent } from "./types.ts";

/** A call as the changes of one transaction leave it. */
interface CallInHand {
  readonly id: string;
  readonly phoneNumberId: string;
  readonly isErased: boolean;
  hasEnded: boolean;
  hasTerminalEvent: boolean;
  seq: number;
  update: Updateable<CallTable>;
}

type EventRow = Insertable<EventTable>;

/**
 * Writes the changes, in their order, within one transaction. The same change again, after a connection broke while it was being
 * committed, changes nothing.
 */
export async function commitChanges(
  tx: Tx,
  changes: readonly CallChange[],
  deps: EnqueueDeps,
): Promise<readonly CommitOutcome[]> {
  await insertCalls(tx, changes);
  const calls = await callsInHand(tx, changes);
  const outcomes = changes.map((change) => outcomeOf(change, calls));
  const written = changes.filter((_, index) => outcomes[index] === "written");
  const known = await knownEvents(tx, written);
  const events = written.flatMap((change) => applyChange(change, calls, known));
  await updateCalls(tx, calls);
  await insertEvents(tx, events, deps);
  await upsertRecordings(
    tx,
    written.flatMap(({ recordings }) => recordings ?? []),
  );
  await finishEntries(
    tx,
    changes.flatMap(({ finished }) => finished ?? []),
  );
  return outcomes;
}

async function insertCalls(tx: Tx, changes: readonly CallChange[]): Promise<void> {
  const created = changes.flatMap(({ create }) => (create === undefined ? [] : [fromNewCall(create)]));
  for (const part of chunks(created)) {
    await tx
      .insertInto("calls")
      .values([...part])
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

async function callsInHand(tx: Tx, changes: readonly CallChange[]): Promise<ReadonlyMap<string, CallInHand>> {
  const ids = [...new Set(changes.map(({ callId }) => callId))];
  const rows = await tx
    .selectFrom("calls")
    .select(["id", "phone_number_id", "state", "seq", "erased_at"])
    .where("id", "in", ids)
    .execute();
  const ended = await endedCalls(tx, ids);
  return new Map(rows.map((row) => [row.id, inHand(row, ended)]));
}

function inHand(
  row: Pick<Selectable<CallTable>, "id" | "phone_number_id" | "state" | "seq" | "erased_at">,
  ended: ReadonlySet<string | null>,
): CallInHand {
  return {
    id: row.id,
    phoneNumberId: row.phone_number_id,
    isErased: row.erased_at !== null,
    hasEnded: row.state === "ended",
    hasTerminalEvent: ended.has(row.id),
    seq: row.seq,
    update: {},
  };
}

async function endedCalls(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string | null>> {
  const rows = await tx
    .selectFrom("events")
    .select("call_id")
    .where("type", "=", "call.ended")
    .where("call_id", "in", ids)
    .execute();
  return new Set(rows.map((row) => row.call_id));
}

function outcomeOf(change: CallChange, calls: ReadonlyMap<string, CallInHand>): CommitOutcome {
  if (calls.has(change.callId)) return "written";
  // Its row was not taken as another call has its key.
  if (change.create !== undefined) return "exists";
  throw new RingbackError(
    "OPTION_INVALID",
    "a change is of a call that the store does not have: create it first",
    {
      details: { option: "callId" },
    },
  );
}

async function knownEvents(tx: Tx, changes: readonly CallChange[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  const ids = changes.flatMap(({ events }) => (events ?? []).map(({ id }) => id));
  for (const part of chunks(ids)) {
    const rows = await tx.selectFrom("events").select("id").where("id", "in", part).execute();
    for (const { id } of rows) known.add(id);
  }
  return known;
}

function applyChange(
  change: CallChange,
  calls: ReadonlyMap<string, CallInHand>,
  known: ReadonlySet<string>,
): readonly EventRow[] {
  const call = calls.get(change.callId);
  if (call === undefined) return [];
  const update = change.update ?? {};
  Object.assign(call.update, fromUpdate(call.hasEnded ? afterEnd(update) : update));
  if (update.state === "ended") call.hasEnded = true;
  return (change.events ?? [])
    .filter((event) => isNews(event, call, known))
    .map((event) => eventRow(event, call));
}

/** A call ends once, whoever else saw it end. */
function isNews(event: NewEvent, call: CallInHand, known: ReadonlySet<string>): boolean {
  if (known.has(event.id)) return false;
  if (event.type !== "call.ended") return true;
  if (call.hasTerminalEvent) return false;
  call.hasTerminalEvent = true;
  return true;
}

/** Counted here, so that there is no gap: the deletion of a recording is an event that the call's owner did not count. */
function eventRow(event: NewEvent, call: CallInHand): EventRow {
  call.seq += 1;
  call.update.seq = call.seq;
  const personal = call.isErased ? null : event.personal;
  return {
    id: event.id,
    type: event.type,
    at: Math.round(event.at),
    call_id: call.id,
    phone_number_id: call.phoneNumberId,
    seq: call.seq,
    data: JSON.stringify(event.data),
    personal: personal === null ? null : JSON.stringify(personal),
  };
}

async function updateCalls(tx: Tx, calls: ReadonlyMap<string, CallInHand>): Promise<void> {
  for (const { id, update } of calls.values()) {
    if (Object.keys(update).length === 0) continue;
    await tx.updateTable("calls").set(update).where("id", "=", id).execute();
  }
}

/** With what is to be delivered of them. */
export async function insertEvents(tx: Tx, events: readonly EventRow[], deps: EnqueueDeps): Promise<void> {
  const inserted: Selectable<EventTable>[] = [];
  for (const part of chunks(events)) {
    const rows = await tx
      .insertInto("events")
      .values([...part])
      .returningAll()
      .execute();
    inserted.push(...rows);
  }
  await enqueueDeliveries(
    tx,
    inserted.sort((one, other) => one.position - other.position),
    deps,
  );
}
