import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SRTP_KEY_BYTES, SRTP_MAX_OVERHEAD_BYTES, type SrtpProfile } from "./srtp-profile.ts";
import { SrtpReceiver } from "./srtp-receiver.ts";
import { SrtpSender } from "./srtp-sender.ts";

const PROFILES: readonly SrtpProfile[] = ["SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"];
const NOTHING_DROPPED = { malformed: 0, unauthentic: 0, replayed: 0, excessSsrc: 0 };
/** The replay window is at least so wide, and at most 256. */
const WINDOW = 225;

/** Both ends of one direction, and how to make the packets of one of its SSRCs. */
function connect(profile: SrtpProfile) {
  const bytes = SRTP_KEY_BYTES[profile];
  const master = { key: randomBytes(bytes.key), salt: randomBytes(bytes.salt) };
  const receiver = new SrtpReceiver(profile, master);
  const createSource = (ssrc: number) => {
    const sender = new SrtpSender(profile, master);
    return {
      protectRtp: (index: number, payloadBytes = 80) => protectRtp(sender, rtp(index, ssrc, payloadBytes)),
      protectRtcp: () => protectRtcp(sender, rtcp(ssrc)),
    };
  };
  return { receiver, createSource, source: createSource(1) };
}

function rtp(index: number, ssrc: number, payloadBytes: number): Buffer {
  const packet = Buffer.alloc(12 + payloadBytes, index);
  packet[0] = 0x80;
  packet.writeUInt16BE(index & 0xffff, 2);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
}

function rtcp(ssrc: number): Buffer {
  const packet = Buffer.alloc(28, 7);
  packet.writeUInt32BE(0x80c80006, 0);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

function protectRtp(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_MAX_OVERHEAD_BYTES);
  return out.subarray(0, Math.max(0, sender.protectRtp(packet, packet.length, out, 0)));
}

function protectRtcp(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_MAX_OVERHEAD_BYTES);
  return out.subarray(0, Math.max(0, sender.protectRtcp(packet, packet.length, out, 0)));
}

test.each(PROFILES)("%s: packets lost, late and far ahead, also across wraps, arrive as sent", (profile) => {
  const fate = fc.constantFrom("arrives", "arrives", "arrives", "lost", "late");
  fc.assert(
    fc.property(
      fc.constantFrom(0, 65_400, 65_535, 30_000),
      fc.array(fc.record({ fate, payloadBytes: fc.nat(200), skipped: fc.constantFrom(0, 0, 0, 3, 30_000) }), {
        maxLength: 300,
      }),
      (first, steps) => {
        const { receiver, source } = connect(profile);
        const held: { packet: Buffer; index: number; payloadBytes: number }[] = [];
        let index = first;
        let highest = -1;
        const deliver = (packet: Buffer, of: number, payloadBytes: number) => {
          const received = receiver.unprotectRtp(packet);
          if (of > highest - WINDOW) expect(packet.subarray(0, received)).toEqual(rtp(of, 1, payloadBytes));
          highest = Math.max(highest, of);
        };
        for (const { fate, payloadBytes, skipped } of steps) {
          const packet = source.protectRtp(index, payloadBytes);
          // The first one sets the rollover counter, so that it must not be late.
          if (fate === "late" && index > first) held.push({ packet, index, payloadBytes });
          else if (fate === "arrives" || index === first) deliver(packet, index, payloadBytes);
          if (held.length > 5) {
            const late = held.shift()!;
            deliver(late.packet, late.index, late.payloadBytes);
          }
          // A receiver can only follow while fewer than half the sequence numbers are lost at a stretch.
          index += index - highest < 1000 ? skipped + 1 : 1;
        }
      },
    ),
  );
});

test.each(PROFILES)(
  "%s: the rollover counter goes on over several wraps, with loss across each",
  (profile) => {
    const { receiver, source } = connect(profile);
    for (let index = 65_000; index < 5 * 65_536; index += 20_011) {
      const packet = source.protectRtp(index);
      expect(receiver.unprotectRtp(packet)).toBe(92);
      expect(packet.subarray(0, 92)).toEqual(rtp(index, 1, 80));
    }
    expect(receiver.stats).toEqual(NOTHING_DROPPED);
  },
);

test.each(PROFILES)("%s: a packet from before the wrap is taken after it", (profile) => {
  const { receiver, source } = connect(profile);
  const packets = Array.from({ length: 6 }, (_, i) => source.protectRtp(65_533 + i));
  for (const i of [0, 4, 2, 5, 1, 3]) expect(receiver.unprotectRtp(packets[i]!)).toBe(92);
});

test.each(PROFILES)("%s: a stream is heard though its first packets, before a wrap, were lost", (profile) => {
  const { receiver, source } = connect(profile);
  const [lost, late, ...others] = Array.from({ length: 6 }, (_, i) => source.protectRtp(65_534 + i));
  expect(lost).toHaveLength(92 + (profile === "SRTP_AEAD_AES_128_GCM" ? 16 : 10));
  for (const packet of others) expect(receiver.unprotectRtp(packet)).toBe(92);
  expect(receiver.unprotectRtp(late!)).toBe(92);
  expect(receiver.stats).toEqual(NOTHING_DROPPED);
});

