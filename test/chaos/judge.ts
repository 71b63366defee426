import type { CallRecord, StoredEvent } from "../../src/store/index.ts";
import type { ChaosRun } from "./chaos-run.ts";
import type { Receipt } from "./consumer.ts";
import type { Snapshot } from "./snapshot.ts";
import type { WhatsappCall } from "./whatsapp-call.ts";

export interface Verdict {
  readonly text: string;
  readonly holds: boolean;
  readonly figure: string;
  /** A few of what is wrong. */
  readonly examples: readonly string[];
}

export interface Evidence {
  readonly run: ChaosRun;
  readonly settled: Snapshot;
  /** After all webhooks came once more. */
  readonly replayed: Snapshot;
  readonly refusedInReplay: number;
}

const MAX_EXAMPLES = 5;

export function judge(evidence: Evidence): readonly Verdict[] {
  return [
    ...judgeWebhooks(evidence),
    ...judgeRecords(evidence),
    ...judgeEvents(evidence.settled),
    ...judgeDeliveries(evidence),
    ...judgeGraph(evidence),
    judgeReplay(evidence),
    judgeRealCalls(evidence),
  ];
}

function judgeWebhooks({ run, settled }: Evidence): readonly Verdict[] {
  const { post } = run;
  const { journalKeys } = settled;
  const missing = [...post.takenKeys].filter((key) => !journalKeys.has(key));
  const foreign = [...journalKeys].filter((key) => !post.takenKeys.has(key));
  return [
    verdict(
      "every webhook got its 200 in the end",
      problems(post.pending === 0, `${post.pending} wait`),
      `${post.taken.length} of ${post.counters.webhooks}`,
    ),
    verdict(
      "every event of a webhook with 200 is in the journal, and no other",
      [...missing.map((key) => `${key} is missing`), ...foreign.map((key) => `${key} was never sent`)],
      `${settled.journalEntries} entries`,
    ),
    verdict(
      "and finished",
      problems(settled.unfinished === 0, `${settled.unfinished} are not`),
      `${settled.journalEntries - settled.unfinished}`,
    ),
  ];
}

function judgeRecords({ run, settled }: Evidence): readonly Verdict[] {
  const byId = groupBy(settled.calls, ({ whatsappCallId }) => whatsappCallId ?? "");
  const ids = [
    ...run.whatsapp.calls.map(({ plan }) => plan.callId),
    ...run.real.reports.map(({ callId }) => callId),
  ];
  const notOne = ids.filter((id) => byId.get(id)?.length !== 1);
  const open = settled.calls.filter(({ state }) => state !== "ended");
  const extra = settled.calls.length - ids.length;
  return [
    verdict(
      "every call has exactly one record",
      [
        ...notOne.map((id) => `${id}: ${byId.get(id)?.length ?? 0} records`),
        ...problems(extra === 0, `${extra} more records than calls`),
      ],
      `${ids.length} calls, ${settled.calls.length} records`,
    ),
    verdict(
      "every record is closed",
      open.map(({ id, state }) => `${id} is ${state}`),
      `${settled.calls.length - open.length}`,
    ),
  ];
}

function judgeEvents({ calls, events }: Snapshot): readonly Verdict[] {
  const byCall = groupBy(events, ({ callId }) => callId ?? "none");
  const of = (call: CallRecord): readonly StoredEvent[] => byCall.get(call.id) ?? [];
  const ends = calls.filter((call) => of(call).filter(({ type }) => type === "call.ended").length !== 1);
  const late = calls.filter((call) => hasLateEvent(of(call)));
  const gaps = calls.filter(
    (call) => of(call).some(({ seq }, index) => seq !== index + 1) || of(call).length !== call.seq,
  );
  return [
    verdict(
      "every call has exactly one terminal event",
      ends.map((call) => `${call.id}: ${typesOf(of(call))}`),
      `${calls.length - ends.length}`,
    ),
    verdict(
      "after which nothing begins",
      late.map((call) => `${call.id}: ${typesOf(of(call))}`),
      `${calls.length - late.length}`,
    ),
    verdict(
      "seq counts from 1 without a gap",
      gaps.map(
        (call) =>
          `${call.id}: ${of(call)
            .map(({ seq }) => seq)
            .join(" ")}, record has ${call.seq}`,
      ),
      `${events.length} events`,
    ),
  ];
}

function typesOf(events: readonly StoredEvent[]): string {
  return events.map(({ type }) => type).join(" ");
}

/** What was under way may still report its end; nothing else comes after the call's. */
function hasLateEvent(events: readonly StoredEvent[]): boolean {
  const end = events.findIndex(({ type }) => type === "call.ended");
  const behind = end < 0 ? [] : events.slice(end + 1);
  return behind.some(({ type }) => type.startsWith("call.") || type.endsWith(".started"));
}

