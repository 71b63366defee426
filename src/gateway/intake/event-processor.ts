import type { Clock } from "../../platform/clock.ts";
import type { CallEvent, ConnectEvent, TerminateEvent } from "../../whatsapp/call-event.ts";
import { explainRemoteError } from "../call-end.ts";
import type { CallRegistry } from "../call-registry.ts";
import type { GatewayObserver } from "../observer.ts";
import { callKey } from "../records/call-key.ts";
import type { Records } from "../records/records.ts";
import type { CallLanes } from "./call-lanes.ts";

/** An event whose turn it is. */
export interface TakenEvent {
  readonly event: CallEvent;
  /** Of the journal. */
  readonly entryId: number;
  /** On the monotonic clock: when its webhook came in. */
  readonly receivedAtMs: number;
}

export interface EventProcessorOptions {
  readonly registry: CallRegistry;
  readonly records: Records;
  readonly lanes: CallLanes;
  readonly node: string;
  readonly clock: Clock;
  readonly observer: GatewayObserver;
}

/** Acts upon journalled events: each call's one after the other, each event once, whatever is delivered again. */
export class EventProcessor {
  readonly #options: EventProcessorOptions;

  constructor(options: EventProcessorOptions) {
    this.#options = options;
  }

  /** Resolves when it was acted upon. Never rejects. */
  process(taken: TakenEvent): Promise<void> {
    return this.#options.lanes.run(callKey(taken.event), () => this.#act(taken));
  }

  async #act(taken: TakenEvent): Promise<void> {
    const { event, entryId } = taken;
    const { registry, records, clock, observer } = this.#options;
    const lagMs = event.timestampMs === null ? null : Math.max(0, clock.wallMs() - event.timestampMs);
    observer.webhookEvent?.(event.type, lagMs);
    if (registry.isOurs(event)) {
      if (event.type === "connect" && event.sdpType === "offer") return this.#connect(event, taken);
      if (event.type === "terminate") return this.#terminate(event, entryId);
    }
    registry.dispatch(event);
    records.finish(entryId);
  }

  async #connect(event: ConnectEvent, { entryId, receivedAtMs }: TakenEvent): Promise<void> {
    const { registry, records } = this.#options;
    const keeper = registry.knows(event) ? null : await records.open(event, entryId);
    if (keeper === null) {
      registry.counters.eventsRepeated += 1;
      records.finish(entryId);
      return;
    }
    registry.connect(event, receivedAtMs, keeper);
  }

  async #terminate(event: TerminateEvent, entryId: number): Promise<void> {
    const { registry, records } = this.#options;
    const isKnown = registry.knows(event);
    if (registry.terminate(event, entryId)) return;
    if (isKnown) return records.finish(entryId);
    const errors = event.errors.map(explainRemoteError);
    const isNew = await records.openEnded(event, errors, entryId);
    if (!isNew) await this.#endOrphan(event, errors.length > 0, entryId);
  }

  /** The call of a process that is gone: its record is still open. */
  async #endOrphan(event: TerminateEvent, hasFailed: boolean, entryId: number): Promise<void> {
    const { records, node } = this.#options;
    const record = await records.ask((store) => store.calls.byKey(callKey(event)));
    if (record === null || record.state === "ended" || record.node !== node) records.finish(entryId);
    else await records.endLeft(record, hasFailed ? "remote-failed" : "caller-hangup", entryId);
  }
}