test.each(PROFILES)("%s: a replay is dropped, within the window and beyond it", (profile) => {
  const { receiver, source } = connect(profile);
  const packets = Array.from({ length: 600 }, (_, i) => source.protectRtp(i));
  for (const packet of packets) expect(receiver.unprotectRtp(Buffer.from(packet))).toBe(92);
  for (const packet of packets) expect(receiver.unprotectRtp(Buffer.from(packet))).toBe(-1);
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, replayed: 600 });
});

test.each(PROFILES)("%s: a packet older than the window is dropped though it never came", (profile) => {
  const { receiver, source } = connect(profile);
  const early = source.protectRtp(0);
  for (let index = 1; index <= 300; index++) receiver.unprotectRtp(source.protectRtp(index));
  expect(receiver.unprotectRtp(early)).toBe(-1);
  expect(receiver.stats.replayed).toBe(1);
});

test.each(PROFILES)(
  "%s: a change of any byte, and any truncation, is refused and changes nothing",
  (profile) => {
    const { receiver, source } = connect(profile);
    receiver.unprotectRtp(source.protectRtp(1));
    const packet = source.protectRtp(2);
    for (let i = 0; i < packet.length; i++) {
      for (const bit of [0x01, 0x80]) {
        const tampered = Buffer.from(packet);
        tampered[i]! ^= bit;
        const before = Buffer.from(tampered);
        expect(receiver.unprotectRtp(tampered)).toBe(-1);
        expect(tampered).toEqual(before);
      }
      expect(receiver.unprotectRtp(Buffer.from(packet.subarray(0, i)))).toBe(-1);
    }
    expect(receiver.unprotectRtp(Buffer.concat([packet, Buffer.alloc(1)]))).toBe(-1);
    expect(receiver.unprotectRtp(packet)).toBe(92);
    for (let index = 3; index < 60; index++) expect(receiver.unprotectRtp(source.protectRtp(index))).toBe(92);
  },
);

test.each(PROFILES)(
  "%s: a change of any byte of RTCP, and any truncation, is refused and changes nothing",
  (profile) => {
    const { receiver, source } = connect(profile);
    const packet = source.protectRtcp();
    for (let i = 0; i < packet.length; i++) {
      for (const bit of [0x01, 0x80]) {
        const tampered = Buffer.from(packet);
        tampered[i]! ^= bit;
        const before = Buffer.from(tampered);
        expect(receiver.unprotectRtcp(tampered)).toBe(-1);
        expect(tampered).toEqual(before);
      }
      expect(receiver.unprotectRtcp(Buffer.from(packet.subarray(0, i)))).toBe(-1);
    }
    expect(packet.subarray(0, receiver.unprotectRtcp(packet))).toEqual(rtcp(1));
  },
);

test.each(PROFILES)("%s: RTCP without its E flag is malformed, not merely unauthentic", (profile) => {
  const { receiver, source } = connect(profile);
  const packet = source.protectRtcp();
  const wordAt = profile === "SRTP_AEAD_AES_128_GCM" ? packet.length - 4 : packet.length - 14;
  expect(packet.readUInt32BE(wordAt)).toBe(0x80000000);
  packet[wordAt] = 0;
  expect(receiver.unprotectRtcp(packet)).toBe(-1);
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, malformed: 1 });
});

test.each(PROFILES)("%s: RTCP is taken in any order within the window, each packet once", (profile) => {
  const { receiver, source } = connect(profile);
  const packets = Array.from({ length: 10 }, () => source.protectRtcp());
  for (const i of [3, 1, 9, 0, 5]) expect(receiver.unprotectRtcp(Buffer.from(packets[i]!))).toBe(28);
  for (const i of [3, 1, 9, 0, 5]) expect(receiver.unprotectRtcp(Buffer.from(packets[i]!))).toBe(-1);
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, replayed: 5 });
});

test.each(PROFILES)("%s: a forged rollover does not move the genuine one", (profile) => {
  const { receiver, source } = connect(profile);
  receiver.unprotectRtp(source.protectRtp(65_500));
  for (const sequence of [0, 100, 20_000, 65_501, 65_535]) {
    const forged = Buffer.concat([rtp(sequence, 1, 80), randomBytes(16)]);
    expect(receiver.unprotectRtp(forged)).toBe(-1);
  }
  expect(receiver.unprotectRtp(source.protectRtp(65_501))).toBe(92);
  expect(receiver.unprotectRtp(source.protectRtp(65_536))).toBe(92);
});

test.each(PROFILES)("%s: 32 SSRCs have state, each its own; one more is dropped", (profile) => {
  const { receiver, createSource } = connect(profile);
  const sources = Array.from({ length: 32 }, (_, i) => createSource(0xffffffe0 + i));
  for (let index = 0; index < 100; index++) {
    for (const [i, source] of sources.entries())
      expect(receiver.unprotectRtp(source.protectRtp(index + 900 * i))).toBe(92);
  }
  const further = createSource(5);
  expect(receiver.unprotectRtp(further.protectRtp(0))).toBe(-1);
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, excessSsrc: 1 });
  expect(receiver.unprotectRtcp(further.protectRtcp())).toBe(28);
});

