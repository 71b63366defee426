import { expect, test } from "vitest";
import { BridgeSource, GAP, HELD } from "./bridge-source.ts";
import { BridgeTap } from "./bridge-tap.ts";
import { createPacketRingMemory, SharedPacketRing } from "./shared-packet-ring.ts";
import { OPUS_SILENCE } from "./silence.ts";

/** SILK wideband, 20 ms. */
const TOC = 0x48;
const packet = (value: number): Uint8Array => Uint8Array.of(TOC, value);

function setUp() {
  const memory = createPacketRingMemory();
  const ring = new SharedPacketRing(memory);
  const tap = new BridgeTap(ring, () => {});
  const say = (bytes: Uint8Array): void => tap.onFrame({ bytes, lengthBytes: bytes.length, rtpTimestamp: 0 });
  return { ring, tap, say, source: new BridgeSource(new SharedPacketRing(memory)) };
}

test("what one side says comes out at the other, byte for byte, and a loss as a loss", () => {
  const { say, tap, source } = setUp();
  say(packet(1));
  tap.onLost();
  say(packet(2));
  expect(source.take()).toEqual(packet(1));
  expect(source.take()).toBe(GAP);
  expect(source.take()).toEqual(packet(2));
});

test("before anything is said there is silence, and a gap in speech is concealed for 100 ms", () => {
  const { say, source } = setUp();
  expect(source.take()).toBe(OPUS_SILENCE);
  say(packet(1));
  source.take();
  for (let slot = 0; slot < 5; slot += 1) expect(source.take()).toEqual(Uint8Array.of(TOC));
  expect(source.take()).toBe(OPUS_SILENCE);
});

test("what has waited too long is left out, so that people do not talk over each other", () => {
  const { say, source } = setUp();
  for (let value = 1; value <= 9; value += 1) say(packet(value));
  expect([source.take(), source.take(), source.take()]).toEqual([packet(7), packet(8), packet(9)]);
});

test("behind a packet of 60 ms two slots have no packet of their own", () => {
  const { say, source } = setUp();
  // RFC 6716 §3.1: configuration 11 is SILK wideband, 60 ms.
  const long = Uint8Array.of(11 << 3, 1);
  say(long);
  say(packet(2));
  expect(source.take()).toEqual(long);
  expect([source.take(), source.take()]).toEqual([HELD, HELD]);
  expect(source.take()).toEqual(packet(2));
});

test("a ring that nobody reads keeps its first packets and counts the others", () => {
  const { ring, say } = setUp();
  for (let value = 0; value < 20; value += 1) say(packet(value));
  expect([ring.size, ring.dropped]).toEqual([16, 4]);
  expect(ring.read()).toEqual(packet(0));
  ring.write(new Uint8Array(2_000), 2_000);
  expect(ring.dropped).toBe(5);
});

test("a ring goes on when its counters wrap", () => {
  const memory = createPacketRingMemory();
  new Int32Array(memory, 0, 2).fill(0x7fff_ffff);
  const ring = new SharedPacketRing(memory);
  for (const value of [1, 2, 3]) ring.write(packet(value), 2);
  expect([ring.read(), ring.read(), ring.read(), ring.read()]).toEqual([
    packet(1),
    packet(2),
    packet(3),
    null,
  ]);
});