function judgeDeliveries({ run, replayed }: Evidence): readonly Verdict[] {
  const { receipts, badSignatures } = run.consumer;
  const taken = receipts.filter(({ outcome }) => outcome === "taken");
  const ids = new Set(taken.map(({ event }) => event.id));
  const lost = replayed.events.filter(({ id }) => !ids.has(id));
  const known = new Map(replayed.events.map((event) => [event.id, event]));
  const foreign = receipts.filter(({ event }) => !isSame(event, known.get(event.id)));
  const disorder = outOfOrder(taken);
  return [
    verdict(
      "no delivery is lost",
      lost.map(({ id, type }) => `${type} ${id}`),
      `${ids.size} of ${replayed.events.length} events`,
    ),
    verdict(
      "none is left",
      problems(
        replayed.pendingDeliveries + replayed.deadDeliveries === 0,
        `${replayed.pendingDeliveries} wait, ${replayed.deadDeliveries} dead`,
      ),
      `${replayed.deliveries} deliveries`,
    ),
    verdict("none is out of order in its call", disorder, `${taken.length - ids.size} repeats`),
    verdict(
      "each is what the store has, and signed",
      [
        ...foreign.map(({ event }) => event.id),
        ...problems(badSignatures === 0, `${badSignatures} bad signatures`),
      ],
      `${receipts.length} receipts`,
    ),
  ];
}

function isSame(event: Receipt["event"], stored: StoredEvent | undefined): boolean {
  return (
    stored !== undefined &&
    stored.type === event.type &&
    stored.callId === event.call_id &&
    stored.seq === event.seq &&
    event.attempt >= 1
  );
}

/** By each event's first successful receipt. */
function outOfOrder(taken: readonly Receipt[]): readonly string[] {
  const next = new Map<string, number>();
  const seen = new Set<string>();
  const found: string[] = [];
  for (const { event } of taken) {
    if (event.call_id === null || seen.has(event.id)) continue;
    seen.add(event.id);
    const wanted = next.get(event.call_id) ?? 1;
    if (event.seq !== wanted) found.push(`${event.call_id}: ${event.seq} came for ${wanted}`);
    next.set(event.call_id, event.seq + 1);
  }
  return found;
}

function judgeGraph({ run, settled }: Evidence): readonly Verdict[] {
  const { calls, strandings } = run.whatsapp;
  const lost = calls.filter(({ endedBy }) => endedBy === "lost");
  const answeredTwice = calls.filter(({ answeringLives }) => answeringLives.size > 1);
  const runs = run.handlerRuns();
  const takenTwice = runs.filter((id, index) => runs.indexOf(id) !== index);
  const unanswered = settled.calls.filter((call) => !isAnsweredAsWhatsappSays(call, calls));
  return [
    verdict(
      "WhatsApp was told of the end of calls that were on the line at a kill",
      lost.map(describe),
      `${strandings - lost.length} of ${strandings}`,
    ),
    verdict(
      "no call is answered twice",
      answeredTwice.map(describe),
      `${calls.filter(({ answeringLives }) => answeringLives.size === 1).length} answered`,
    ),
    verdict("no call is given to the program twice", takenTwice, `${runs.length} runs`),
    verdict(
      "no record says answered of a call that was not",
      unanswered.map(({ id }) => id),
      `${settled.calls.filter(({ answeredAt }) => answeredAt !== null).length}`,
    ),
  ];
}

function isAnsweredAsWhatsappSays(
  { whatsappCallId, answeredAt }: CallRecord,
  calls: readonly WhatsappCall[],
): boolean {
  const call = calls.find(({ plan }) => plan.callId === whatsappCallId);
  return answeredAt === null || call === undefined || call.answeringLives.size > 0;
}

function describe({ plan, phase, requests }: WhatsappCall): string {
  return `${plan.callId} (${phase}): ${requests.map(({ action, life, wasTaken }) => `${action}@${life}${wasTaken ? "" : "!"}`).join(" ")}`;
}

function judgeReplay({ settled, replayed, refusedInReplay, run }: Evidence): Verdict {
  const fields = ["journalEntries", "graphRequests", "handlerRuns", "deliveries", "unfinished"] as const;
  const changed = fields
    .filter((name) => settled[name] !== replayed[name])
    .map((name) => `${name}: ${settled[name]}, then ${replayed[name]}`);
  const counts = [
    ...changed,
    ...problems(settled.events.length === replayed.events.length, "other events"),
    ...problems(settled.calls.length === replayed.calls.length, "other records"),
  ];
  return verdict(
    "all webhooks once more change nothing",
    [...counts, ...problems(refusedInReplay === 0, `${refusedInReplay} were refused`)],
    `${run.post.taken.length} webhooks`,
  );
}

function judgeRealCalls({ run }: Evidence): Verdict {
  const { reports } = run.real;
  const heard = reports.filter(({ media }) => media.packetsReceived > 0).length;
  const isHeard = heard > 0 || run.options.realCalls === 0;
  return verdict(
    "a phone hears a call that nobody is killed under",
    problems(isHeard, "none was heard"),
    `${heard} of ${reports.length}`,
  );
}

function problems(holds: boolean, problem: string): readonly string[] {
  return holds ? [] : [problem];
}

function verdict(text: string, wrong: readonly string[], figure: string): Verdict {
  const count = wrong.length === 0 ? "" : ` (${wrong.length} wrong)`;
  return {
    text,
    holds: wrong.length === 0,
    figure: `${figure}${count}`,
    examples: wrong.slice(0, MAX_EXAMPLES),
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
