import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IncomingCall } from "./incoming-call.ts";
import type { CallInput, CallOutput, IncomingCallOptions } from "./types.ts";

const SDP = "v=0 our answer";
const offer = (at = 0, offerAgeMs = 0): CallInput => ({ type: "offer", at, offerAgeMs });
const ok = (action: "pre_accept" | "accept", at = 0): CallInput => ({ type: "graph-ok", at, action });
const refused = (action: "pre_accept" | "accept"): CallInput => ({
  type: "graph-failed",
  at: 0,
  action,
  failure: "refused",
});
const input = (type: "answer" | "media-connected" | "media-failed", at = 0): CallInput => ({ type, at });
const built: CallInput = { type: "answer-built", at: 0, sdp: SDP };
const hangUp: CallInput = { type: "hang-up", at: 0, reason: "local-hangup" };
const terminated: CallInput = { type: "remote-terminate", at: 0, failed: false };

function callAfter(inputs: readonly CallInput[], options: IncomingCallOptions = {}): IncomingCall {
  const call = new IncomingCall(options);
  for (const each of inputs) call.handle(each);
  return call;
}
const requests = (outputs: readonly CallOutput[]): string[] =>
  outputs.flatMap((output) => (output.type === "request" ? [output.action] : []));

const RINGING = [offer(), built];
const CONNECTING = [...RINGING, ok("pre_accept")];
const MEDIA_UP = [...CONNECTING, input("media-connected")];
const ACTIVE = [...MEDIA_UP, input("answer"), ok("accept")];

describe("a call that is answered", () => {
  test("an offer opens media and rings", () => {
    expect(new IncomingCall().handle(offer())).toEqual([
      { type: "phase", phase: "ringing" },
      { type: "open-media" },
      { type: "ring" },
    ]);
  });

  test("the answer is pre-accepted at once, before the user takes the call", () => {
    expect(callAfter([offer()]).handle(built)).toEqual([{ type: "request", action: "pre_accept", sdp: SDP }]);
  });

  test("media connects when WhatsApp has taken the answer, not earlier", () => {
    const call = callAfter(RINGING);
    expect(call.phase).toBe("ringing");
    expect(call.handle(ok("pre_accept"))).toEqual([
      { type: "phase", phase: "connecting" },
      { type: "connect-media" },
    ]);
  });

  test("accept carries the same SDP and waits for both the user and the media", () => {
    expect(callAfter(CONNECTING).handle(input("answer"))).toEqual([]);
    expect(callAfter(MEDIA_UP).handle(input("answer"))).toEqual([
      { type: "request", action: "accept", sdp: SDP },
    ]);
    expect(callAfter([...CONNECTING, input("answer")]).handle(input("media-connected"))).toEqual([
      { type: "request", action: "accept", sdp: SDP },
    ]);
  });

  test("RTP starts only after the 200 of accept", () => {
    const call = callAfter([...MEDIA_UP, input("answer")]);
    expect(call.phase).toBe("connecting");
    expect(call.handle(ok("accept"))).toEqual([{ type: "start-rtp" }, { type: "phase", phase: "active" }]);
    expect(call.deadline).toBeNull();
  });

  test("answering twice accepts once", () => {
    expect(callAfter([...MEDIA_UP, input("answer")]).handle(input("answer"))).toEqual([]);
  });

  test("accept alone: media connects after the 200 of accept and RTP starts when it is up", () => {
    const call = callAfter([offer(), input("answer")], { preAccept: false });
    expect(call.handle(built)).toEqual([{ type: "request", action: "accept", sdp: SDP }]);
    expect(call.handle(ok("accept"))).toEqual([
      { type: "phase", phase: "connecting" },
      { type: "connect-media" },
    ]);
    expect(call.handle(input("media-connected"))).toEqual([
      { type: "start-rtp" },
      { type: "phase", phase: "active" },
    ]);
  });
});

