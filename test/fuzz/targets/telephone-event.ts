import { createRtpHeader, RTP_HEADER_BYTES, readRtp } from "../../../src/core/transport/rtp/rtp.ts";
import { TelephoneEventDecoder } from "../../../src/core/transport/rtp/telephone-event.ts";
import { rtpLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

/** Two keys of 100 ms, each with three ends, and one so long that it needs a second segment. */
const SAMPLES = [...key(1, 4_800, 100), ...key(11, 24_000, 100), ...key(5, 96_000, 9_000).slice(-12)];

/** RTP packets of one key: RFC 4733 §2.5.1. */
function key(event: number, timestamp: number, durationMs: number): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  const ends = 3;
  for (let ms = 20; ms < durationMs + ends * 20; ms += 20) {
    const packet = Buffer.alloc(RTP_HEADER_BYTES + 4);
    const ticks = Math.min(ms, durationMs) * 8;
    packet[0] = 0x80;
    packet[1] = (ms === 20 ? 0x80 : 0) | 126;
    packet.writeUInt32BE(timestamp + Math.floor(ticks / 0xffff) * 0xffff * 6, 4);
    packet[12] = event;
    packet[13] = ms >= durationMs ? 0x8a : 0x0a;
    packet.writeUInt16BE(ticks % 0xffff, 14);
    packets.push(Uint8Array.from(packet));
  }
  return packets;
}

export const TELEPHONE_EVENT: FuzzTarget = {
  name: "telephone-event",
  layoutOf: rtpLayout,
  open() {
    const header = createRtpHeader();
    let packets = 0;
    let digits = 0;
    let nowMs = 0;
    const decoder = new TelephoneEventDecoder(({ digit, durationMs }) => {
      digits += 1;
      must(/^[0-9*#A-D]$/.test(digit), "a digit is one of the sixteen");
      must(durationMs >= 0 && Number.isFinite(durationMs), "a key is held for a time");
    });
    return {
      samples: SAMPLES,
      take(packet, { waitMs, choice }) {
        nowMs += waitMs;
        if (choice === 0) decoder.reset();
        decoder.expire(nowMs);
        if (readRtp(packet, header) !== null) return;
        packets += 1;
        const { payloadOffset, payloadLength, timestamp, marker } = header;
        decoder.receive(packet, payloadOffset, payloadLength, timestamp, marker, nowMs);
      },
      check() {
        decoder.expire(nowMs + 1_000);
        must(digits === decoder.stats.digits, "each digit is counted");
        must(digits <= packets, "no key is pressed without a packet");
      },
    };
  },
};
