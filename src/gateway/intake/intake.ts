import { isRingbackError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Clock } from "../../platform/clock.ts";
import type { NewJournalEntry, WebhookJournal } from "../../store/types.ts";
import type { CallEvent } from "../../whatsapp/call-event.ts";
import { callKey, dedupKey } from "../records/call-key.ts";
import type { TakenEvent } from "./event-processor.ts";

/** Events that wait for their turn after the 200. Above it the webhook is refused, and WhatsApp repeats it. */
const MAX_WAITING_EVENTS = 10_000;

export interface IntakeOptions {
  readonly journal: WebhookJournal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly process: (taken: TakenEvent) => Promise<void>;
  /** Told of events that were journalled before. */
  readonly onRepeated: (count: number) => void;
  /** Told when the store cannot take a webhook, and why. */
  readonly onUnavailable: (reason: string) => void;
}

/** Takes webhooks: on the disk first, then the 200, then whatever is to be done. */
export class Intake {
  readonly #options: IntakeOptions;
  #waiting = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Events that were answered with 200 and not acted upon yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when every event that was answered with 200 was acted upon. */
  async idle(): Promise<void> {
    if (this.#waiting > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /**
   * Journals the events of a webhook. `taken`: answer 200, `act` follows. `refused`: answer 503, WhatsApp sends it again.
   * @param body Raw bytes, whose signature was checked.
   */
  async take(
    body: Uint8Array,
    events: readonly CallEvent[],
    receivedAtMs: number,
  ): Promise<{ readonly outcome: "taken"; readonly act: () => void } | { readonly outcome: "refused" }> {
    const { journal, clock, onRepeated, onUnavailable } = this.#options;
    if (events.length === 0) return { outcome: "taken", act: () => {} };
    if (this.#waiting + events.length > MAX_WAITING_EVENTS) return { outcome: "refused" };
    this.#waiting += events.length;
    try {
      const entries = await journal.append({
        receivedAt: Math.round(clock.wallMs()),
        body,
        entries: events.map(toEntry),
      });
      this.#done(events.length - entries.length);
      if (entries.length < events.length) onRepeated(events.length - entries.length);
      return { outcome: "taken", act: () => this.#act(events, entries, receivedAtMs) };
    } catch (error) {
      this.#done(events.length);
      if (isRingbackError(error, "STORE_UNAVAILABLE")) onUnavailable(error.details.reason);
      else this.#options.logger.error({ err: error }, "a webhook could not be journalled");
      return { outcome: "refused" };
    }
  }

  #act(
    events: readonly CallEvent[],
    entries: readonly { readonly id: number; readonly position: number }[],
    receivedAtMs: number,
  ): void {
    for (const { id: entryId, position } of entries) {
      const event = events[position];
      if (event === undefined) continue;
      void this.#options.process({ event, entryId, receivedAtMs }).then(() => this.#done(1));
    }
  }

  #done(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function toEntry(event: CallEvent, position: number): NewJournalEntry {
  const { phoneNumber, userId } = event.caller;
  return {
    dedupKey: dedupKey(event),
    callKey: callKey(event),
    event: event.type === "status" ? `status:${event.status}` : event.type,
    position,
    subject: phoneNumber ?? userId,
  };
}
