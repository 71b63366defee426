import { describe, expect, test } from "vitest";
import { CallRig } from "../../test/support/call-rig.ts";
import type { Call } from "./call.ts";
import { keeperOf } from "./call-handle.ts";

const answer = (call: Call): Promise<void> => call.answer();
const id = (number: number): { readonly callId: string } => ({ callId: `wacid.${number}` });

describe("the calls of a gateway", () => {
  test("above the limit are rejected, and do not ring", async () => {
    const rig = new CallRig(answer, { maxCalls: 2 });
    for (const number of [1, 2, 3]) await rig.connect(id(number));
    expect(rig.calls.map((call) => call.id)).toEqual(["wacid.1", "wacid.2"]);
    expect(rig.graph.sent).toEqual(["pre_accept", "pre_accept", "reject"]);
    expect(rig.registry.counters).toMatchObject({ callsStarted: 2, callsOverLimit: 1 });
    expect(rig.registry.size).toBe(2);
  });

  test("far above the limit, while Graph hangs, are dropped and counted: memory has a bound", async () => {
    const rig = new CallRig(answer, { maxCalls: 1 });
    rig.graph.holds.add("reject");
    for (let number = 0; number < 500; number += 1) await rig.connect(id(number));
    expect(rig.registry.size).toBe(101);
    expect(rig.graph.sent.filter((action) => action === "reject")).toHaveLength(100);
    expect(rig.registry.counters.callsOverLimit).toBe(499);
  });

  test("of numbers that are not configured are counted and left alone", async () => {
    const rig = new CallRig(answer);
    await rig.connect({ phoneNumberId: "100000000000009" });
    expect(rig.calls).toEqual([]);
    expect(rig.graph.sent).toEqual([]);
    expect(rig.registry.counters.eventsOfOtherNumbers).toBe(1);
  });

  test("that the business placed do not ring here", async () => {
    const rig = new CallRig(answer);
    await rig.connect({ sdpType: "answer", direction: "business-initiated" });
    expect(rig.calls).toEqual([]);
    expect(rig.registry.counters.eventsIgnored).toBe(1);
  });

  test("that are too old are left alone, and the log says what to look at", async () => {
    const rig = new CallRig(answer);
    await rig.connect({ timestampMs: rig.clock.wallMs() - 31_000 });
    expect(rig.calls).toEqual([]);
    expect(rig.graph.sent).toEqual([]);
    expect(rig.log).toContainEqual(
      expect.objectContaining({
        level: "warn",
        fields: expect.objectContaining({
          reason: "offer-expired",
          nextStep: expect.stringContaining("clock"),
        }),
      }),
    );
  });

  test("whose handler throws at once end, and the next one rings", async () => {
    const rig = new CallRig((call) => {
      if (call.id === "wacid.1") throw new Error("a fault of the program");
    });
    await rig.connect(id(1));
    await rig.connect(id(2));
    expect((await rig.calls[0]?.ended)?.reason).toBe("handler-failed");
    expect(rig.call).toMatchObject({ id: "wacid.2", phase: "connecting" });
  });
});

describe("the record of a call", () => {
  test("has every phase, one end, and behind it what was waited for until then", async () => {
    const rig = new CallRig(answer);
    await rig.connect(id(1));
    await rig.mediaUp();
    const keeper = keeperOf(rig.call);
    await rig.call.hangUp().then(() => keeper?.record("call.command_completed", { verb: "hangup" }));
    const types = (): string[] => rig.changes.flatMap(({ events = [] }) => events.map(({ type }) => type));
    const all = ["call.connecting", "call.answered", "call.ended", "call.command_completed"];
    expect(types()).toEqual(all);
    await new Promise((resolve) => setImmediate(resolve));
    keeper?.record("call.dtmf", {});
    expect(types()).toEqual(all);
  });
});

test("what a program asks of a call that is over leaves no trace in its record", async () => {
  const rig = new CallRig(answer);
  await rig.connect(id(1));
  await rig.mediaUp();
  await rig.terminate(id(1));
  void rig.call.play("late.mp3");
  void rig.call.gather();
  void rig.call.record({ consent: "none" });
  await rig.settle();
  const types = rig.changes.flatMap(({ events = [] }) => events.map(({ type }) => type));
  expect(types.at(-1)).toBe("call.ended");
});

describe("a registry that is closed", () => {
  test("ends every call and is empty when WhatsApp was told of all", async () => {
    const rig = new CallRig(answer);
    await rig.connect(id(1));
    await rig.mediaUp();
    await rig.connect(id(2));
    let isEmpty = false;
    void rig.registry.empty().then(() => {
      isEmpty = true;
    });
    rig.graph.holds.add("terminate");
    const ending = rig.registry.endAll();
    await rig.settle();
    expect(isEmpty).toBe(false);
    rig.graph.release("terminate");
    await ending;
    await rig.settle();
    expect(isEmpty).toBe(true);
    expect(rig.graph.sent.filter((action) => action === "terminate" || action === "reject")).toEqual([
      "terminate",
      "reject",
    ]);
    for (const call of rig.calls) expect((await call.ended).reason).toBe("gateway-closed");
  });

  test("stops waiting for a Graph API that hangs when it is told to", async () => {
    const rig = new CallRig(answer);
    rig.graph.holds.add("accept");
    await rig.connect();
    await rig.mediaUp();
    const ending = rig.registry.endAll();
    rig.registry.abandonAll();
    await ending;
    await rig.settle();
    expect(rig.registry.size).toBe(0);
    expect(rig.graph.sent).toEqual(["pre_accept", "accept"]);
    expect(rig.steps.at(-1)).toBe("ended");
  });
});
