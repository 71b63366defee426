import { expect, test, vi } from "vitest";
import { forward } from "../../examples/forward.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { type ExampleRig, hangUpAt, press, startExample, toneAt } from "./example-rig.ts";

vi.setConfig({ testTimeout: 60_000 });

const CODE = "4711";
const [GREETING_HZ, READY_HZ, MUSIC_HZ] = [800, 1_200, 554];

const start = (): Promise<ExampleRig> => startExample((options) => forward(options, CODE));

/** Somebody who types the code. */
async function dialAgent(rig: ExampleRig): Promise<PhoneCall> {
  const agent = await rig.dial();
  await press(agent, CODE, READY_HZ);
  return agent;
}

/** Somebody who waits with music. */
async function dialCaller(rig: ExampleRig): Promise<PhoneCall> {
  const caller = await rig.dial();
  expect(await toneAt(caller, GREETING_HZ)).not.toBeNull();
  expect(await toneAt(caller, MUSIC_HZ)).not.toBeNull();
  return caller;
}

/** Resolves when `to` has heard what `from` said. */
async function expectHeard(from: PhoneCall, to: PhoneCall, frequencyHz: number): Promise<void> {
  const fromMs = performance.now();
  const saying = from.say({ tone: { frequencyHz, durationMs: 600 } });
  expect(await toneAt(to, frequencyHz, fromMs)).not.toBeNull();
  await saying;
}

test("a caller waits with music until an agent is there, and then they talk", async () => {
  await using rig = await start();
  const caller = await dialCaller(rig);
  const agent = await dialAgent(rig);
  expect(await caller.hears({ type: "quiet", forMs: 700 })).not.toBeNull();
  await expectHeard(caller, agent, 1_800);
  await expectHeard(agent, caller, 2_200);
  agent.hangUp();
  expect((await caller.ended).endedBy).toBe("business");
  expect((await agent.ended).endedBy).toBe("caller");
  expect(rig.complaints).toEqual([]);
});

test("an agent takes one caller after the other, whoever waits the longest first", async () => {
  await using rig = await start();
  const agent = await dialAgent(rig);
  const first = await rig.dial();
  await toneAt(first, GREETING_HZ);
  expect(await first.hears({ type: "quiet", forMs: 2_500 })).not.toBeNull();
  await expectHeard(first, agent, 1_800);
  const second = await dialCaller(rig);
  const third = await dialCaller(rig);
  first.hangUp();
  await second.hears({ type: "quiet", forMs: 700 });
  await expectHeard(second, agent, 2_200);
  await expectHeard(agent, second, 2_600);
  expect(await third.waitForTone(MUSIC_HZ)).not.toBeNull();
  second.hangUp();
  await third.hears({ type: "quiet", forMs: 700 });
  await expectHeard(agent, third, 3_000);
  expect(rig.complaints).toEqual([]);
});

test("callers may hang up when greeted and while they wait, and an agent who waits may, too", async () => {
  await using rig = await start();
  await hangUpAt(rig, [
    (phone) => toneAt(phone, GREETING_HZ),
    (phone) => toneAt(phone, MUSIC_HZ),
    (phone) => toneAt(phone, MUSIC_HZ),
  ]);
  await hangUpAt(rig, [
    (phone) => press(phone, CODE, READY_HZ),
    async (phone) => {
      await press(phone, CODE, READY_HZ);
      await phone.hears({ type: "quiet", forMs: 700 });
    },
  ]);
  // Nobody of them is connected with who comes later.
  const caller = await dialCaller(rig);
  const agent = await dialAgent(rig);
  await expectHeard(caller, agent, 1_800);
  expect(rig.complaints).toEqual([]);
});
