import { join } from "node:path";
import { isRingbackError } from "../errors.ts";
import type { WorkSlices } from "../media/index.ts";
import { openStore, type Store, type StoreOptions } from "../store/index.ts";
import type { GraphClient } from "../whatsapp/graph-client.ts";
import { sealEndpoints } from "./api/endpoints/sealed-endpoints.ts";
import type { CallRegistry } from "./call-registry.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { CallLanes } from "./intake/call-lanes.ts";
import { EventProcessor } from "./intake/event-processor.ts";
import { Intake } from "./intake/intake.ts";
import { recover } from "./intake/recover.ts";
import { recoverRecordings } from "./intake/recover-recordings.ts";
import type { GatewayObserver } from "./observer.ts";
import type { GatewayOptions } from "./options.ts";
import { Records } from "./records/records.ts";

const DEFAULT_FOLDER = "./data";
const DATABASE_FILE = "ringback.db";
const DEFAULT_NODE = "ringback";
/** How long `close` waits for the store to take what is not written, in ms. */
const CLOSE_GRACE_MS = 5_000;

/** What a ledger needs of the calls that it keeps the records of. */
export interface LedgerCalls {
  readonly registry: CallRegistry;
  readonly graphFor: (phoneNumberId: string) => GraphClient | null;
  readonly observer: GatewayObserver;
  readonly recordingsFolder: string;
  readonly slices: WorkSlices;
}

/** Everything of a gateway that is written down: webhooks before they are answered, calls and events as they happen. */
export class Ledger {
  readonly store: Store;
  readonly records: Records;
  readonly intake: Intake;
  readonly #context: GatewayContext;
  readonly #node: string;
  readonly #lanes: CallLanes;
  readonly #processor: EventProcessor;
  readonly #calls: LedgerCalls;
  /** Aborts when the end of the gateway waits no longer. */
  readonly #givingUp = new AbortController();
  #recovering: Promise<void> = Promise.resolve();

  constructor(store: Store, node: string, calls: LedgerCalls, context: GatewayContext) {
    const { clock, logger } = context;
    this.store = store;
    this.#node = node;
    this.#context = context;
    this.#calls = calls;
    this.#lanes = new CallLanes((error) => logger.error({ err: error }, "webhook event failed"));
    const { registry, observer } = calls;
    const onUnavailable = (reason: string): void => observer.storeFailed?.(reason);
    this.records = new Records({ store, node, onUnavailable, ...context });
    const parts = { registry, records: this.records, lanes: this.#lanes, node, clock, observer };
    this.#processor = new EventProcessor(parts);
    this.intake = new Intake({
      journal: store.journal,
      clock,
      logger,
      process: (taken) => this.#processor.process(taken),
      onRepeated: (count) => {
        registry.counters.eventsRepeated += count;
      },
      onUnavailable,
    });
  }

  /** Finishes what a process before this one has left. Resolves when new webhooks may come. */
  async recover(): Promise<void> {
    const { clock, logger } = this.#context;
    const { done } = await recover({
      store: this.store,
      records: this.records,
      processor: this.#processor,
      lanes: this.#lanes,
      node: this.#node,
      clock,
      logger,
      graphFor: this.#calls.graphFor,
      signal: this.#givingUp.signal,
    });
    this.#recovering = done.then(() => this.#recoverRecordings());
  }

  async #recoverRecordings(): Promise<void> {
    const { clock, logger } = this.#context;
    const { recordingsFolder, slices } = this.#calls;
    const { store, records } = this;
    const folders = { recordingsFolder, slices };
    try {
      await recoverRecordings({ store, records, node: this.#node, ...folders, clock, logger });
    } catch (error) {
      // The next start tries it again.
      logger.error({ err: error }, "the recordings of the process before could not be ended");
    }
  }

  /** Resolves when the calls that were left have ended, and their recordings. */
  get recovered(): Promise<void> {
    return this.#recovering;
  }

  /** Whether the store can be written now. */
  async isWritable(): Promise<boolean> {
    try {
      await this.store.check();
      return true;
    } catch (error) {
      if (!isRingbackError(error, "STORE_UNAVAILABLE")) {
        this.#context.logger.error({ err: error }, "the store failed");
      }
      return false;
    }
  }

  /** Waits for what is not written yet, but not for ever. The store is still open then: what was written is still to be delivered. */
  async settle(): Promise<void> {
    const { timers } = this.#context;
    const { writer } = this.records;
    const timer = timers.setTimer(CLOSE_GRACE_MS, () => {
      this.#givingUp.abort();
      writer.abandon();
    });
    await this.#recovering;
    await this.intake.idle();
    await this.#lanes.idle();
    await writer.idle();
    timers.clearTimer(timer);
    // What comes later finds the store closed.
    writer.abandon();
  }
}

/** A store, and what this process is called in it. */
export interface OpenedStore {
  readonly store: Store;
  readonly node: string;
}

/**
 * Opens the store that the options name.
 * @throws {RingbackError} `STORE_UNUSABLE`; `OPTION_INVALID` for `dataKey`.
 */
export async function openGatewayStore(
  option: GatewayOptions["store"],
  context: GatewayContext,
): Promise<OpenedStore> {
  const node = (option === "memory" ? null : option?.node) ?? DEFAULT_NODE;
  const store = await openStore(storeOptions(option, node), context);
  const dataKey = option === "memory" ? undefined : option?.dataKey;
  if (dataKey === undefined) return { store, node };
  try {
    const endpoints = sealEndpoints(store.endpoints, dataKey, context.random);
    // A key that is not theirs is found out now, and not at the first delivery.
    await endpoints.list();
    return { store: { ...store, endpoints }, node };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function storeOptions(option: GatewayOptions["store"], node: string): StoreOptions {
  if (option === "memory") return { file: ":memory:", node };
  const { folder = DEFAULT_FOLDER, url } = option ?? {};
  return url === undefined ? { file: join(folder, DATABASE_FILE), node } : { url, node };
}