test.each(PROFILES)("%s: forged SSRCs take no place", (profile) => {
  const { receiver, source } = connect(profile);
  for (let ssrc = 100; ssrc < 200; ssrc++) {
    expect(receiver.unprotectRtp(Buffer.concat([rtp(1, ssrc, 80), randomBytes(16)]))).toBe(-1);
    expect(receiver.unprotectRtcp(Buffer.concat([rtcp(ssrc), Buffer.alloc(20, 0xff)]))).toBe(-1);
  }
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, unauthentic: 200 });
  expect(receiver.unprotectRtp(source.protectRtp(1))).toBe(92);
  expect(receiver.unprotectRtcp(source.protectRtcp())).toBe(28);
});

test.each(PROFILES)("%s: another call's packets are unauthentic", (profile) => {
  const { receiver } = connect(profile);
  const { source } = connect(profile);
  expect(receiver.unprotectRtp(source.protectRtp(1))).toBe(-1);
  expect(receiver.unprotectRtcp(source.protectRtcp())).toBe(-1);
  expect(receiver.stats).toEqual({ ...NOTHING_DROPPED, unauthentic: 2 });
});

test.each(PROFILES)("%s: any bytes are counted and dropped, never thrown at", (profile) => {
  const { receiver } = connect(profile);
  let dropped = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, hasVersion) => {
      if (hasVersion && bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
      expect(receiver.unprotectRtp(Uint8Array.from(bytes))).toBe(-1);
      expect(receiver.unprotectRtcp(Uint8Array.from(bytes))).toBe(-1);
      dropped += 2;
    }),
    { numRuns: 2000 },
  );
  const { malformed, unauthentic, replayed, excessSsrc } = receiver.stats;
  expect(malformed + unauthentic + replayed + excessSsrc).toBe(dropped);
});

test.each(PROFILES)("%s: the sender refuses to use a keystream twice", (profile) => {
  const { source } = connect(profile);
  expect(source.protectRtp(65_535)).not.toHaveLength(0);
  expect(source.protectRtp(65_535)).toHaveLength(0);
  expect(source.protectRtp(65_534)).toHaveLength(0);
  expect(source.protectRtp(65_536)).not.toHaveLength(0);
});

test.each(PROFILES)(
  "%s: the sender writes nothing where there is no room, no header or another SSRC",
  (profile) => {
    const bytes = SRTP_KEY_BYTES[profile];
    const sender = new SrtpSender(profile, { key: randomBytes(bytes.key), salt: randomBytes(bytes.salt) });
    const out = new Uint8Array(120);
    const tagBytes = sender.protectRtp(rtp(1, 1, 80), 92, out, 0) - 92;
    expect(sender.protectRtp(rtp(2, 1, 80), 92, out, 120 - 92 - tagBytes + 1)).toBe(-1);
    expect(sender.protectRtp(rtp(2, 1, 80), 92, out, 120 - 92 - tagBytes)).toBe(92 + tagBytes);
    expect(sender.protectRtp(rtp(3, 2, 80), 92, out, 0)).toBe(-1);
    expect(sender.protectRtp(rtp(3, 1, 0), 11, out, 0)).toBe(-1);
    const beyondEnd = rtp(3, 1, 3);
    beyondEnd[0] = 0x81;
    expect(sender.protectRtp(beyondEnd, 15, out, 0)).toBe(-1);
    beyondEnd[0] = 0x90;
    expect(sender.protectRtp(beyondEnd, 15, out, 0)).toBe(-1);
    expect(sender.protectRtcp(rtcp(1), 7, out, 0)).toBe(-1);
    expect(sender.protectRtcp(rtcp(1), 28, out, 120 - 28 - tagBytes - 3)).toBe(-1);
    expect(sender.protectRtcp(rtcp(1), 28, out, 120 - 28 - tagBytes - 4)).toBe(28 + tagBytes + 4);
  },
);

test.each(PROFILES)("%s: the sender may work in place", (profile) => {
  const { receiver } = connect(profile);
  const bytes = SRTP_KEY_BYTES[profile];
  const master = { key: randomBytes(bytes.key), salt: randomBytes(bytes.salt) };
  const sender = new SrtpSender(profile, master);
  const packet = Buffer.concat([rtp(7, 1, 80), Buffer.alloc(SRTP_MAX_OVERHEAD_BYTES)]);
  const written = sender.protectRtp(packet, 92, packet, 0);
  expect(receiver.unprotectRtp(Buffer.from(packet.subarray(0, written)))).toBe(-1);
  expect(new SrtpReceiver(profile, master).unprotectRtp(packet.subarray(0, written))).toBe(92);
  expect(packet.subarray(0, 92)).toEqual(rtp(7, 1, 80));
});
