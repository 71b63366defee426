import { createHmac } from "node:crypto";
import { addAudit } from "./audit.ts";
import { chunks } from "./batches.ts";
import type { Database } from "./database.ts";
import { blankWebhooks } from "./journal.ts";
import { toRecording } from "./recording-rows.ts";
import type { Tx } from "./schema.ts";
import type { Erased } from "./types.ts";

interface Erasure {
  readonly subject: string;
  readonly at: number;
  readonly actor: string;
  readonly instanceKey: Uint8Array;
}

export async function eraseSubject(database: Database, erasure: Erasure): Promise<Erased> {
  const erased = await database.write(async (tx) => {
    // What is committed at the same time sees that its call is erased, or is erased with it.
    await database.dialect.lock(tx, "events");
    return await erase(tx, erasure);
  });
  await database.scrub();
  return erased;
}

async function erase(tx: Tx, { subject, at, actor, instanceKey }: Erasure): Promise<Erased> {
  const calls = await callsOf(tx, subject);
  const webhooks = await webhooksOf(
    tx,
    subject,
    calls.map((call) => call.call_key),
  );
  const ids = calls.map(({ id }) => id);
  await blankCalls(tx, ids, Math.round(at));
  const events = await blankEvents(tx, ids);
  await blankWebhooks(tx, webhooks);
  const recordings = await recordingsOf(tx, ids);
  const counts = { calls: ids.length, events, webhooks: webhooks.length };
  await addAudit(tx, {
    at,
    actor,
    action: "subject.erased",
    // Whoever knows the subject and has the database can tell that it was erased; nobody can read it here.
    target: createHmac("sha256", instanceKey).update(`subject:${subject}`).digest("hex"),
    detail: { ...counts, recordings: recordings.length },
  });
  return { ...counts, recordings };
}

async function callsOf(
  tx: Tx,
  subject: string,
): Promise<readonly { readonly id: string; readonly call_key: string }[]> {
  return await tx
    .selectFrom("calls")
    .select(["id", "call_key"])
    .where((where) => where.or([where("party_number", "=", subject), where("party_user_id", "=", subject)]))
    .execute();
}

/** By whom they are about, and by the calls they are of: some tell a user id alone. */
async function webhooksOf(tx: Tx, subject: string, callKeys: readonly string[]): Promise<readonly number[]> {
  const found = new Set<number>();
  const bySubject = await tx
    .selectFrom("journal")
    .select("webhook_id")
    .where("subject", "=", subject)
    .execute();
  for (const row of bySubject) found.add(row.webhook_id);
  for (const part of chunks(callKeys)) {
    const byCall = await tx
      .selectFrom("journal")
      .select("webhook_id")
      .where("call_key", "in", part)
      .execute();
    for (const row of byCall) found.add(row.webhook_id);
  }
  return [...found];
}

async function blankCalls(tx: Tx, ids: readonly string[], at: number): Promise<void> {
  for (const part of chunks(ids)) {
    await tx
      .updateTable("calls")
      .set({
        whatsapp_call_id: null,
        party_number: null,
        party_user_id: null,
        party_name: null,
        party_username: null,
        erased_at: at,
      })
      .where("id", "in", part)
      .execute();
  }
}

async function blankEvents(tx: Tx, callIds: readonly string[]): Promise<number> {
  let count = 0;
  for (const part of chunks(callIds)) {
    const blanked = await tx
      .updateTable("events")
      .set({ personal: null })
      .where("call_id", "in", part)
      .where("personal", "is not", null)
      .executeTakeFirst();
    count += Number(blanked.numUpdatedRows);
  }
  return count;
}

async function recordingsOf(tx: Tx, callIds: readonly string[]): Promise<Erased["recordings"]> {
  const rows = [];
  for (const part of chunks(callIds)) {
    rows.push(
      ...(await tx
        .selectFrom("recordings")
        .selectAll()
        .where("call_id", "in", part)
        .where("status", "<>", "deleted")
        .execute()),
    );
  }
  return rows.map(toRecording);
}
