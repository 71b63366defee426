import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RingbackError } from "../../src/errors.ts";
import type { CallHandler } from "../../src/gateway/call.ts";
import type { CallRegistry } from "../../src/gateway/call-registry.ts";
import { Ledger } from "../../src/gateway/ledger.ts";
import { silentLogger } from "../../src/logger.ts";
import { WorkSlices } from "../../src/media/index.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openStore } from "../../src/store/index.ts";
import type { CallRecord, Store, StoredEvent } from "../../src/store/types.ts";
import type { ManualClock } from "../../src/testing/index.ts";
import type { CallEvent } from "../../src/whatsapp/call-event.ts";
import { CallRig, NUMBER_ID, type ScriptedGraph } from "./call-rig.ts";

export interface LedgerRigOptions {
  /** How much later than the process before it starts, in ms. */
  readonly laterMs?: number;
  /** An action that the Graph API does not answer until it is released. */
  readonly hold?: "reject" | "terminate";
  /** So often a call cannot be read: the store is away. */
  readonly failReads?: number;
}

/** Journal, records and calls on a real store, with scripted media and Graph API; a crash leaves what was on the disk. */
export class LedgerRig implements AsyncDisposable {
  readonly store: Store;
  readonly #rig: CallRig;
  readonly #ledger: Ledger;
  readonly #folder: string;
  #isCrashed = false;

  private constructor(store: Store, rig: CallRig, folder: string) {
    this.store = store;
    this.#rig = rig;
    this.#folder = folder;
    const { clock, registry } = rig;
    const context = { clock, timers: clock, random: systemRandom, logger: silentLogger };
    const graphFor = (id: string): ScriptedGraph | null => (id === NUMBER_ID ? rig.graph : null);
    const calls = {
      registry,
      graphFor,
      observer: {},
      recordingsFolder: join(folder, "recordings"),
      slices: new WorkSlices(clock, 4),
    };
    this.#ledger = new Ledger(store, "ringback", calls, context);
  }

  /** As the process that starts in `folder`. */
  static async start(
    folder: string,
    handler: CallHandler,
    options: LedgerRigOptions = {},
  ): Promise<LedgerRig> {
    const rig = new CallRig(handler);
    if (options.laterMs !== undefined) rig.clock.advance(options.laterMs);
    if (options.hold !== undefined) rig.graph.holds.add(options.hold);
    const { clock } = rig;
    const deps = { clock, timers: clock, random: systemRandom, logger: silentLogger };
    const opened = await openStore({ file: join(folder, "ringback.db"), node: "ringback" }, deps);
    const store = failingReads(opened, options.failReads ?? 0);
    const ledgerRig = new LedgerRig(store, rig, folder);
    await ledgerRig.#ledger.recover();
    await ledgerRig.settle();
    return ledgerRig;
  }

  get clock(): ManualClock {
    return this.#rig.clock;
  }
  get graph(): ScriptedGraph {
    return this.#rig.graph;
  }
  get calls(): CallRig["calls"] {
    return this.#rig.calls;
  }
  get registry(): CallRegistry {
    return this.#rig.registry;
  }

  /** Journals events in one webhook and does no more: what a process does before it dies. */
  async journal(events: readonly CallEvent[]): Promise<void> {
    await this.#ledger.intake.take(webhookOf(events), events, this.clock.nowMs());
  }

  /** A webhook with one event, acted upon. */
  async deliver(event: CallEvent): Promise<void> {
    const taken = await this.#ledger.intake.take(webhookOf([event]), [event], this.clock.nowMs());
    if (taken.outcome === "taken") taken.act();
    await this.settle();
  }

  async mediaUp(): Promise<void> {
    await this.#rig.mediaUp();
    await this.settle();
  }

  async records(): Promise<readonly CallRecord[]> {
    return (await this.store.calls.list({}, { limit: 100 })).items;
  }
  events(): Promise<readonly StoredEvent[]> {
    return this.store.events.read({}, { after: 0, limit: 100 });
  }
  async types(): Promise<readonly string[]> {
    return (await this.events()).map(({ type }) => type);
  }

  /** Resolves when the calls that were left have ended. */
  recovered(): Promise<void> {
    return this.#ledger.recovered;
  }

  async until(holds: () => boolean): Promise<void> {
    for (let turn = 0; !holds(); turn += 1) {
      if (turn > 1_000) throw new Error("the condition does not come to hold");
      await this.settle();
    }
  }

  /** Lets all run that waits for the store, and for no time: SQLite answers within a few turns. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) {
      await this.#rig.settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nothing of it acts any more, and the folder is as it was at this moment. */
  async crash(): Promise<void> {
    this.#isCrashed = true;
    const frozen = mkdtempSync(join(tmpdir(), "ringback-frozen-"));
    cpSync(this.#folder, frozen, { recursive: true });
    await this.store.close();
    rmSync(this.#folder, { recursive: true });
    cpSync(frozen, this.#folder, { recursive: true });
    rmSync(frozen, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCrashed) return;
    for (const action of this.graph.holds) this.graph.holds.delete(action);
    this.#rig.registry.abandonAll();
    await this.#rig.registry.endAll();
    await this.#ledger.settle();
    await this.store.close();
  }
}

function failingReads(store: Store, count: number): Store {
  let left = count;
  const get: Store["calls"]["get"] = async (id) => {
    left -= 1;
    if (left < 0) return store.calls.get(id);
    throw new RingbackError("STORE_UNAVAILABLE", "away", { details: { reason: "connection" } });
  };
  return { ...store, calls: { ...store.calls, get } };
}

/** A body that is read as these events. */
function webhookOf(events: readonly CallEvent[]): Uint8Array {
  const calls = events.map((event) => ({
    id: event.callId,
    event: event.type,
    direction: "USER_INITIATED",
    ...(event.timestampMs !== null && { timestamp: String(Math.floor(event.timestampMs / 1_000)) }),
    ...(event.type === "connect" && { session: { sdp: event.sdp, sdp_type: event.sdpType } }),
    ...(event.type === "terminate" && { status: "COMPLETED" }),
  }));
  const metadata = { phone_number_id: NUMBER_ID };
  const entry = [{ id: "1", changes: [{ field: "calls", value: { metadata, calls } }] }];
  return Buffer.from(JSON.stringify({ object: "whatsapp_business_account", entry }));
}
