import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { CallRecord, Store, UnfinishedEntry } from "../../store/types.ts";
import type { CallEvent } from "../../whatsapp/call-event.ts";
import type { GraphClient } from "../../whatsapp/graph-client.ts";
import { parseWebhook } from "../../whatsapp/webhook.ts";
import type { Records } from "../records/records.ts";
import type { CallLanes } from "./call-lanes.ts";
import type { EventProcessor } from "./event-processor.ts";

/** More calls than a machine carries, and more events than wait to be acted upon. */
const MAX_CALLS = 100_000;
const MAX_ENTRIES = 10_000;
/** So long after its end WhatsApp is told of a call that it was not told of. */
const OWED_FOR_MS = 3_600_000;
/** Requests to the Graph API at the same time. */
const MAX_REQUESTS = 8;

export interface RecoverOptions {
  readonly store: Store;
  readonly records: Records;
  readonly processor: EventProcessor;
  readonly lanes: CallLanes;
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly graphFor: (phoneNumberId: string) => GraphClient | null;
  /** Aborts when the gateway is to end: what is left then is the next start's. */
  readonly signal: AbortSignal;
}

/**
 * Finishes what a process before this one has left: journalled events are acted upon (a `connect` in time is answered, an older one
 * closed as missed), and calls that were on the line end with `gateway-restarted`. Resolves when the journal is read; WhatsApp is told
 * of the ended calls in the background, which `done` waits for.
 */
export async function recover(options: RecoverOptions): Promise<{ readonly done: Promise<void> }> {
  // Before the journal: what it brings up are calls of ours.
  const left = await options.store.calls.live(options.node, MAX_CALLS);
  const owing = await options.store.calls.owing(options.node, MAX_CALLS);
  const events = await replay(options);
  if (events > 0 || left.length > 0) {
    options.logger.warn({ events, calls: left.length }, "finishing what the process before has left");
  }
  return { done: endAll(options, [...left, ...owing]) };
}

/** Acts upon what was journalled and not finished. @returns How many events. */
async function replay({ store, processor, records, clock }: RecoverOptions): Promise<number> {
  let count = 0;
  for (;;) {
    const entries = await store.journal.unfinished(MAX_ENTRIES);
    if (entries.length === 0) return count;
    count += entries.length;
    const receivedAtMs = clock.nowMs();
    // A call whose end is known is not rung any more.
    const ordered = [...entries.filter(isTerminate), ...entries.filter((entry) => !isTerminate(entry))];
    const acted = ordered.map((entry) => {
      const event = eventOf(entry);
      if (event !== null) return processor.process({ event, entryId: entry.id, receivedAtMs });
      // Erased, or of a form that this version does not read.
      records.finish(entry.id);
      return Promise.resolve();
    });
    await Promise.all(acted);
    await records.writer.finishedAll();
  }
}

function isTerminate({ event }: UnfinishedEntry): boolean {
  return event === "terminate";
}

function eventOf({ body, position, receivedAt }: UnfinishedEntry): CallEvent | null {
  try {
    const event = parseWebhook(body).events[position];
    if (event === undefined) return null;
    // Its age counts from when it came in, if WhatsApp did not say.
    return { ...event, timestampMs: event.timestampMs ?? receivedAt };
  } catch {
    // It was read before it was journalled: only an erased body cannot be read now.
    return null;
  }
}

async function endAll(options: RecoverOptions, calls: readonly CallRecord[]): Promise<void> {
  const left = [...calls];
  const work = async (): Promise<void> => {
    for (let record = left.shift(); record !== undefined; record = left.shift()) {
      const { id, callKey } = record;
      await options.lanes.run(callKey, () => endOne(options, id));
    }
  };
  await Promise.all(Array.from({ length: MAX_REQUESTS }, work));
}

async function endOne(options: RecoverOptions, recordId: string): Promise<void> {
  const { records, signal } = options;
  if (signal.aborted) return;
  const record = await records.ask((store) => store.calls.get(recordId));
  if (record === null) return;
  if (record.state !== "ended") {
    await tellWhatsApp(options, record, ENDING_ACTIONS[record.state]);
    await records.endLeft(record, "gateway-restarted");
  } else if (record.owed !== null) {
    // The process died between the end and WhatsApp's answer to it. After a while, WhatsApp has found out by itself.
    const agoMs = options.clock.wallMs() - (record.endedAt ?? 0);
    if (agoMs < OWED_FOR_MS) await tellWhatsApp(options, record, [record.owed]);
    await records.writer.commit({ callId: record.id, update: { owed: null } });
  }
}

/**
 * In their order until one is taken. `accept` may have left while the call was connecting, and the record may be behind the call: a store
 * that was away was not waited for.
 */
const ENDING_ACTIONS: Readonly<Record<CallRecord["state"], readonly ("reject" | "terminate")[]>> = {
  ringing: ["reject", "terminate"],
  connecting: ["terminate", "reject"],
  active: ["terminate"],
  ended: [],
};

async function tellWhatsApp(
  { graphFor, logger, signal }: RecoverOptions,
  record: CallRecord,
  actions: readonly ("reject" | "terminate")[],
): Promise<void> {
  const { phoneNumberId, whatsappCallId: callId } = record;
  const graph = graphFor(phoneNumberId);
  if (graph === null || callId === null) return;
  for (const action of actions) {
    try {
      await graph[action]({ phoneNumberId, callId, signal });
      return;
    } catch (error) {
      // Not told, and not closed: the next start does both.
      signal.throwIfAborted();
      logger.warn(
        { err: error, action, record: record.id },
        "WhatsApp could not be told of the end of a call",
      );
    }
  }
}
