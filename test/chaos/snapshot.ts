import type { CallRecord, Store, StoredEvent } from "../../src/store/index.ts";
import type { ChaosRun } from "./chaos-run.ts";

const PAGE = 500;

/** What the database holds when everything is at rest. */
export interface Snapshot {
  readonly calls: readonly CallRecord[];
  readonly events: readonly StoredEvent[];
  readonly journalEntries: number;
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
    unfinished: await count("journal where finished = 0"),
    pendingDeliveries: await count("deliveries where state = 'pending'"),
    deadDeliveries: await count("deliveries where state = 'dead'"),
    deliveries: await count("deliveries"),
    graphRequests: run.graph.requests,
    handlerRuns: run.handlerRuns().length,
  };
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
