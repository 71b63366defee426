// A process of its own that records a call, to be killed: `recording-child.mjs <path>`. It tells each 100 ms how much it was told.
import { CallRecorder } from "../../src/media/recording/call-recorder.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { numberedPacket } from "./recording-rig.ts";

const recorder = new CallRecorder({
  path: process.argv[2] ?? "",
  channels: "both",
  fastestTransitMs: null,
});

const startMs = systemClock.nowMs();
let slots = 0;
setInterval(() => {
  const nowMs = systemClock.nowMs();
  for (; startMs + slots * 20 <= nowMs; slots += 1) {
    const packet = numberedPacket(slots);
    recorder.caller(packet, 0, packet.length, slots * 960, startMs + slots * 20);
    recorder.business(packet, startMs + slots * 20);
    recorder.tick(startMs + slots * 20);
    if (slots % 5 === 0) process.stdout.write(`${slots * 20}\n`);
  }
}, 10);
