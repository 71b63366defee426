import { JitterBuffer } from "../../../src/core/transport/rtp/jitter-buffer.ts";
import { createRtpHeader, readRtp } from "../../../src/core/transport/rtp/rtp.ts";
import { rtpLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";
import { RTP_SAMPLES, rtpStream } from "./rtp.ts";

const SAMPLES = [...rtpStream(60), ...RTP_SAMPLES];
const CAPACITY = 64;

export const JITTER_BUFFER: FuzzTarget = {
  name: "jitter-buffer",
  layoutOf: rtpLayout,
  open() {
    const header = createRtpHeader();
    const buffer = new JitterBuffer({ clockRateHz: 48_000, slotRtpTicks: 960, capacityPackets: CAPACITY });
    let nowMs = 0;
    const pop = (): void => {
      const frame = buffer.pop(nowMs);
      if (frame === "lost" || frame === "wait") return;
      must(frame.lengthBytes <= frame.bytes.length, "a frame has its bytes");
      must(Number.isSafeInteger(frame.rtpTimestamp), "a frame has a time");
    };
    return {
      samples: SAMPLES,
      take(packet, { waitMs, choice }) {
        nowMs += waitMs;
        if (readRtp(packet, header) === null) {
          if (choice % 8 === 0) buffer.skip(packet, header);
          else buffer.push(packet, header, nowMs);
        }
        if (choice % 2 === 0) pop();
        must(buffer.stats().packetsBuffered <= CAPACITY, "it holds no more than it may");
      },
      check() {
        // As long as its longest delay, and a slot for each packet that it may hold.
        for (let slot = 0; slot < CAPACITY + 50; slot += 1) {
          nowMs += 20;
          pop();
        }
        must(buffer.stats().packetsBuffered === 0, "what it holds is played or passed over in the end");
      },
    };
  },
};