describe("a call that ends", () => {
  const cases: [string, CallInput[], CallInput, string, string[]][] = [
    ["a rejected call", RINGING, { type: "reject", at: 0, reason: "rejected" }, "rejected", ["reject"]],
    ["a hang-up before the answer", MEDIA_UP, hangUp, "local-hangup", ["reject"]],
    [
      "a hang-up while accept is under way",
      [...MEDIA_UP, input("answer")],
      hangUp,
      "local-hangup",
      ["terminate"],
    ],
    ["a hang-up of an active call", ACTIVE, hangUp, "local-hangup", ["terminate"]],
    ["a caller who hangs up while it rings", RINGING, terminated, "caller-hangup", []],
    ["a caller who hangs up while media connects", CONNECTING, terminated, "caller-hangup", []],
    ["a caller who hangs up later", ACTIVE, terminated, "caller-hangup", []],
    [
      "a call that WhatsApp fails",
      ACTIVE,
      { type: "remote-terminate", at: 0, failed: true },
      "remote-failed",
      [],
    ],
    ["a refused pre_accept", RINGING, refused("pre_accept"), "graph-refused", ["reject"]],
    ["a refused accept", [...MEDIA_UP, input("answer")], refused("accept"), "graph-refused", ["reject"]],
    [
      "an accept without an answer from Graph",
      [...MEDIA_UP, input("answer")],
      { type: "graph-failed", at: 0, action: "accept", failure: "unreachable" },
      "graph-unreachable",
      ["terminate"],
    ],
    [
      "an offer that cannot be answered",
      [offer()],
      { type: "answer-impossible", at: 0, reason: "offer-unusable" },
      "offer-unusable",
      ["reject"],
    ],
    ["media that breaks down mid-call", ACTIVE, input("media-failed"), "media-failed", ["terminate"]],
    ["media that never comes up", CONNECTING, { type: "timeout", at: 15_000 }, "media-timeout", ["reject"]],
    ["a call that nobody answers", MEDIA_UP, { type: "timeout", at: 30_000 }, "answer-timeout", ["reject"]],
    [
      "an answer that no media leg came for",
      [offer(), input("answer")],
      { type: "timeout", at: 30_000 },
      "media-failed",
      ["reject"],
    ],
    [
      "an answer that waits for pre_accept",
      [...RINGING, input("answer")],
      { type: "timeout", at: 30_000 },
      "graph-unreachable",
      ["reject"],
    ],
    [
      "an answer that waits for media when the window closes",
      [...RINGING, ok("pre_accept", 20_000), input("answer")],
      { type: "timeout", at: 30_000 },
      "media-timeout",
      ["reject"],
    ],
    ["a call above the limit", [], { type: "reject", at: 0, reason: "overloaded" }, "overloaded", ["reject"]],
  ];
  test.each(cases)("%s", (_name, before, last, reason, expected) => {
    const call = callAfter(before);
    const outputs = call.handle(last);
    expect(outputs.at(-1)).toEqual({ type: "ended", reason });
    expect(requests(outputs)).toEqual(expected);
    expect(call.phase).toBe("ended");
    expect(call.endReason).toBe(reason);
    expect(call.deadline).toBeNull();
  });

  test("a timer that fires early changes nothing", () => {
    expect(callAfter(CONNECTING).handle({ type: "timeout", at: 14_999 })).toEqual([]);
  });

  test("a failed terminate changes nothing", () => {
    const failed: CallInput = { type: "graph-failed", at: 0, action: "terminate", failure: "refused" };
    expect(callAfter(ACTIVE).handle(failed)).toEqual([]);
  });
});

describe("webhooks late, doubled or out of order", () => {
  test("a repeated connect is ignored", () => {
    expect(callAfter(ACTIVE).handle(offer(500))).toEqual([]);
  });

  test("terminate before connect ends the call, and the late connect does not ring", () => {
    const call = new IncomingCall();
    expect(call.handle(terminated)).toEqual([
      { type: "phase", phase: "ended" },
      { type: "ended", reason: "caller-hangup" },
    ]);
    expect(call.handle(offer(10))).toEqual([]);
  });

  test("connect again after terminate does not ring", () => {
    expect(callAfter([...ACTIVE, terminated]).handle(offer(10))).toEqual([]);
  });

  test("an offer older than the answer window is not answered and not reported to WhatsApp", () => {
    expect(new IncomingCall().handle(offer(0, 30_000))).toEqual([
      { type: "phase", phase: "ended" },
      { type: "ended", reason: "offer-expired" },
    ]);
  });

  test("the age of the offer shortens the time to answer", () => {
    expect(callAfter([offer(1_000, 5_000)]).deadline).toBe(26_000);
  });
});

describe("whatever happens, in any order", () => {
  const anyInput: fc.Arbitrary<CallInput> = fc.oneof(
    fc.record({ type: fc.constant("offer" as const), at: fc.nat(40_000), offerAgeMs: fc.nat(40_000) }),
    fc.constant(built),
    fc.constantFrom<CallInput>(input("answer"), input("media-connected"), input("media-failed")),
    fc.constantFrom<CallInput>(ok("pre_accept"), ok("accept"), refused("pre_accept"), refused("accept")),
    fc.constantFrom<CallInput>(hangUp, terminated, { type: "reject", at: 0, reason: "rejected" }),
    fc.record({ type: fc.constant("timeout" as const), at: fc.nat(60_000) }),
  );

  test("a call ends at most once, speaks only after accept, and sends one SDP", () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 30 }), (inputs) => {
        const call = new IncomingCall();
        let ends = 0;
        let acceptConfirmed = false;
        let acceptRequests = 0;
        for (const each of inputs) {
          if (each.type === "graph-ok" && each.action === "accept" && acceptRequests > 0)
            acceptConfirmed = true;
          for (const output of call.handle(each)) {
            expect(ends, "nothing follows the end").toBe(0);
            if (output.type === "ended") ends += 1;
            if (output.type === "start-rtp") expect(acceptConfirmed).toBe(true);
            if (output.type === "request" && output.action === "accept") acceptRequests += 1;
            if (output.type === "request" && "sdp" in output) expect(output.sdp).toBe(SDP);
          }
        }
        expect(acceptRequests).toBeLessThanOrEqual(1);
        expect(ends).toBe(call.phase === "ended" ? 1 : 0);
        if (call.phase === "ended") expect(call.deadline).toBeNull();
      }),
    );
  });
});
