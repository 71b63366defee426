import { expect, test, vi } from "vitest";
import { quiz } from "../../examples/quiz.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { until } from "../integration/fixture.ts";
import { hangUpAt, press, spansOf, startExample, toneAt, tonesHeard } from "./example-rig.ts";

vi.setConfig({ testTimeout: 60_000 });

const [BEEP_HZ, RIGHT_HZ, WRONG_HZ, SCORE_HZ] = [500, 1_200, 300, 700];

/** Waits for a question to end, and counts its beeps. */
async function countBeeps(phone: PhoneCall, fromMs?: number): Promise<number> {
  await toneAt(phone, BEEP_HZ, fromMs);
  // Longer than the pause between two beeps, also where packets are late.
  await phone.hears({ type: "quiet", forMs: 1_000 });
  return spansOf(phone, BEEP_HZ, fromMs).length;
}

test("who counts right hears so after each question, and three beeps and the key 3 at the end", async () => {
  await using rig = await startExample(quiz);
  const phone = await rig.dial();
  let judgedAtMs: number | null = null;
  for (let question = 0; question < 3; question += 1) {
    const count = await countBeeps(phone, judgedAtMs ?? undefined);
    judgedAtMs = await press(phone, String(count), RIGHT_HZ);
  }
  const report = await phone.ended;
  expect(tonesHeard(phone, [RIGHT_HZ, WRONG_HZ, SCORE_HZ])).toEqual([
    ...Array(3).fill(RIGHT_HZ),
    ...Array(3).fill(SCORE_HZ),
  ]);
  expect(tonesHeard(phone, [BEEP_HZ])).toHaveLength(2 + 4 + 3);
  expect(report.media.digits).toBe("3");
  expect(report.endedBy).toBe("business");
  expect(rig.complaints).toEqual([]);
});

test("a wrong answer, and none at all after the question was repeated, are wrong", async () => {
  await using rig = await startExample(quiz);
  const phone = await rig.dial();
  await countBeeps(phone);
  const judgedAtMs = await press(phone, "9", WRONG_HZ);
  // The key stops the question.
  await toneAt(phone, BEEP_HZ, judgedAtMs ?? undefined);
  await press(phone, "9", WRONG_HZ);
  const report = await phone.ended;
  expect(tonesHeard(phone, [RIGHT_HZ, WRONG_HZ, SCORE_HZ])).toEqual(Array(3).fill(WRONG_HZ));
  const beeps = tonesHeard(phone, [BEEP_HZ]).length;
  expect(beeps).toBeGreaterThanOrEqual(2 + 1 + 2 * 3);
  expect(beeps).toBeLessThan(2 + 4 + 2 * 3);
  expect(report.media.digits).toBe("0");
  expect(rig.complaints).toEqual([]);
});

test("a caller may hang up in a question, before the answer, while it is judged, and when told the score", async () => {
  await using rig = await startExample(quiz);
  await hangUpAt(rig, [
    (phone) => toneAt(phone, BEEP_HZ),
    (phone) => countBeeps(phone),
    (phone) => press(phone, "9", WRONG_HZ),
    async (phone) => {
      // Keys that wait answer all questions at once.
      await phone.sendDigits("999");
      await until(() => phone.media.report().digits === "0", 10_000);
    },
  ]);
});
