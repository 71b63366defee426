import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSimulator } from "../../src/simulator/index.ts";
import { RecordingContent } from "../support/recording-rig.ts";
import { ffmpeg, opusdec, soundsIn } from "./decoded-recording.ts";
import { talkFor } from "./talking-pair.ts";

const CHILD = fileURLToPath(new URL("./gateway-child.mjs", import.meta.url));
const LOADER = fileURLToPath(new URL("../support/typescript-loader.mjs", import.meta.url));

const decoders = [opusdec, ffmpeg].filter(({ isMissing }) => !isMissing);
if (decoders.length < 2)
  console.warn("skipped: recordings of a killed gateway in opusdec or ffmpeg, which is not installed");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-crash-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

// Pages go to the file every half second: three phases of that. In real time: another program may hold up the one that
// records for longer than what it may lack.
test.each([2_000, 2_170, 2_340])(
  "a gateway that is killed %i ms into a recording leaves a playable file that lacks a second at most",
  { retry: 2, timeout: 30_000 },
  async (recordedMs) => {
    const file = join(folder, "call.opus");
    const simulator = createSimulator();
    await simulator.start();
    const options = {
      token: simulator.token,
      appSecret: simulator.appSecret,
      verifyToken: simulator.verifyToken,
      phoneNumbers: simulator.phoneNumbers.map(({ id }) => id),
      graph: { url: simulator.graphUrl },
      media: { bindAddress: "127.0.0.1" },
      file,
    };
    const child = spawn(process.execPath, ["--import", LOADER, CHILD, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      simulator.webhookUrl = (await lines.next()).value ?? "";
      const phone = await simulator.call({ voice: { type: "tone", frequencyHz: 600 } });
      expect((await lines.next()).value).toBe("recording");
      const startedAtMs = performance.now();
      expect(await phone.waitForTone(1_000)).not.toBeNull();
      await talkFor(recordedMs - (performance.now() - startedAtMs));
      child.kill("SIGKILL");
      const killedAfterMs = performance.now() - startedAtMs;
      if (child.signalCode === null) await once(child, "exit");

      const { durationMs, isComplete } = new RecordingContent(readFileSync(file));
      expect(isComplete).toBe(false);
      expect(killedAfterMs - durationMs).toBeLessThan(1_000);
      for (const decoder of decoders) {
        const channels = await decoder.decode(file);
        expect(channels).toHaveLength(2);
        for (const samples of channels) {
          expect(Math.abs(samples.length / 48 - durationMs)).toBeLessThanOrEqual(20);
          // Both sides sound until the end.
          expect(durationMs - (soundsIn(samples).at(-1)?.[1] ?? 0)).toBeLessThan(40);
        }
      }
      phone.hangUp();
    } finally {
      child.kill("SIGKILL");
      await simulator.close();
    }
  },
);
