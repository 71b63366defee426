import { expect, test } from "vitest";
import type { Digit } from "../../src/index.ts";
import type { PhoneNetwork } from "../../src/simulator/index.ts";
import { type Pair, startPair, until } from "./fixture.ts";

const ALL_KEYS = "0123456789*#ABCD";
const TONES_MS = [40, 60, 80, 100, 120, 140, 160, 180, 200];
/** The last packet of a key leaves 80 ms before the first one of the next: a jitter of 60 ms does not mix them up. */
const GAP_MS = 100;
/** The end of a digit whose end packets were all lost is known half a second later. */
const END_LOST_MS = 500;

interface DigitCall {
  readonly heard: readonly Digit[];
  readonly packetsLost: number;
  readonly packetsTwice: number;
}

/** One call in which the caller presses every key, held for `toneMs`. */
async function pressAllKeys(pair: Pair, toneMs: number, network?: PhoneNetwork): Promise<DigitCall> {
  const from = String(15_550_001_000 + toneMs);
  const phone = await pair.simulator.call({ from, ...(network && { network }) });
  expect(await phone.accepted).toBe(true);
  await phone.media.firstRtp;
  const pressed = await phone.sendDigits(ALL_KEYS, { toneMs, gapMs: GAP_MS });
  expect(pressed.map(({ digit }) => digit).join("")).toBe(ALL_KEYS);
  const heard = digitsOf.get(phone.callId) ?? [];
  await until(() => heard.length >= ALL_KEYS.length, 2 * END_LOST_MS + 1_500);
  phone.hangUp();
  const { media } = await phone.ended;
  const { lost = 0, duplicated = 0 } = media.network?.toBusiness ?? {};
  return { heard, packetsLost: lost, packetsTwice: duplicated };
}

/** The digits of each call, by its id. */
const digitsOf = new Map<string, Digit[]>();

async function startListening(): Promise<Pair> {
  return await startPair(async (call) => {
    const digits: Digit[] = [];
    digitsOf.set(call.id, digits);
    call.on("digit", (digit) => digits.push(digit));
    await call.answer();
  });
}

const keysOf = (digits: readonly Digit[]): string => digits.map(({ digit }) => digit).join("");

test("every key comes once and in order, with its duration, whether held for 40 or 200 ms", async () => {
  await using pair = await startListening();
  const calls = await Promise.all(TONES_MS.map((toneMs) => pressAllKeys(pair, toneMs)));
  expect(calls.map(({ heard }) => keysOf(heard))).toEqual(TONES_MS.map(() => ALL_KEYS));
  for (const [index, { heard }] of calls.entries()) {
    expect(new Set(heard.map(({ durationMs }) => durationMs))).toEqual(new Set([TONES_MS[index]]));
  }
}, 30_000);

test("every key comes once and in order through a network that loses, doubles and mixes up packets", async () => {
  await using pair = await startListening();
  const calls = await Promise.all(
    TONES_MS.map((toneMs) =>
      pressAllKeys(pair, toneMs, {
        seed: toneMs,
        // A key of 40 ms is four packets: no receiver could know of one that was lost altogether.
        toBusiness: { lossPercent: 10, maxLossInARow: 3, duplicatePercent: 20, jitterMs: 60 },
      }),
    ),
  );
  expect(calls.map(({ heard }) => keysOf(heard))).toEqual(TONES_MS.map(() => ALL_KEYS));
  for (const { packetsLost, packetsTwice } of calls) {
    expect(packetsLost).toBeGreaterThan(0);
    expect(packetsTwice).toBeGreaterThan(0);
  }
}, 30_000);

test("a key whose three ends are all lost comes all the same, once, before the next one", async () => {
  await using pair = await startListening();
  const { heard, packetsLost } = await pressAllKeys(pair, 100, {
    seed: 3,
    toBusiness: { lossPercent: 75, maxLossInARow: 6 },
  });
  expect(keysOf(heard)).toBe(ALL_KEYS);
  // Of the whole length of such a key nobody knows.
  expect(heard.some(({ durationMs }) => durationMs < 100)).toBe(true);
  expect(packetsLost).toBeGreaterThan(50);
}, 30_000);
