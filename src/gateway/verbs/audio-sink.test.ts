import { afterEach, beforeAll, expect, test } from "vitest";
import { TalkingRig } from "../../../test/support/talking-rig.ts";
import { loadOpus } from "../../media/opus-codec.ts";

beforeAll(loadOpus);

const rigs: TalkingRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.hangUp();
    expect(rig.clock.pendingTimers).toBe(0);
  }
});

async function start() {
  const rig = await TalkingRig.start();
  rigs.push(rig);
  return { rig, sink: rig.call.audioSink(16_000) };
}

const sound = (ms: number): Int16Array =>
  Int16Array.from({ length: ms * 16 }, (_, i) => 9_000 * Math.sin((2 * Math.PI * 500 * i) / 16_000));

test("what nobody waits for is played in its order, to the end", async () => {
  const { rig, sink } = await start();
  void sink.write(sound(1_500));
  void sink.write(sound(1_500));
  const marked = sink.mark();
  const ended = sink.end();
  await rig.pass(2_900);
  expect(rig.heard(140)).not.toContain("silence");
  await rig.pass(300);
  expect([await marked, await ended]).toEqual(["played", undefined]);
  expect(rig.heard(2)).toEqual(["silence", "silence"]);
});

test("clear ends what is being written, and silence is there after one packet", async () => {
  const { rig, sink } = await start();
  const writing = sink.write(sound(30_000));
  const marked = sink.mark();
  await rig.pass(500);
  sink.clear();
  await rig.pass(60);
  expect(rig.heard(2)).toEqual(["silence", "silence"]);
  expect(await marked).toBe("cleared");
  await writing;
  await sink.write(sound(100));
  await rig.pass(100);
  expect(rig.heard(4)).toContain("live");
});

test("after end nothing is taken", async () => {
  const { rig, sink } = await start();
  const first = sink.write(sound(100));
  const ended = sink.end();
  await expect(sink.write(sound(100))).rejects.toMatchObject({ code: "OPTION_INVALID" });
  await rig.pass(300);
  await first;
  await ended;
});

test("one that another sink has replaced refuses what is written, so that no loop turns for nothing", async () => {
  const { rig, sink } = await start();
  await sink.write(sound(400));
  const marked = sink.mark();
  const next = rig.call.audioSink(16_000);
  await next.write(sound(200));
  await rig.pass(100);
  expect(await marked).toBe("cleared");
  const writeForever = async (): Promise<never> => {
    for (;;) await sink.write(sound(20));
  };
  await expect(writeForever()).rejects.toMatchObject({
    code: "OPTION_INVALID",
    message: expect.stringContaining("took over"),
  });
  expect(await sink.mark()).toBe("cleared");
  await sink.end();
});

test("at the end of the call a write that waits is told, as are those that come later", async () => {
  const { rig, sink } = await start();
  const writing = sink.write(sound(5_000)).catch((error: { code: string }) => error.code);
  const marked = sink.mark();
  await rig.pass(200);
  await rig.hangUp();
  expect([await writing, await marked, await sink.mark()]).toEqual([
    "CALL_ENDED",
    "call-ended",
    "call-ended",
  ]);
  await expect(sink.write(sound(20))).rejects.toMatchObject({ code: "CALL_ENDED" });
  sink.clear();
  await sink.end();
  // One that nobody waits for must not end the program.
  void sink.write(sound(20));
  await rig.settle();
});

test("a rate that Opus does not have is refused", async () => {
  const { rig } = await start();
  expect(() => rig.call.audioSink(44_100 as 48_000)).toThrow(
    expect.objectContaining({ details: { option: "rateHz" } }),
  );
});
