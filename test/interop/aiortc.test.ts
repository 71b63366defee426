import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import { decodeAudioFile } from "../../src/simulator/index.ts";
import { SAMPLE } from "../integration/fixture.ts";
import { AnsweringCall, toneFrequencyHz } from "./answering-call.ts";

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
      expect(await toneFrequencyHz(received)).toBeCloseTo(440, -1);
    } finally {
      caller.kill();
      rmSync(folder, { recursive: true });
    }
  },
  40_000,
);

/** Takes the caller's offer, plays the sample, and gives back the Opus packets that came in until the caller is done. */
async function answer(caller: ChildProcessWithoutNullStreams): Promise<readonly Uint8Array[]> {
  const messages = createInterface({ input: caller.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<CallerMessage> => JSON.parse((await messages.next()).value ?? "{}");
  await using call = await AnsweringCall.open((await next()).offer ?? "", SAMPLE);
  caller.stdin.write(`${JSON.stringify({ answer: call.answer })}\n`);
  call.connect();
  for (let message = await next(); message.done !== true; message = await next()) {
    expect(message.state, "the caller's connection").not.toBe("failed");
  }
  return call.packets;
}
