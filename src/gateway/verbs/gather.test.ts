import { afterEach, expect, test } from "vitest";
import { TalkingRig } from "../../../test/support/talking-rig.ts";
import type { GatherOptions, GatherResult } from "./types.ts";

const rigs: TalkingRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.hangUp();
    expect(rig.clock.pendingTimers).toBe(0);
  }
});

async function start(): Promise<TalkingRig> {
  const rig = await TalkingRig.start();
  rigs.push(rig);
  return rig;
}

/** A gather, and what it came to so far. */
async function gathering(options: GatherOptions, rig?: TalkingRig) {
  const call = rig ?? (await start());
  const state: { result: GatherResult | null } = { result: null };
  const finished = call.call.gather(options).then((result) => {
    state.result = result;
  });
  await call.settle();
  return { rig: call, state, finished };
}

test("the time for the first key begins with the end of the prompt", async () => {
  const { rig, state } = await gathering({ prompt: "menu", timeoutMs: 400 });
  await rig.pass(1_300);
  expect(state.result).toBeNull();
  await rig.pass(160);
  expect(state.result).toEqual({ outcome: "timeout", digits: "", finishedBy: null });
});

test("the prompt stops as a key goes down, and the key counts when it is let go", async () => {
  const { rig, state } = await gathering({ prompt: "menu", maxDigits: 1 });
  await rig.pass(200);
  expect(rig.heard(3)).toEqual(["prompt", "prompt", "prompt"]);
  await rig.down("7");
  await rig.pass(100);
  expect(rig.heard(3)).toEqual(["silence", "silence", "silence"]);
  expect(state.result).toBeNull();
  await rig.press("7");
  expect(state.result).toEqual({ outcome: "digits", digits: "7", finishedBy: "max-digits" });
});

test.each([
  [{ finishOnKey: "*" }, "12*", { digits: "12", finishedBy: "finish-key" }],
  [{ finishOnKey: null, maxDigits: 3 }, "1#2", { digits: "1#2", finishedBy: "max-digits" }],
  [{ maxDigits: 4, interDigitTimeoutMs: 300 }, "12", { digits: "12", finishedBy: "timeout" }],
  [{}, "#", { digits: "", finishedBy: "finish-key" }],
] as const)("with %o, %s is complete", async (options, keys, result) => {
  const { rig, state } = await gathering(options);
  await rig.press(keys);
  await rig.pass(400);
  expect(state.result).toEqual({ outcome: "digits", ...result });
});

test("each key has its own time", async () => {
  const { rig, state } = await gathering({ timeoutMs: 2_000, interDigitTimeoutMs: 300, maxDigits: 3 });
  await rig.pass(1_900);
  await rig.press("1");
  await rig.pass(250);
  await rig.press("2");
  await rig.pass(250);
  expect(state.result).toBeNull();
  await rig.pass(100);
  expect(state.result).toMatchObject({ digits: "12", finishedBy: "timeout" });
});

test("a prompt that cannot be played is logged, and the time for a key begins at once", async () => {
  const { rig, state } = await gathering({ prompt: "missing", timeoutMs: 300 });
  await rig.pass(350);
  expect(state.result?.outcome).toBe("timeout");
  expect(rig.log.map(({ message }) => message)).toContain("a prompt was not played");
});

test("the signal ends it in the prompt, while it waits, and before it begins", async () => {
  for (const waitMs of [100, 1_500]) {
    const abort = new AbortController();
    const { rig, state } = await gathering({ prompt: "menu", timeoutMs: 3_000, signal: abort.signal });
    await rig.pass(waitMs);
    abort.abort();
    await rig.pass(40);
    expect(state.result).toEqual({ outcome: "aborted", digits: "", finishedBy: null });
    expect(rig.heard(1)).toEqual(["silence"]);
  }
  const before = await gathering({ signal: AbortSignal.abort() });
  expect(before.state.result?.outcome).toBe("aborted");
});

test("the end of the call ends it, with the keys so far, also when it comes first", async () => {
  const { rig, state } = await gathering({ maxDigits: 4 });
  await rig.press("12");
  await rig.hangUp();
  expect(state.result).toEqual({ outcome: "hangup", digits: "12", finishedBy: null });
  const late = await gathering({ prompt: "menu" }, rig);
  expect(late.state.result).toEqual({ outcome: "hangup", digits: "", finishedBy: null });
});

test("keys that were pressed before it are taken first, and its prompt is not played then", async () => {
  const rig = await start();
  await rig.press("45");
  const { state } = await gathering({ prompt: "menu", maxDigits: 3 }, rig);
  await rig.press("6");
  expect(state.result).toMatchObject({ digits: "456" });
  expect(rig.heard(50)).not.toContain("prompt");
});

test("two at once share the keys: each is somebody's, and none ends the other early", async () => {
  const first = await gathering({ maxDigits: 1, timeoutMs: 1_000 });
  const second = await gathering({ maxDigits: 1, timeoutMs: 1_000 }, first.rig);
  await first.rig.press("1");
  const taken = () => new Set([first.state.result?.digits, second.state.result?.digits]);
  expect(taken()).toEqual(new Set(["1", undefined]));
  await first.rig.press("2");
  expect(taken()).toEqual(new Set(["1", "2"]));
});

test.each([
  [{ maxDigits: 0 }, "maxDigits"],
  [{ timeoutMs: 50 }, "timeoutMs"],
  [{ interDigitTimeoutMs: Number.NaN }, "interDigitTimeoutMs"],
  [{ retries: 21 }, "retries"],
  [{ finishOnKey: "##" }, "finishOnKey"],
] as const)("%o is refused by name", async (options, option) => {
  const rig = await start();
  await expect(rig.call.gather(options)).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { option },
  });
});
