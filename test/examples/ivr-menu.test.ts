import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { ivrMenu } from "../../examples/ivr-menu.ts";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import {
  createCommandSpeech,
  createGateway,
  type FlowDocument,
  type GatewayOptions,
  runFlow,
} from "../../src/index.ts";
import { decodeAudioFile } from "../../src/simulator/index.ts";
import { hangUpAt, press, startExample, toneAt, tonesHeard } from "./example-rig.ts";
import { expectMessage, missingTools, onlyFile, readRecording, sayFile } from "./recorded-file.ts";

vi.setConfig({ testTimeout: 60_000 });
vi.spyOn(console, "log").mockImplementation(() => {});

const FLOW = new URL("../../examples/menu.flow.json", import.meta.url);
const SPEECH = fileURLToPath(new URL("../fixtures/audio/speech-parcel.ogg", import.meta.url));
const [MENU_HZ, SALES_HZ, SUPPORT_HZ, MESSAGE_HZ, BEEP_HZ, THANKS_HZ] = [440, 600, 750, 880, 1_000, 1_300];
const ALL_HZ = [MENU_HZ, SALES_HZ, SUPPORT_HZ, MESSAGE_HZ, BEEP_HZ, THANKS_HZ];

const missing = missingTools();
if (missing !== null) console.warn(`skipped: what the menu recorded: ${missing} not installed`);

/** As `ringback serve --flow` has it. */
function menuFlow(options: GatewayOptions) {
  const document = JSON.parse(readFileSync(FLOW, "utf8")) as FlowDocument;
  const { logger } = options;
  return createGateway(options).onCall(async (call) => {
    await runFlow(call, document, logger === undefined ? {} : { logger });
  });
}

const espeak = spawnSync("espeak-ng", ["--stdout", "--stdin", "-v", "en"], {
  input: "Welcome. Press 1 for sales, or 2 for support.",
});
if (espeak.status !== 0) console.warn("skipped: the menu in words: espeak-ng is not installed");

test.skipIf(espeak.status !== 0)(
  "where somebody speaks, the menu is words, and a key still stops it",
  async () => {
    const args = ["--stdout", "--stdin", "-v", "{language}"];
    const speech = createCommandSpeech({ command: "espeak-ng", args, language: "en" });
    await using rig = await startExample(ivrMenu, { speech });
    const spokenPath = join(rig.folder, "menu.wav");
    writeFileSync(spokenPath, espeak.stdout);
    const menu = await decodeAudioFile(spokenPath);
    const patient = await rig.dial();
    const hurried = await rig.dial();
    await hurried.hears({ type: "sound" });
    await hurried.sendDigits("1");
    await patient.hears({ type: "sound" });
    // The pauses between the sentences are shorter.
    await patient.hears({ type: "quiet", forMs: 1_500 });
    await patient.sendDigits("1");
    const [heard, heardInHaste] = [(await patient.ended).heardPcm(), (await hurried.ended).heardPcm()];
    expect(compareAudio(menu, heard, 48_000).similarity).toBeGreaterThan(0.8);
    expect(compareAudio(menu, heardInHaste, 48_000).similarity).toBeLessThan(0.8);
    await hangUpAt(rig, [(phone) => phone.hears({ type: "sound" })]);
  },
);

describe.each([
  ["the program", ivrMenu],
  ["the flow", menuFlow],
])("%s of the menu", (_, make) => {
  test("keys lead to their departments", async () => {
    await using rig = await startExample(make);
    const departments = [
      ["1", SALES_HZ],
      ["2", SUPPORT_HZ],
    ] as const;
    const calls = departments.map(async ([key, departmentHz]) => {
      const phone = await rig.dial();
      await toneAt(phone, MENU_HZ);
      await press(phone, key, departmentHz);
      const report = await phone.ended;
      expect(tonesHeard(phone, ALL_HZ)).toEqual([MENU_HZ, departmentHz, THANKS_HZ]);
      expect(report.endedBy).toBe("business");
    });
    await Promise.all(calls);
    expect(rig.complaints).toEqual([]);
  });

  test.skipIf(missing !== null)("another key leads to a message, which is what the caller said", async () => {
    await using rig = await startExample(make);
    const phone = await rig.dial();
    await toneAt(phone, MENU_HZ);
    await press(phone, "7", BEEP_HZ);
    await phone.hears({ type: "quiet", forMs: 100 });
    const said = await sayFile(phone, SPEECH);
    await press(phone, "#", THANKS_HZ);
    await phone.ended;
    expect(tonesHeard(phone, ALL_HZ)).toEqual([MENU_HZ, MESSAGE_HZ, BEEP_HZ, THANKS_HZ]);
    expectMessage(await readRecording(onlyFile(rig.folder)), said());
    expect(rig.complaints).toEqual([]);
  });

  test("no key leads to a message, too, which a caller who says nothing need not end", async () => {
    await using rig = await startExample(make);
    const phone = await rig.dial();
    const report = await phone.ended;
    expect(tonesHeard(phone, ALL_HZ)).toEqual([MENU_HZ, MESSAGE_HZ, BEEP_HZ, THANKS_HZ]);
    expect(report.endedBy).toBe("business");
    expect(rig.complaints).toEqual([]);
  });

  test("a caller may hang up in the menu, at a department, when told of the recording, and in it", async () => {
    await using rig = await startExample(make);
    await hangUpAt(rig, [
      (phone) => toneAt(phone, MENU_HZ),
      (phone) => press(phone, "1", SALES_HZ),
      (phone) => press(phone, "7", MESSAGE_HZ),
      (phone) => press(phone, "7", BEEP_HZ),
      async (phone) => {
        await press(phone, "7", BEEP_HZ);
        await phone.say({ tone: { frequencyHz: 500, durationMs: 1_000 } });
      },
    ]);
  });
});
