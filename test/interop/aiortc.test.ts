import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createDecoder } from "libopus-wasm";
import { expect, test } from "vitest";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import { buildAnswer, readAudioDescription } from "../../src/core/sdp/index.ts";
import {
  createDatachannelEngine,
  createPromptCache,
  MediaClock,
  MediaSession,
} from "../../src/media/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { decodeAudioFile } from "../../src/simulator/index.ts";
import { SAMPLE } from "../integration/fixture.ts";

/** Debian's interpreter: the one that Debian's python3-aiortc belongs to. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("./aiortc-caller.py", import.meta.url));
const CALL_SECONDS = 12;
const hasAiortc = spawnSync(PYTHON, ["-c", "import aiortc"]).status === 0;
if (!hasAiortc) console.warn("skipped: aiortc is not installed (Debian package python3-aiortc)");

interface CallerMessage {
  readonly offer?: string;
  readonly state?: string;
  readonly done?: boolean;
}

test.skipIf(!hasAiortc)(
  "a caller on aiortc hears the sample, and is heard",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "ringback-"));
    const caller = spawn(PYTHON, [SCRIPT, join(folder, "heard.raw"), String(CALL_SECONDS)]);
    try {
      const received = await answer(caller);
      const raw = readFileSync(join(folder, "heard.raw"));
      const heard = new Int16Array(raw.buffer, raw.byteOffset, raw.byteLength >> 1);
      const { similarity } = compareAudio(await decodeAudioFile(SAMPLE), heard, 48_000);
      expect(similarity).toBeGreaterThan(0.85);
      expect(received.length).toBeGreaterThan((CALL_SECONDS - 3) * 50);
      expect(await dominantFrequencyHz(received)).toBeCloseTo(440, -1);
    } finally {
      caller.kill();
      rmSync(folder, { recursive: true });
    }
  },
  40_000,
);

/** Takes the caller's offer, plays the sample, and gives back the Opus packets that came in until the caller is done. */
async function answer(caller: ChildProcessWithoutNullStreams): Promise<Uint8Array[]> {
  const messages = createInterface({ input: caller.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<CallerMessage> => JSON.parse((await messages.next()).value ?? "{}");
  const offer = readAudioDescription((await next()).offer ?? "", { as: "offer" });
  const packets: Uint8Array[] = [];
  const engine = await createDatachannelEngine({ random: systemRandom });
  const clock = new MediaClock({ clock: systemClock, timers: systemTimers, onError: () => {} });
  const session = await MediaSession.open({
    engine,
    offer,
    clock,
    now: systemClock,
    random: systemRandom,
    listener: {
      onConnected: () => session.startRtp(),
      onIceConnected() {},
      onLost() {},
      onFailed() {},
      onFirstRtpIn() {},
      onFirstRtpOut() {},
      onDigit() {},
      onFrame: (payload) => packets.push(payload.slice()),
    },
  });
  session.play(await createPromptCache({}).load(SAMPLE), { loop: true });
  caller.stdin.write(`${JSON.stringify({ answer: buildAnswer(offer, session.local) })}\n`);
  session.connect();
  try {
    for (let message = await next(); message.done !== true; message = await next()) {
      expect(message.state, "the caller's connection").not.toBe("failed");
    }
  } finally {
    session.close();
    await engine.close();
  }
  return packets;
}

/** Zero crossings of the second half, when the tone has settled. */
async function dominantFrequencyHz(packets: readonly Uint8Array[]): Promise<number> {
  const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
  let crossings = 0;
  let samples = 0;
  let last = 0;
  packets.forEach((packet, index) => {
    const pcm = decoder.decode(packet);
    if (index < packets.length / 2) return;
    for (const sample of pcm) {
      if (last < 0 && sample >= 0) crossings += 1;
      last = sample;
    }
    samples += pcm.length;
  });
  decoder.free();
  return (crossings * 48_000) / samples;
}
