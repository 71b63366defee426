import { describe, expect, test } from "vitest";
import { headerOf } from "../../../test/support/opus-stream.ts";
import { createRtpHeader } from "../../core/transport/rtp/rtp.ts";
import { OrderedAudio, type OrderedConsumer, type OrderedFrame } from "./ordered-audio.ts";

/** RFC 6716 §3.1: TOCs of CELT and SILK packets with one frame. */
const MS_2_5 = 0xe0;
const MS_10 = 0xf0;
const MS_20 = 0xf8;
const MS_60 = 0x18;

class Recorder implements OrderedConsumer {
  readonly slots: string[] = [];
  readonly failures: unknown[] = [];
  #slot: string[] = [];

  onFrame(frame: OrderedFrame): void {
    this.#slot.push(String(frame.bytes[frame.lengthBytes - 1]));
  }

  onLost(rtpTicks: number, following: OrderedFrame | null): void {
    const known = following === null ? "" : `<${following.bytes[following.lengthBytes - 1]}`;
    this.#slot.push(`lost ${rtpTicks}${known}`);
  }

  onSlotEnd(): void {
    this.slots.push(this.#slot.join(" "));
    this.#slot = [];
  }

  onFailed(error: unknown): void {
    this.failures.push(error);
  }
}

function packetOf(toc: number, number: number): Uint8Array {
  return Uint8Array.of(toc, 0, number);
}

interface Playing {
  readonly toc: number;
  readonly packetMs: number;
  readonly count: number;
  readonly missing?: readonly number[];
  readonly slots?: number;
}

/** Packets come at their pace; each slot of 20 ms is ticked 5 ms after it began. */
function play(ordered: OrderedAudio, { toc, packetMs, count, missing = [], slots }: Playing): void {
  let number = 0;
  const end = slots ?? Math.ceil((count * packetMs) / 20) + 10;
  for (let slot = 0; slot < end; slot += 1) {
    const nowMs = slot * 20 + 5;
    for (; number < count && number * packetMs <= nowMs; number += 1) {
      const packet = packetOf(toc, number);
      if (!missing.includes(number))
        ordered.push(packet, headerOf(number, packet, packetMs * 48), number * packetMs);
    }
    ordered.tick(nowMs);
  }
}

function setUp() {
  const ordered = new OrderedAudio();
  const recorder = new Recorder();
  expect(ordered.add(recorder)).toBe(true);
  return { ordered, recorder };
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));
/** From the first slot with a packet to the last. */
const heard = (slots: readonly string[]) =>
  slots.slice(
    slots.findIndex((slot) => slot !== ""),
    slots.findLastIndex((slot) => slot !== "") + 1,
  );

test("one packet a slot, in order, from the least delay on", () => {
  const { ordered, recorder } = setUp();
  play(ordered, { toc: MS_20, packetMs: 20, count: 50 });
  expect(recorder.slots.slice(0, 3)).toEqual(["", "", "0"]);
  expect(heard(recorder.slots)).toEqual(numbers(50));
});

test("a loss is told with the packet behind it, if that one is there", () => {
  const { ordered, recorder } = setUp();
  play(ordered, { toc: MS_20, packetMs: 20, count: 12, missing: [3, 6, 7] });
  expect(heard(recorder.slots)).toEqual([
    "0",
    "1",
    "2",
    "lost 960<4",
    "4",
    "5",
    "lost 960",
    "lost 960<8",
    "8",
    "9",
    "10",
    "11",
  ]);
});

test("telephone events are no losses", () => {
  const { ordered, recorder } = setUp();
  for (let number = 0; number < 20; number += 1) {
    const packet = packetOf(MS_20, number);
    const header = headerOf(number, packet);
    if (number >= 5 && number < 10) ordered.skip(packet, header);
    else ordered.push(packet, header, number * 20);
    ordered.tick(number * 20 + 5);
  }
  expect(heard(recorder.slots).join(",")).not.toContain("lost");
  expect(heard(recorder.slots)).toContain("10");
});

