import { readRtcp } from "../../../src/core/transport/rtp/rtcp.ts";
import { RtcpSession } from "../../../src/core/transport/rtp/rtcp-session.ts";
import { createRtpHeader, readRtp } from "../../../src/core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../../../src/core/transport/rtp/rtp-receiver.ts";
import { SeededRandom } from "../../../src/testing/seeded-random.ts";
import { rtcpLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";
import { rtpStream } from "./rtp.ts";

const OUR_SSRC = 1;
const PEER_SSRC = 7;
const WALL_MS = 1_790_000_000_000;

interface Side {
  readonly session: RtcpSession;
  readonly receiver: RtpReceiver;
}

/** One that has received a few packets of the other and sent as many. */
function openSide(ssrc: number, peerSsrc: number): Side {
  const receiver = new RtpReceiver(48_000);
  const random = new SeededRandom(ssrc).bytes;
  const session = new RtcpSession({ ssrc, cname: "fuzz", clockRateHz: 48_000, receiver, random });
  const header = createRtpHeader();
  rtpStream(5, peerSsrc).forEach((packet, index) => {
    readRtp(packet, header);
    receiver.receive(header, index * 20, true);
    session.onRtpSent(index * 960, 60, index * 20);
  });
  return { session, receiver };
}

function reportsOf(ssrc: number, peerSsrc: number): readonly Uint8Array[] {
  const { session } = openSide(ssrc, peerSsrc);
  const nothingYet = openSide(ssrc, peerSsrc).session;
  return [
    nothingYet.bye(100, WALL_MS).slice(),
    ...[100, 9_000, 18_000].flatMap((nowMs) => session.poll(nowMs, WALL_MS + nowMs)?.slice() ?? []),
    session.bye(20_000, WALL_MS).slice(),
  ];
}

export const RTCP_SAMPLES: readonly Uint8Array[] = [
  ...reportsOf(PEER_SSRC, OUR_SSRC),
  // Receiver report, source description with a note and a private item, application-defined, feedback.
  Uint8Array.from(
    Buffer.from(
      "81c90007000000070000000100000000000003e8000000000000000000000000" +
        "81ca00050000000701026869070261620801780000000000" +
        "80cc000300000007666f6f2000000001" +
        "8fcd000500000007000000010001000100000000c0010000",
      "hex",
    ),
  ),
];

function lengthsAddUp(compound: Uint8Array): boolean {
  const view = Buffer.from(compound.buffer, compound.byteOffset, compound.length);
  let offset = 0;
  while (offset + 4 <= view.length) offset += (view.readUInt16BE(offset + 2) + 1) * 4;
  return offset === view.length;
}

export const RTCP: FuzzTarget = {
  name: "rtcp",
  layoutOf: rtcpLayout,
  open() {
    const { session } = openSide(OUR_SSRC, PEER_SSRC);
    const visitor = {
      onSenderReport() {},
      onReportBlock() {},
      onBye() {},
      onUnknown() {},
      onCname(_ssrc: number, cname: Uint8Array) {
        must(cname.length <= 255, "a name has at most 255 bytes");
      },
    };
    let nowMs = 100;
    return {
      samples: RTCP_SAMPLES,
      take(packet, { waitMs }) {
        nowMs += waitMs;
        if (readRtcp(packet, visitor) === null) must(lengthsAddUp(packet), "a compound packet is whole");
        session.receive(packet, nowMs);
        session.poll(nowMs, WALL_MS + nowMs);
      },
      check() {
        const { rttMs, remote } = session.stats();
        must(rttMs === null || (rttMs >= 0 && Number.isFinite(rttMs)), "the round trip is a time");
        for (const value of Object.values(remote ?? {}))
          must(Number.isFinite(value), "what the peer says is a number");
        const report = session.bye(nowMs, WALL_MS);
        must(readRtcp(report, visitor) === null, "our own reports stay well formed");
      },
    };
  },
};
