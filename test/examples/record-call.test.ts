import { fileURLToPath } from "node:url";
import { beforeEach, expect, test, vi } from "vitest";
import { recordCall } from "../../examples/record-call.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { hangUpAt, press, spansOf, startExample, toneAt, tonesHeard } from "./example-rig.ts";
import {
  type Excerpt,
  excerpt,
  locate,
  missingTools,
  onlyFile,
  readRecording,
  sayFile,
  soundLengthMs,
} from "./recorded-file.ts";

vi.setConfig({ testTimeout: 60_000 });
const told: string[] = [];
vi.spyOn(console, "log").mockImplementation((line: string) => void told.push(line));
beforeEach(() => {
  told.length = 0;
});

const SPEECH = fileURLToPath(new URL("../fixtures/audio/speech-workshop.ogg", import.meta.url));
const [ANNOUNCEMENT_HZ, WELCOME_HZ, CARD_HZ, THANKS_HZ] = [440, 600, 800, 1_000];
const SECRET_HZ = 1_500;

const missing = missingTools();
if (missing !== null) console.warn(`skipped: what the recorded call has: ${missing} not installed`);

test.skipIf(missing !== null)(
  "both sides are in the recording, in time with each other, but not what is said while a card is typed",
  async () => {
    await using rig = await startExample(recordCall);
    const phone = await rig.dial();
    await toneAt(phone, WELCOME_HZ);
    await phone.hears({ type: "quiet", forMs: 100 });
    const said = await sayFile(phone, SPEECH);
    await toneAt(phone, CARD_HZ);
    await phone.hears({ type: "quiet", forMs: 100 });
    await phone.say({ tone: { frequencyHz: SECRET_HZ, durationMs: 600 } });
    await press(phone, "4111111111111111#", THANKS_HZ);
    await phone.ended;
    expect(tonesHeard(phone, [ANNOUNCEMENT_HZ, WELCOME_HZ, CARD_HZ, THANKS_HZ])).toEqual([
      ANNOUNCEMENT_HZ,
      WELCOME_HZ,
      CARD_HZ,
      THANKS_HZ,
    ]);

    const { channels, durationMs, containerMs, sha256 } = await readRecording(onlyFile(rig.folder));
    const [caller = new Int16Array(), business = new Int16Array()] = channels;
    expect(channels).toHaveLength(2);
    const heard = (frequencyHz: number): Excerpt => {
      const [span] = spansOf(phone, frequencyHz);
      return excerpt(phone, "heard", span?.startedAtMs ?? 0, span?.endedAtMs ?? 0);
    };
    const [order, welcome, thanks] = [said(), heard(WELCOME_HZ), heard(THANKS_HZ)];
    const places = [
      { ...locate(order.samples, caller), startedAtMs: order.startedAtMs },
      { ...locate(welcome.samples, business), startedAtMs: welcome.startedAtMs },
      { ...locate(thanks.samples, business), startedAtMs: thanks.startedAtMs },
    ];
    for (const { correlation } of places) expect(correlation).toBeGreaterThan(0.9);
    expect(locate(heard(CARD_HZ).samples, business).correlation).toBeLessThan(0.2);
    // Where the recording begins on the phone's axis, by each of them.
    const beginsAtMs = places.map(({ offsetMs, startedAtMs }) => startedAtMs - offsetMs);
    expect(Math.max(...beginsAtMs) - Math.min(...beginsAtMs)).toBeLessThan(20);
    expect(Math.abs(soundLengthMs(caller) - soundLengthMs(order.samples))).toBeLessThan(20);
    expect(Math.abs(containerMs - durationMs)).toBeLessThan(20);
    expect(told.join("\n")).toContain(`sha256 ${sha256}`);
    const [, claimedMs, pausedMs] = told.join("\n").match(/completed: (\d+) ms, (\d+) of them paused/) ?? [];
    expect(Math.abs(Number(claimedMs) - durationMs)).toBeLessThan(20);
    expect(Number(pausedMs)).toBeGreaterThan(2_000);
    expect(rig.complaints).toEqual([]);
  },
);

test("a caller who has nothing to say is asked for the card, too", async () => {
  await using rig = await startExample(recordCall);
  const phone = await rig.dial();
  await toneAt(phone, WELCOME_HZ);
  expect(await phone.waitForTone(CARD_HZ, { timeoutMs: 12_000 })).not.toBeNull();
  await press(phone, "4#", THANKS_HZ);
  expect((await phone.ended).endedBy).toBe("business");
  expect(rig.complaints).toEqual([]);
});

test("a caller may hang up when told of the recording, when welcomed, while ordering, and at the card", async () => {
  await using rig = await startExample(recordCall);
  const order = async (phone: PhoneCall): Promise<void> => {
    await toneAt(phone, WELCOME_HZ);
    await phone.say({ file: SPEECH });
  };
  await hangUpAt(rig, [
    (phone) => toneAt(phone, ANNOUNCEMENT_HZ),
    (phone) => toneAt(phone, WELCOME_HZ),
    order,
    async (phone) => {
      await order(phone);
      await toneAt(phone, CARD_HZ);
    },
    async (phone) => {
      await order(phone);
      await toneAt(phone, CARD_HZ);
      await phone.sendDigits("4111");
    },
    async (phone) => {
      await order(phone);
      await toneAt(phone, CARD_HZ);
      await press(phone, "4111#", THANKS_HZ);
    },
  ]);
});
