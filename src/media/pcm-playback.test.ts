import { describe, expect, test } from "vitest";
import { type LiveEncoder, type MarkOutcome, PcmPlayback } from "./pcm-playback.ts";
import { OPUS_SILENCE } from "./silence.ts";

const FRAME = 320;

/** "Encodes" a slot to its first sample's value, so that tests see what was sent. */
class ScriptedEncoder implements LiveEncoder {
  readonly lookaheadSamples = 104;
  encoded = 0;
  closed = 0;
  encode(samples: Int16Array): Uint8Array {
    this.encoded += 1;
    return Uint8Array.of(0x48, (samples[200] ?? 0) & 0xff);
  }
  close(): void {
    this.closed += 1;
  }
}

function setUp(options: { readonly ready?: boolean } = {}) {
  const marks: [number, MarkOutcome][] = [];
  const playback = new PcmPlayback(
    { rateHz: 16_000, place: "live" },
    { onMark: (mark, outcome) => marks.push([mark, outcome]) },
    () => {
      further.push(new ScriptedEncoder());
      playback.setEncoder(further.at(-1) ?? encoder);
    },
  );
  const encoder = new ScriptedEncoder();
  const further: ScriptedEncoder[] = [];
  if (options.ready !== false) playback.setEncoder(encoder);
  const take = (): number | "silence" | "over" => {
    const packet = playback.take();
    if (packet === null) return "over";
    return packet === OPUS_SILENCE ? "silence" : (packet[1] ?? -1);
  };
  return {
    playback,
    encoder,
    further,
    marks,
    take,
    slot: (value: number) => new Int16Array(FRAME).fill(value),
  };
}

describe("samples that are played as they come", () => {
  test("go out slot by slot, with one more packet for what the encoder holds, then silence that costs nothing", () => {
    const { playback, encoder, take, slot } = setUp();
    playback.write(slot(7));
    playback.write(slot(8));
    expect([take(), take(), take(), take(), take()]).toEqual([7, 8, 0, "silence", "silence"]);
    expect(encoder.encoded).toBe(3);
  });

  test("wait for the encoder", () => {
    const { playback, encoder, take, slot } = setUp({ ready: false });
    playback.write(slot(7));
    expect(take()).toBe("silence");
    playback.setEncoder(encoder);
    expect(take()).toBe(7);
  });

  test("that are less than a slot wait for one more slot, and are then played as they are", () => {
    const { playback, take, slot } = setUp();
    playback.write(slot(7).subarray(0, 300));
    expect([take(), take()]).toEqual(["silence", 7]);
  });

  test("that end within a slot end there, without a gap before the rest", () => {
    const { playback, encoder, take, slot } = setUp();
    playback.write(slot(7));
    playback.write(slot(8).subarray(0, 220));
    expect([take(), take(), take(), take()]).toEqual([7, 8, 0, "silence"]);
    expect(encoder.encoded).toBe(3);
  });

  test("have an encoder that knows nothing of what was before a packet of silence, as the decoder does not", () => {
    const { playback, encoder, further, take, slot } = setUp();
    playback.write(slot(7));
    // The sound goes on before any packet of silence: so does its encoder.
    expect([take(), take()]).toEqual([7, 0]);
    playback.write(slot(8));
    expect([take(), take()]).toEqual([8, 0]);
    expect([encoder.closed, further.length]).toEqual([0, 0]);
    expect([take(), take(), take()]).toEqual(["silence", "silence", "silence"]);
    expect([encoder.closed, further.length]).toEqual([1, 1]);
    playback.write(slot(9));
    expect(take()).toBe(9);
    expect([encoder.encoded, further[0]?.encoded]).toEqual([4, 1]);
    playback.end("call-ended");
    expect(further[0]?.closed).toBe(1);
  });

  test("beyond 10 s are dropped", () => {
    const { playback, marks } = setUp();
    playback.write(new Int16Array(20 * 16_000));
    playback.mark(1);
    for (let slot = 0; slot < 499; slot += 1) playback.take();
    expect(marks).toEqual([]);
    playback.take();
    playback.take();
    expect(marks).toEqual([[1, "played"]]);
  });
});

describe("a mark", () => {
  test("comes back when the last sample before it has left, the encoder's delay included", () => {
    const { playback, marks, take, slot } = setUp();
    playback.write(slot(1));
    playback.mark(1);
    playback.write(slot(2));
    playback.mark(2);
    take();
    expect(marks).toEqual([]);
    take();
    expect(marks).toEqual([[1, "played"]]);
    take();
    expect(marks).toEqual([
      [1, "played"],
      [2, "played"],
    ]);
  });

  test("comes back at once where nothing waits", () => {
    const { playback, marks } = setUp();
    playback.mark(5);
    expect(marks).toEqual([[5, "played"]]);
  });

  test("says when what was before it was dropped, or the call ended", () => {
    const { playback, marks, slot } = setUp();
    playback.write(slot(1));
    playback.mark(1);
    playback.clear();
    playback.write(slot(1));
    playback.mark(2);
    playback.end("call-ended");
    playback.mark(3);
    expect(marks).toEqual([
      [1, "cleared"],
      [2, "call-ended"],
      [3, "call-ended"],
    ]);
  });

  test.each([
    ["completed", "played"],
    ["stopped", "cleared"],
    ["replaced", "cleared"],
    ["interrupted", "cleared"],
    ["call-ended", "call-ended"],
  ] as const)("that comes after it was %s says that it was %s", (outcome, expected) => {
    const { playback, marks } = setUp();
    playback.end(outcome);
    playback.mark(1);
    expect(marks).toEqual([[1, expected]]);
  });
});

describe("the end", () => {
  test("comes when all was played, once no more is written", async () => {
    const { playback, encoder, take, slot } = setUp();
    playback.write(slot(1));
    playback.finish();
    playback.write(slot(2));
    expect([take(), take(), take()]).toEqual([1, 0, "over"]);
    expect(await playback.finished).toEqual({ outcome: "completed", playedMs: 20, interruptedBy: null });
    expect(encoder.closed).toBe(1);
  });

  test("by stopping fades out in one more packet and frees the encoder", async () => {
    const { playback, encoder, take, slot } = setUp();
    playback.write(slot(1));
    playback.write(slot(2));
    take();
    playback.stop();
    expect([take(), take(), take()]).toEqual([0, "over", "over"]);
    expect((await playback.finished).outcome).toBe("stopped");
    expect(encoder.closed).toBe(1);
  });

  test("of the call frees the encoder at once, also one that comes later", () => {
    const first = setUp();
    first.playback.end("call-ended");
    expect(first.encoder.closed).toBe(1);
    const second = setUp({ ready: false });
    second.playback.end("call-ended");
    second.playback.setEncoder(second.encoder);
    expect(second.encoder.closed).toBe(1);
    expect(second.take()).toBe("over");
  });
});

test.each(["call-ended", "replaced"] as const)(
  "what was fading out when it was %s, so that nobody takes it any more, frees its encoder",
  (outcome) => {
    const { playback, encoder, take, slot } = setUp();
    playback.write(slot(1));
    take();
    playback.stop();
    playback.end(outcome);
    expect(encoder.closed).toBe(1);
    expect(take()).toBe("over");
    expect(encoder.closed).toBe(1);
  },
);

test("a pause is silence, and what waits goes on behind it", () => {
  const { playback, take, slot } = setUp();
  for (const value of [1, 2]) playback.write(slot(value));
  const heard = [take()];
  playback.pause();
  heard.push(take(), take(), take());
  playback.resume();
  heard.push(take());
  expect(heard).toEqual([1, 0, "silence", "silence", 2]);
});