describe("packets that are not as long as a slot", () => {
  test("60 ms: one in three slots, and losses too", () => {
    const { ordered, recorder } = setUp();
    play(ordered, { toc: MS_60, packetMs: 60, count: 20 });
    expect(heard(recorder.slots)).toEqual(
      numbers(20)
        .flatMap((number) => [number, "", ""])
        .slice(0, -2),
    );
  });

  test("10 ms: two in each slot", () => {
    const { ordered, recorder } = setUp();
    play(ordered, { toc: MS_10, packetMs: 10, count: 40 });
    const played = heard(recorder.slots);
    expect(played.join(" ").split(" ")).toEqual(numbers(40));
    expect(played.filter((slot) => slot.split(" ").length !== 2)).toHaveLength(0);
  });

  test("2.5 ms: eight in each slot", () => {
    const { ordered, recorder } = setUp();
    play(ordered, { toc: MS_2_5, packetMs: 2.5, count: 160 });
    const played = heard(recorder.slots);
    expect(played.join(" ").split(" ")).toEqual(numbers(160));
    expect(Math.max(...played.map((slot) => slot.split(" ").length))).toBe(8);
  });

  test("what is no Opus stands for a slot", () => {
    const { ordered, recorder } = setUp();
    // RFC 6716 §3.2.5: code 3 with no frames.
    play(ordered, { toc: 0xfb, packetMs: 20, count: 10 });
    expect(heard(recorder.slots)).toEqual(numbers(10));
  });
});

describe("consumers", () => {
  test("nothing is kept while there are none, nor for the next one", () => {
    const { ordered, recorder } = setUp();
    play(ordered, { toc: MS_20, packetMs: 20, count: 10, slots: 10 });
    expect(ordered.stats()?.packetsBuffered).toBeGreaterThan(0);
    ordered.remove(recorder);
    ordered.remove(recorder);
    expect(ordered.stats()).toBeNull();
    expect(ordered.isWanted).toBe(false);
    const count = recorder.slots.length;
    play(ordered, { toc: MS_20, packetMs: 20, count: 10, slots: 10 });
    expect(recorder.slots).toHaveLength(count);
    ordered.add(recorder);
    expect(ordered.stats()).toMatchObject({ packetsBuffered: 0 });
  });

  test("all hear the same, and there are eight at most", () => {
    const { ordered, recorder } = setUp();
    const others = Array.from({ length: 7 }, () => new Recorder());
    expect(others.map((other) => ordered.add(other))).toEqual(others.map(() => true));
    expect(ordered.add(new Recorder())).toBe(false);
    play(ordered, { toc: MS_20, packetMs: 20, count: 10, missing: [4] });
    for (const other of others) expect(other.slots).toEqual(recorder.slots);
    const [first] = others;
    if (first !== undefined) ordered.remove(first);
    expect(ordered.add(new Recorder())).toBe(true);
  });

  test("one that throws is told so and hears nothing more; the others go on", () => {
    const { ordered, recorder } = setUp();
    const fault = new Error("broken consumer");
    class Broken extends Recorder {
      override onFrame(frame: OrderedFrame): void {
        super.onFrame(frame);
        if (frame.bytes[2] === 2) throw fault;
      }
    }
    const broken = new Broken();
    ordered.add(broken);
    play(ordered, { toc: MS_20, packetMs: 20, count: 10 });
    expect(broken.failures).toEqual([fault]);
    expect(broken.slots).toEqual(["", "", "0", "1"]);
    expect(heard(recorder.slots)).toEqual(numbers(10));
    expect(recorder.failures).toEqual([]);
  });

  test("one may leave while it is told, also as the last", () => {
    const { ordered } = setUp();
    const only = new OrderedAudio();
    class Leaving extends Recorder {
      override onFrame(frame: OrderedFrame): void {
        super.onFrame(frame);
        ordered.remove(this);
        only.remove(this);
      }
    }
    for (const where of [ordered, only]) {
      const leaving = new Leaving();
      where.add(leaving);
      play(where, { toc: MS_10, packetMs: 10, count: 20 });
      expect(leaving.failures).toEqual([]);
    }
    expect(only.isWanted).toBe(false);
  });
});

test("another stream is heard after the least delay", () => {
  const { ordered, recorder } = setUp();
  play(ordered, { toc: MS_20, packetMs: 20, count: 10, slots: 10 });
  for (let number = 0; number < 10; number += 1) {
    const packet = packetOf(MS_20, 100 + number);
    ordered.push(
      packet,
      { ...createRtpHeader(), ssrc: 8, sequence: number, payloadLength: 3, timestamp: number * 960 },
      300 + number * 20,
    );
    ordered.tick(305 + number * 20);
  }
  expect(recorder.slots.slice(-8)).toEqual(["100", "101", "102", "103", "104", "105", "106", "107"]);
  expect(ordered.stats()?.restarts).toBe(1);
});
