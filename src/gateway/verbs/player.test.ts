import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { TalkingRig } from "../../../test/support/talking-rig.ts";
import { loadOpus } from "../../media/opus-codec.ts";
import type { PlayResult } from "./types.ts";

beforeAll(loadOpus);

const rigs: TalkingRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.hangUp();
    expect(rig.clock.pendingTimers).toBe(0);
  }
});

async function start(): Promise<TalkingRig> {
  const rig = await TalkingRig.start();
  rigs.push(rig);
  return rig;
}

/** What a promise has come to so far; null while it has not. */
function stateOf(playing: Promise<PlayResult>) {
  const state: { outcome: string | null } = { outcome: null };
  playing.then(
    ({ outcome }) => {
      state.outcome = outcome;
    },
    (error: { code: string }) => {
      state.outcome = error.code;
    },
  );
  return state;
}

/** Samples that come when they are asked for, until somebody lets go of them. */
class Samples implements AsyncIterable<Int16Array>, AsyncIterator<Int16Array> {
  given = 0;
  isLeft = false;
  readonly #limit: number;

  constructor(pieces = Number.POSITIVE_INFINITY) {
    this.#limit = pieces;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Int16Array>> {
    if (this.given >= this.#limit) return { done: true, value: undefined };
    this.given += 1;
    return { done: false, value: new Int16Array(160).fill(this.given % 2 === 0 ? 9_000 : -9_000) };
  }

  async return(): Promise<IteratorResult<Int16Array>> {
    this.isLeft = true;
    return { done: true, value: undefined };
  }
}

describe("one sound after the other", () => {
  test("a second one takes the place of the first", async () => {
    const rig = await start();
    const first = stateOf(rig.call.play("a"));
    await rig.pass(200);
    const second = stateOf(rig.call.play("b"));
    await rig.pass(60);
    expect([first.outcome, second.outcome]).toEqual(["replaced", null]);
    await rig.pass(1_000);
    expect(second.outcome).toBe("completed");
  });

  test("queued ones wait for all that were asked for before", async () => {
    const rig = await start();
    const sounds = ["a", "b", "c"].map((name) => stateOf(rig.call.play(name, { queue: true })));
    await rig.pass(1_100);
    expect(sounds.map(({ outcome }) => outcome)).toEqual(["completed", null, null]);
    await rig.pass(2_200);
    expect(sounds.map(({ outcome }) => outcome)).toEqual(["completed", "completed", "completed"]);
  });

  test("one that fails does not let the next one in the queue interrupt what is playing", async () => {
    const rig = await start();
    const playing = stateOf(rig.call.play("a"));
    const failing = stateOf(rig.call.play("missing", { queue: true }));
    const queued = stateOf(rig.call.play("b", { queue: true }));
    await rig.pass(500);
    expect([playing.outcome, failing.outcome, queued.outcome]).toEqual([null, "MEDIA_FILE_UNUSABLE", null]);
    await rig.pass(700);
    expect(playing.outcome).toBe("completed");
    await rig.pass(1_000);
    expect(queued.outcome).toBe("completed");
  });

  test("one that is stopped while it waits for its turn is over at once", async () => {
    const rig = await start();
    void rig.call.play("a", { loop: true });
    const waiting = rig.call.play("b", { queue: true });
    const state = stateOf(waiting);
    await rig.pass(100);
    waiting.stop();
    await rig.settle();
    expect(state.outcome).toBe("stopped");
    expect(rig.heard(1)).toEqual(["prompt"]);
  });

  test("one that loads slowly does not replace what was asked for after it", async () => {
    const rig = await start();
    const slow = stateOf(rig.call.play("slow"));
    const fast = stateOf(rig.call.play("a"));
    await rig.pass(100);
    rig.prompts.slow.get("slow")?.();
    await rig.pass(100);
    expect([slow.outcome, fast.outcome]).toEqual(["replaced", null]);
  });

  test("what is loading is over when it is stopped, or the call ends, whatever becomes of it", async () => {
    const rig = await start();
    const abort = new AbortController();
    const stopped = rig.call.play("slow 1");
    const states = [
      stateOf(stopped),
      stateOf(rig.call.play("slow 2", { signal: abort.signal })),
      stateOf(rig.call.play("slow 3")),
    ];
    await rig.pass(20);
    stopped.stop();
    abort.abort();
    await rig.settle();
    expect(states.map(({ outcome }) => outcome)).toEqual(["stopped", "stopped", null]);
    await rig.hangUp();
    expect(states[2]?.outcome).toBe("call-ended");
    for (const load of rig.prompts.slow.values()) load();
    await rig.settle();
  });

  test("on a call that is over nothing is played, and nothing is looked for", async () => {
    const rig = await start();
    await rig.hangUp();
    const late = stateOf(rig.call.play("slow"));
    await rig.settle();
    expect(late.outcome).toBe("call-ended");
  });
});

describe("samples as they come", () => {
  test("are asked for as they are played, and let go of when they are stopped", async () => {
    const rig = await start();
    const samples = new Samples();
    const playing = rig.call.play({ pcm: samples, rateHz: 8_000 });
    await rig.pass(1_000);
    expect(rig.heard(3)).toEqual(["live", "live", "live"]);
    // A second was played, and a little more than one waits.
    expect(samples.given).toBeGreaterThan(90);
    expect(samples.given).toBeLessThan(140);
    playing.stop();
    await rig.pass(60);
    expect(samples.isLeft).toBe(true);
    expect((await playing).outcome).toBe("stopped");
    expect(rig.heard(1)).toEqual(["silence"]);
  });

  test("are let go of at the end of the call, though they wait for more", async () => {
    const rig = await start();
    let isLeft = false;
    const pcm = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          isLeft = true;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const state = stateOf(rig.call.play({ pcm, rateHz: 16_000 }, { gain: 0.5 }));
    await rig.pass(100);
    await rig.hangUp();
    expect([state.outcome, isLeft]).toEqual(["call-ended", true]);
  });

  test("that break off end what is played of them, and the log has why", async () => {
    const rig = await start();
    async function* broken(): AsyncGenerator<Int16Array> {
      yield new Int16Array(1_600).fill(5_000);
      throw new Error("no more today");
    }
    const state = stateOf(rig.call.play({ pcm: broken(), rateHz: 8_000 }));
    await rig.pass(400);
    expect(state.outcome).toBe("stopped");
    expect(rig.log.filter(({ message }) => message === "samples broke off")).toHaveLength(1);
  });

  test("come once, also in a loop, and in their place among other sounds", async () => {
    const rig = await start();
    const samples = new Samples(20);
    const playing = rig.call.play(["a", { pcm: samples, rateHz: 8_000 }, "b"], { loop: 3 });
    await rig.pass(1_100);
    expect(rig.heard(1)).toEqual(["live"]);
    await rig.pass(1_600);
    expect(await playing).toEqual({ outcome: "completed", playedMs: 2_400, interruptedBy: null });
    expect(samples.given).toBe(20);
  });

  test("in a list are interrupted like the rest of it", async () => {
    const rig = await start();
    const samples = new Samples();
    const playing = rig.call.play(["a", { pcm: samples, rateHz: 8_000 }, "b"], { interruptOn: "digit" });
    await rig.pass(1_300);
    await rig.press("1");
    await rig.pass(40);
    expect(await playing).toMatchObject({ outcome: "interrupted", interruptedBy: "digit" });
    expect(samples.isLeft).toBe(true);
  });

  test("pause with the sound, and go on with it", async () => {
    const rig = await start();
    const playing = rig.call.play({ pcm: new Samples(50), rateHz: 8_000 });
    await rig.pass(200);
    playing.pause();
    await rig.pass(400);
    expect(rig.heard(3)).toEqual(["silence", "silence", "silence"]);
    playing.resume();
    await rig.pass(1_000);
    expect(await playing).toMatchObject({ outcome: "completed", playedMs: 1_000 });
  });

  test.each([11_025, 44_100, 0])("of %i Hz are refused", async (rateHz) => {
    const rig = await start();
    const source = { pcm: new Samples(), rateHz: rateHz as 8_000 };
    await expect(rig.call.play(source)).rejects.toMatchObject({ details: { option: "rateHz" } });
  });
});

test.each([
  ["sounds", [[] as string[], {}], "source"],
  ["rounds", ["a", { loop: 1.5 }], "loop"],
  ["a gain", ["a", { gain: 5 }], "gain"],
] as const)("%s out of range are refused", async (_, [source, options], option) => {
  const rig = await start();
  await expect(rig.call.play(source, options)).rejects.toMatchObject({ details: { option } });
});

test("64 sounds play and wait, and no more", async () => {
  const rig = await start();
  for (let i = 0; i < 64; i += 1) void rig.call.play("a", { queue: true });
  await expect(rig.call.play("a", { queue: true })).rejects.toMatchObject({ details: { option: "queue" } });
});
