import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { TalkingRig } from "../../../test/support/talking-rig.ts";
import { createRtpHeader, readRtp } from "../../core/transport/rtp/rtp.ts";
import { loadOpus } from "../../media/opus-codec.ts";

beforeAll(loadOpus);

const rigs: TalkingRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.hangUp();
    expect(rig.clock.pendingTimers).toBe(0);
  }
});

/** SILK wideband, 20 ms. */
const WORD = Uint8Array.of(0x48, 7, 7);
const EVENT_TYPE = 126;

async function start() {
  const [left, right] = [await TalkingRig.start(), await TalkingRig.start()];
  rigs.push(left, right);
  /** Time for both, in which the right one speaks. */
  const talk = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 20) {
      right.say(WORD);
      await left.pass(20);
      await right.pass(20);
    }
  };
  return { left, right, talk };
}

/** Keys that were pressed toward a call's caller. */
function keysOf(rig: TalkingRig): number {
  const timestamps = new Set<number>();
  for (const packet of rig.engine.lastLeg.sent) {
    const header = createRtpHeader();
    readRtp(packet, header);
    if (header.payloadType === EVENT_TYPE) timestamps.add(header.timestamp);
  }
  return timestamps.size;
}

describe("two calls", () => {
  test("hear each other until they are taken apart, and are then their programs' again", async () => {
    const { left, right, talk } = await start();
    const bridge = await left.call.bridge(right.call);
    await talk(400);
    expect(left.heard(5)).toEqual(new Array(5).fill("live"));
    bridge.unbridge();
    bridge.unbridge();
    expect(await bridge.ended).toEqual({ outcome: "unbridged", durationMs: 400 });
    await talk(100);
    expect(left.heard(3)).toEqual(["silence", "silence", "silence"]);
  });

  test("are apart when the signal aborts, also when it did before", async () => {
    const { left, right } = await start();
    const abort = new AbortController();
    const bridge = await left.call.bridge(right.call, { signal: abort.signal });
    abort.abort();
    expect((await bridge.ended).outcome).toBe("unbridged");
    const none = await left.call.bridge(right.call, { signal: AbortSignal.abort() });
    expect((await none.ended).outcome).toBe("unbridged");
  });

  test("are apart when one of them ends, and the other goes on", async () => {
    const { left, right, talk } = await start();
    const bridge = await left.call.bridge(right.call);
    await talk(200);
    await right.hangUp();
    expect((await bridge.ended).outcome).toBe("hangup");
    await left.pass(400);
    expect(left.heard(3)).toEqual(["silence", "silence", "silence"]);
    const gathering = left.call.gather({ maxDigits: 1 });
    await left.press("5");
    expect((await gathering).digits).toBe("5");
  });

  test("are in one bridge at a time: the next one ends it", async () => {
    const { left, right } = await start();
    const third = await TalkingRig.start();
    rigs.push(third);
    const first = await left.call.bridge(right.call);
    const second = await third.call.bridge(right.call);
    expect((await first.ended).outcome).toBe("unbridged");
    second.unbridge();
  });

  test("must be two, of which neither is over", async () => {
    const { left, right } = await start();
    await expect(left.call.bridge(left.call)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await right.hangUp();
    await expect(left.call.bridge(right.call)).rejects.toMatchObject({ code: "CALL_ENDED" });
    await expect(right.call.bridge(left.call)).rejects.toMatchObject({ code: "CALL_ENDED" });
  });
});

describe("keys", () => {
  test("are pressed toward the other side, and no gather gets them, whether it runs or comes later", async () => {
    const { left, right, talk } = await start();
    await right.press("9");
    const bridge = await left.call.bridge(right.call);
    const running = right.call.gather({ maxDigits: 1, timeoutMs: 1_000 });
    await right.press("12");
    await talk(600);
    expect(keysOf(left)).toBe(2);
    bridge.unbridge();
    await right.pass(500);
    expect((await running).outcome).toBe("timeout");
    const later = right.call.gather({ maxDigits: 1, timeoutMs: 100 });
    await right.pass(150);
    expect((await later).outcome).toBe("timeout");
  });

  test("are the program's while a side is on hold, and each key is somebody's alone", async () => {
    const { left, right, talk } = await start();
    const bridge = await left.call.bridge(right.call);
    await left.call.hold();
    await right.press("7");
    left.call.unhold();
    await right.press("8");
    await talk(400);
    expect(keysOf(left)).toBe(1);
    bridge.unbridge();
    const { digits } = await right.call.gather({ maxDigits: 1 });
    expect(digits).toBe("7");
  });

  test("stay with the program where that was asked for", async () => {
    const { left, right, talk } = await start();
    await right.press("1");
    await left.call.bridge(right.call, { digits: false });
    await right.press("2");
    await talk(300);
    expect(keysOf(left)).toBe(0);
    expect((await right.call.gather({ maxDigits: 2 })).digits).toBe("12");
  });
});

describe("hold", () => {
  test("is music for one, and nothing for the other, until it ends", async () => {
    const { left, right, talk } = await start();
    await left.call.bridge(right.call);
    await talk(200);
    await left.call.hold({ music: "music" });
    await talk(1_500);
    // In a loop: the music lasts a second.
    expect(left.heard(5)).toEqual(new Array(5).fill("prompt"));
    expect(right.heard(3)).toEqual(["silence", "silence", "silence"]);
    left.call.unhold();
    left.call.unhold();
    await talk(300);
    expect(left.heard(3)).toEqual(["live", "live", "live"]);
  });

  test("of both sides ends with the second of them", async () => {
    const { left, right, talk } = await start();
    await left.call.bridge(right.call);
    await Promise.all([left.call.hold(), right.call.hold()]);
    left.call.unhold();
    await talk(300);
    expect(left.heard(3)).toEqual(["silence", "silence", "silence"]);
    right.call.unhold();
    await talk(300);
    expect(left.heard(3)).toEqual(["live", "live", "live"]);
  });

  test("from before the bridge holds that, too, and can be ended and begun again", async () => {
    const { left, right, talk } = await start();
    await left.call.hold();
    await left.call.bridge(right.call);
    await talk(200);
    expect(left.heard(3)).toEqual(["silence", "silence", "silence"]);
    for (let round = 0; round < 10; round += 1) {
      left.call.unhold();
      await talk(200);
      expect(left.heard(3)).toEqual(["live", "live", "live"]);
      await left.call.hold();
    }
    expect(left.log.filter(({ level }) => level !== "info" && level !== "debug")).toEqual([]);
  });

  test("takes new music in place of the old, and goes on without music that is not there", async () => {
    const { left } = await start();
    await left.call.hold({ music: "one" });
    await left.call.hold({ music: "missing" });
    await left.pass(100);
    expect(left.heard(2)).toEqual(["silence", "silence"]);
    await left.call.hold({ music: "two" });
    await left.pass(1_500);
    expect(left.heard(2)).toEqual(["prompt", "prompt"]);
    left.call.unhold();
    await left.pass(40);
    expect(left.heard(1)).toEqual(["silence"]);
    await left.hangUp();
    await left.call.hold({ music: "late" });
    left.call.unhold();
  });
});
