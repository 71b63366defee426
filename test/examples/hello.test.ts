import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { GREETING, hello } from "../../examples/hello.ts";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import { decodeAudioFile } from "../../src/simulator/index.ts";
import { hangUpAt, startExample } from "./example-rig.ts";

vi.setConfig({ testTimeout: 60_000 });

test("the caller hears the whole greeting, and the program hangs up", async () => {
  await using rig = await startExample(hello);
  const phone = await rig.dial();
  const report = await phone.ended;
  const greeting = await decodeAudioFile(fileURLToPath(GREETING));
  const heard = report.heardPcm();
  expect(compareAudio(greeting, heard, 48_000).similarity).toBeGreaterThan(0.9);
  expect(heard.length).toBeGreaterThanOrEqual(greeting.length);
  expect(report.endedBy).toBe("business");
  expect(rig.complaints).toEqual([]);
});

test("a caller may hang up in the middle of it", async () => {
  await using rig = await startExample(hello);
  await hangUpAt(rig, [(phone) => phone.hears({ type: "sound" })]);
});
