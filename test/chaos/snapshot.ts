import { callKey } from "../../src/gateway/records/call-key.ts";
import type { CallRecord, Store, StoredEvent } from "../../src/store/index.ts";
import type { ChaosRun } from "./chaos-run.ts";
import { REAL_NUMBER } from "./real-calls.ts";

const PAGE = 500;

/** What the database holds when everything is at rest. */
export interface Snapshot {
  readonly calls: readonly CallRecord[];
  readonly events: readonly StoredEvent[];
  readonly journalEntries: number;
  /** What its entries are known by, but for those of the real calls. */
  readonly journalKeys: ReadonlySet<string>;
  readonly unfinished: number;
  readonly pendingDeliveries: number;
  readonly deadDeliveries: number;
  readonly deliveries: number;
  readonly graphRequests: number;
  readonly handlerRuns: number;
}

export async function takeSnapshot(run: ChaosRun): Promise<Snapshot> {
  const { database } = run.options;
  const count = async (from: string): Promise<number> => {
    const [row] = await database.query<{ count: number | string }>(`select count(*) as count from ${from}`);
    return Number(row?.count ?? 0);
  };
  return {
    calls: await run.withStore(readCalls),
    events: await run.withStore(readEvents),
    journalEntries: await count("journal"),
    journalKeys: await readKeys(run),
    unfinished: await count("journal where finished = 0"),
    pendingDeliveries: await count("deliveries where state = 'pending'"),
    deadDeliveries: await count("deliveries where state = 'dead'"),
    deliveries: await count("deliveries"),
    graphRequests: run.graph.requests,
    handlerRuns: run.handlerRuns().length,
  };
}

async function readKeys({ options, real }: ChaosRun): Promise<ReadonlySet<string>> {
  const rows = await options.database.query<{ dedup_key: string; call_key: string }>(
    "select dedup_key, call_key from journal",
  );
  const foreign = new Set(
    real.reports.map(({ callId }) => callKey({ phoneNumberId: REAL_NUMBER.id, callId })),
  );
  return new Set(rows.filter((row) => !foreign.has(row.call_key)).map((row) => row.dedup_key));
}

async function readCalls(store: Store): Promise<readonly CallRecord[]> {
  const calls: CallRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.calls.list({}, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    calls.push(...page.items);
    if (page.next === null) return calls;
    after = String(page.next);
  }
}

async function readEvents(store: Store): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.events.read({}, { after: events.at(-1)?.position ?? 0, limit: PAGE });
    if (page.length === 0) return events;
    events.push(...page);
  }
}
