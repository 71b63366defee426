import { createRtpHeader, isRtcp, RtpWriter, readRtp } from "../../../src/core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../../../src/core/transport/rtp/rtp-receiver.ts";
import { rtpLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

/** Plain, with CSRCs, extension and padding, and what other stacks send: one-byte header extensions. */
export const RTP_SAMPLES: readonly Uint8Array[] = [
  ...rtpStream(12),
  Uint8Array.from(Buffer.from("82ef00050001000000000007000000010000000248656c6c6f", "hex")),
  Uint8Array.from(Buffer.from("906f000600020000000000 07bede0001 10ff0000 fc01".replaceAll(" ", ""), "hex")),
  Uint8Array.from(
    Buffer.from("b06f000700030000000000 07bede0001 10ff0000 fc01000003".replaceAll(" ", ""), "hex"),
  ),
];

export function rtpStream(count: number, ssrc = 7): readonly Uint8Array[] {
  const writer = new RtpWriter({ ssrc, firstSequence: 1, firstTimestamp: 0xfffffc00 });
  const payload = Uint8Array.from({ length: 60 }, (_, i) => i * 7);
  return Array.from({ length: count }, (_, i) => writer.write(payload, 111, i * 960, i === 0).slice());
}

export const RTP: FuzzTarget = {
  name: "rtp",
  layoutOf: rtpLayout,
  open() {
    const header = createRtpHeader();
    const receiver = new RtpReceiver(48_000);
    let nowMs = 0;
    let taken = 0;
    return {
      samples: RTP_SAMPLES,
      take(packet, { waitMs }) {
        nowMs += waitMs;
        isRtcp(packet);
        if (readRtp(packet, header) !== null) return;
        const { payloadOffset, payloadLength } = header;
        must(payloadOffset >= 12 && payloadLength >= 0, "the payload lies behind the header");
        must(payloadOffset + payloadLength <= packet.length, "the payload lies in the packet");
        receiver.receive(header, nowMs, true);
        taken += 1;
      },
      check() {
        const { packetsReceived, packetsLost, packetsDuplicate, packetsOutOfRange, jitterMs } =
          receiver.stats();
        must(packetsReceived + packetsDuplicate + packetsOutOfRange === taken, "each packet is counted once");
        must(packetsLost >= 0 && Number.isFinite(packetsLost), "the loss is a number");
        must(jitterMs >= 0 && Number.isFinite(jitterMs), "the jitter is a number");
      },
    };
  },
};
