import { expect, test, vi } from "vitest";
import { silentLogger } from "../../../logger.ts";
import type { EventLog, StoredEvent } from "../../../store/types.ts";
import { ManualClock } from "../../../testing/index.ts";
import { EventPump } from "./event-pump.ts";
import { EventReader, PAGE_EVENTS } from "./event-reader.ts";

function eventAt(position: number, callId = "call_1"): StoredEvent {
  const id = `evt_${position}`;
  return { position, id, type: "call.dtmf", at: 0, callId, phoneNumberId: "1", seq: position, data: {} };
}

/** A log in memory whose reads can be held up, and fail. */
class FakeLog implements EventLog {
  readonly events: StoredEvent[] = [];
  readonly reads: string[] = [];
  failures = 0;
  hold: Promise<void> | null = null;
  readonly #listeners = new Set<() => void>();

  commit(...events: readonly StoredEvent[]): void {
    this.events.push(...events);
    for (const listener of this.#listeners) listener();
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  async read(
    filter: Parameters<EventLog["read"]>[0],
    { after, limit }: Parameters<EventLog["read"]>[1],
  ): Promise<readonly StoredEvent[]> {
    this.reads.push(`${filter.callId ?? "all"} ${after}`);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("gone");
    }
    const found = this.events.filter(({ position, callId }) => {
      return position > after && (filter.callId === undefined || filter.callId === callId);
    });
    await this.hold;
    return found.slice(0, limit);
  }
  head = async (): Promise<number> => this.events.at(-1)?.position ?? 0;
  tail = async (): Promise<number> => 0;
  byId = async (): Promise<null> => null;
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

interface PumpRig {
  readonly sent: number[];
  readonly pauses: number[];
  readonly pump: EventPump;
  readonly onFailed: ReturnType<typeof vi.fn>;
}

function startPump(reader: EventReader, callId?: string): PumpRig {
  const sent: number[] = [];
  const pauses: number[] = [];
  const onFailed = vi.fn();
  const pump = new EventPump({
    reader,
    filter: callId === undefined ? {} : { callId },
    after: 0,
    sink: { send: ({ position }) => void sent.push(position) },
    logger: silentLogger,
    onFailed,
    pause: async (ms) => void pauses.push(ms),
  });
  pump.start();
  return { sent, pauses, pump, onFailed };
}

test("subscribers that have caught up share one read of each commit, whatever their filters", async () => {
  const log = new FakeLog();
  const reader = new EventReader(log, new ManualClock());
  const rigs = [startPump(reader), startPump(reader, "call_1"), startPump(reader, "call_2")];
  await vi.waitFor(() => expect(log.reads).toHaveLength(3));
  await vi.waitFor(() => expect(rigs.every(({ pump }) => pump.position === 0)).toBe(true));
  log.reads.length = 0;
  log.commit(eventAt(1), eventAt(2, "call_2"));
  await vi.waitFor(() => expect(rigs.map(({ pump }) => pump.position)).toEqual([2, 2, 2]));
  expect(rigs.map(({ sent }) => sent)).toEqual([[1, 2], [1], [2]]);
  expect(log.reads.filter((read) => read === "all 0")).toHaveLength(1);
  for (const { pump } of rigs) pump.stop();
  expect(log.listeners).toBe(0);
});

test("what is committed while a read is under way is not lost", async () => {
  const log = new FakeLog();
  const reader = new EventReader(log, new ManualClock());
  const { sent, pump } = startPump(reader);
  await vi.waitFor(() => expect(log.reads).toHaveLength(1));
  await Promise.resolve();
  let release = (): void => {};
  log.hold = new Promise((resolve) => {
    release = resolve;
  });
  log.commit(eventAt(1));
  await vi.waitFor(() => expect(log.reads).toHaveLength(2));
  log.commit(eventAt(2));
  release();
  await vi.waitFor(() => expect(sent).toEqual([1, 2]));
  pump.stop();
});

test("a subscriber far behind is filtered by the store, page by page, and skips what does not fit", async () => {
  const log = new FakeLog();
  const total = 5 * PAGE_EVENTS;
  log.commit(
    ...Array.from({ length: total }, (_, index) => eventAt(index + 1, index % 2 === 0 ? "call_1" : "call_2")),
  );
  const { sent, pump } = startPump(new EventReader(log, new ManualClock()), "call_1");
  await vi.waitFor(() => expect(pump.position).toBe(total));
  expect(sent).toHaveLength(total / 2);
  expect(log.reads.every((read) => read.startsWith("call_1 ") || read === `all ${total}`)).toBe(true);
  pump.stop();
});

test("a store that is gone for a while is asked again, and then given up", async () => {
  const log = new FakeLog();
  log.events.push(eventAt(1));
  log.failures = 3;
  const patient = startPump(new EventReader(log, new ManualClock()));
  await vi.waitFor(() => expect(patient.sent).toEqual([1]));
  expect(patient.pauses).toEqual([250, 1_000, 4_000]);
  patient.pump.stop();

  log.failures = 100;
  const hopeless = startPump(new EventReader(log, new ManualClock()));
  await vi.waitFor(() => expect(hopeless.onFailed).toHaveBeenCalledTimes(1));
  expect(hopeless.sent).toEqual([]);
});

test("what another process has written is found within a second, and nobody looks when nobody listens", async () => {
  const log = new FakeLog();
  const clock = new ManualClock();
  const { sent, pump } = startPump(new EventReader(log, clock));
  await vi.waitFor(() => expect(log.reads).toHaveLength(1));
  await Promise.resolve();
  log.events.push(eventAt(1));
  clock.advance(1_000);
  await vi.waitFor(() => expect(sent).toEqual([1]));
  pump.stop();
  expect(clock.pendingTimers).toBe(0);
});
