import { describe, expect, it } from "vitest";
import { buildRtcpReport, senderReportTime } from "./rtcp.ts";

const received = {
  ssrc: 0x0b0b0b0b,
  packetsLost: 3,
  highestSequenceNumber: 0x00020005,
  jitterRtpTicks: 12.4,
  lastSenderReport: 0xaabbccdd,
  sinceLastSenderReportMs: 1500,
};

describe("the phone's RTCP", () => {
  it("is a sender report with a block and the CNAME", () => {
    const sent = { wallMs: 1_700_000_000_500, rtpTimestamp: 960, packets: 7, payloadBytes: 70 };
    const packet = buildRtcpReport({ ssrc: 0x0a0a0a0a, cname: "abc", sent, received });
    expect(packet.toString("hex")).toBe(
      [
        "81c8000c0a0a0a0a",
        "e8fe6f8080000000000003c00000000700000046",
        "0b0b0b0b00000003000200050000000caabbccdd00018000",
        "81ca00030a0a0a0a0103616263000000",
      ].join(""),
    );
    expect(senderReportTime(packet)).toBe(0x6f808000);
  });

  it("is a receiver report of one who has said nothing, without a block when nothing was heard", () => {
    const packet = buildRtcpReport({ ssrc: 1, cname: "ab", sent: null, received: null });
    expect(packet.toString("hex")).toBe("80c9000100000001" + "81ca000300000001010261620000" + "0000");
    expect(senderReportTime(packet)).toBeNull();
    expect(buildRtcpReport({ ssrc: 1, cname: "ab", sent: null, received })[1]).toBe(201);
  });

  it("reads no time from a report that is cut short", () => {
    expect(senderReportTime(Buffer.from("80c8", "hex"))).toBeNull();
  });
});
