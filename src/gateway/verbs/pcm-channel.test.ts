import { describe, expect, test } from "vitest";
import type { HostedSession, MarkOutcome, PcmWriter } from "../../media/index.ts";
import { PcmChannel } from "./pcm-channel.ts";

/** 200 ms at 8 kHz. */
const PIECE = 1_600;

/** A session that keeps what is written, until the test plays it. */
class ScriptedSession {
  readonly orders: (string | number)[] = [];
  /** The first sample of each piece. */
  readonly firsts: number[] = [];
  #written = 0;
  readonly #marks: { readonly mark: number; readonly position: number }[] = [];
  #onMark: (mark: number, outcome: MarkOutcome) => void = () => {};

  playPcm(_: unknown, { onMark }: { readonly onMark: (mark: number, outcome: MarkOutcome) => void }) {
    this.#onMark = onMark;
    return {
      finished: new Promise(() => {}),
      write: (samples: Int16Array) => {
        this.#written += samples.length;
        this.orders.push(samples.length);
        this.firsts.push(samples[0] ?? -1);
      },
      mark: (mark: number) => {
        this.#marks.push({ mark, position: this.#written });
        this.orders.push("mark");
      },
      clear: () => {
        this.orders.push("clear");
        for (const { mark } of this.#marks.splice(0)) onMark(mark, "cleared");
      },
      finish: () => void this.orders.push("finish"),
    } as unknown as PcmWriter;
  }

  get written(): number {
    return this.#written;
  }

  /** All that comes before the position has left. */
  async play(position: number): Promise<void> {
    while (this.#marks[0] !== undefined && this.#marks[0].position <= position) {
      this.#onMark(this.#marks.shift()?.mark ?? -1, "played");
    }
    await new Promise(setImmediate);
  }
}

function setUp() {
  const session = new ScriptedSession();
  const channel = new PcmChannel(session as unknown as HostedSession, 8_000, { place: "live" });
  return { session, channel };
}

const settle = (): Promise<void> => new Promise(setImmediate);

/** Whether a promise is settled yet. */
function watch(promise: Promise<unknown>) {
  const state = { isDone: false };
  void promise.finally(() => {
    state.isDone = true;
  });
  return state;
}

describe("samples that are written", () => {
  test("go over in pieces of 200 ms, each with a mark behind it", async () => {
    const { session, channel } = setUp();
    await channel.write(new Int16Array(PIECE * 2 + 100));
    await channel.write(new Int16Array(PIECE));
    expect(session.orders).toEqual([PIECE, "mark", PIECE, "mark", 100, PIECE - 100, "mark", 100]);
  });

  test("wait when more than a second is to be played", async () => {
    const { session, channel } = setUp();
    const writing = watch(channel.write(new Int16Array(PIECE * 8)));
    await settle();
    expect([session.written, writing.isDone]).toEqual([PIECE * 6, false]);
    await session.play(PIECE);
    expect([session.written, writing.isDone]).toEqual([PIECE * 7, false]);
    await session.play(PIECE * 2);
    await session.play(PIECE * 3);
    expect([session.written, writing.isDone]).toEqual([PIECE * 8, true]);
  });

  test("keep their order though nobody waits, and the array may be used again at once", async () => {
    const { session, channel } = setUp();
    const samples = new Int16Array(PIECE * 7).fill(1);
    void channel.write(samples);
    samples.fill(2);
    void channel.write(new Int16Array(10));
    void channel.mark();
    channel.finish();
    await settle();
    expect(session.orders.filter((order) => order === 10 || order === "finish")).toEqual([]);
    for (let piece = 1; piece <= 7; piece += 1) await session.play(PIECE * piece);
    expect(session.orders.slice(-3)).toEqual([10, "mark", "finish"]);
    expect(session.firsts).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });

  test("beyond 10 s that wait for their turn are dropped", async () => {
    const { session, channel } = setUp();
    const writes = Array.from({ length: 12 }, () => channel.write(new Int16Array(8_000)));
    await settle();
    await session.play(PIECE * 100);
    for (let i = 0; i < 100; i += 1) await session.play(PIECE * 100);
    await Promise.all(writes);
    expect(session.written).toBeLessThan(8_000 * 12);
    expect(session.written).toBeGreaterThanOrEqual(8_000 * 10);
  });

  test("must be 16 bits", () => {
    const { channel } = setUp();
    expect(() => channel.write(new Float32Array(8) as unknown as Int16Array)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });
});

describe("clear", () => {
  test("ends what is being written, and what waits for its turn; what comes after it is played", async () => {
    const { session, channel } = setUp();
    const first = watch(channel.write(new Int16Array(PIECE * 20)));
    const second = watch(channel.write(new Int16Array(PIECE)));
    const mark = channel.mark();
    await settle();
    channel.clear();
    expect(await mark).toBe("cleared");
    expect([first.isDone, second.isDone]).toEqual([true, true]);
    const written = session.written;
    await channel.write(new Int16Array(100));
    const next = channel.mark();
    await settle();
    expect(session.written).toBe(written + 100);
    await session.play(session.written);
    expect(await next).toBe("played");
  });
});
