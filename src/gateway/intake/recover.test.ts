import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectEvent, terminateEvent } from "../../../test/support/call-rig.ts";
import { LedgerRig } from "../../../test/support/ledger-rig.ts";
import { toEnvelope } from "../../core/events/envelope.ts";
import { eventMistakes } from "../../core/events/schemas.ts";
import { silentLogger } from "../../logger.ts";
import { systemRandom } from "../../platform/random.ts";
import { openStore } from "../../store/index.ts";
import { ManualClock } from "../../testing/index.ts";
import type { Call } from "../call.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-recover-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const answer = (call: Call): Promise<void> => call.answer();

describe("after a crash", () => {
  test("a connect that was journalled and is still in the answer window is answered", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.journal([connectEvent({ timestampMs: rig.clock.wallMs() - 5_000 })]);
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer);
    await next.until(() => next.graph.sent.includes("pre_accept"));
    expect(next.calls).toHaveLength(1);
    expect(await next.store.journal.unfinished(10)).toEqual([]);
  });

  test("one that is older is closed as missed, and WhatsApp is not asked about it", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.journal([connectEvent({ timestampMs: null })]);
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { laterMs: 31_000 });
    expect(await next.types()).toEqual(["call.incoming", "call.ended"]);
    expect(await next.records()).toMatchObject([{ state: "ended", endReason: "offer-expired" }]);
    expect(next.graph.sent).toEqual([]);
    expect(next.calls).toEqual([]);
  });

  test("one whose terminate was journalled, too, does not ring", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.journal([connectEvent({ timestampMs: rig.clock.wallMs() }), terminateEvent()]);
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer);
    expect(next.calls).toEqual([]);
    expect(await next.types()).toEqual(["call.ended"]);
    expect(await next.records()).toMatchObject([{ state: "ended", endReason: "caller-hangup" }]);
  });

  test("a call that was active gets terminate and one end: gateway-restarted", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { laterMs: 2_000 });
    await next.recovered();
    expect(next.graph.sent).toEqual(["terminate"]);
    expect(await next.types()).toEqual(["call.incoming", "call.connecting", "call.answered", "call.ended"]);
    const [record] = await next.records();
    expect(record).toMatchObject({ state: "ended", endReason: "gateway-restarted", durationMs: 2_000 });
    // As docs/asyncapi.json says.
    expect((await next.events()).map((event) => toEnvelope(event, 1)).flatMap(eventMistakes)).toEqual([]);
    expect((await next.events()).at(-1)?.data).toMatchObject({
      reason: "gateway_restarted",
      answered: true,
      hangup_by: "gateway",
      duration_ms: 2_000,
    });
  });

  test("a call that was ringing is rejected, and a caller's terminate that comes meanwhile changes nothing", async () => {
    await using rig = await LedgerRig.start(folder, () => {});
    rig.graph.holds.add("pre_accept");
    await rig.deliver(connectEvent());
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { hold: "reject" });
    const late = next.deliver(terminateEvent());
    next.graph.release("reject");
    await Promise.all([late, next.recovered()]);
    expect(next.graph.sent).toEqual(["reject"]);
    expect(await next.types()).toEqual(["call.incoming", "call.ended"]);
    expect(await next.store.journal.unfinished(10)).toEqual([]);
  });

  test("a call that went on while its record could not be written: what is refused as reject is followed by terminate", async () => {
    await using rig = await LedgerRig.start(folder, () => {});
    rig.graph.holds.add("pre_accept");
    await rig.deliver(connectEvent());
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { hold: "reject" });
    await next.until(() => next.graph.sent.length === 1);
    next.graph.fail("reject");
    await next.recovered();
    expect(next.graph.sent).toEqual(["reject", "terminate"]);
    expect(await next.types()).toEqual(["call.incoming", "call.ended"]);
  });

  test("a terminate that was journalled is the reason of the end, not the restart", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    await rig.journal([terminateEvent()]);
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer);
    await next.recovered();
    expect(next.graph.sent).toEqual([]);
    expect(await next.records()).toMatchObject([{ state: "ended", endReason: "caller-hangup" }]);
  });

  test("a call that had ended, and whose end WhatsApp was not told of, is told once, and its record stays as it was", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    rig.graph.holds.add("terminate");
    void rig.calls[0]?.hangUp();
    await rig.until(() => rig.graph.sent.includes("terminate"));
    await rig.crash();
    const next = await LedgerRig.start(folder, answer);
    await next.recovered();
    await next.settle();
    expect(next.graph.sent).toEqual(["terminate"]);
    expect(await next.records()).toMatchObject([{ endReason: "local-hangup", owed: null }]);
    await next.crash();
    await using third = await LedgerRig.start(folder, answer);
    await third.recovered();
    expect(third.graph.sent).toEqual([]);
  });

  test("a store that goes away while calls are being ended is waited for: WhatsApp is told, and the record closed", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { failReads: 3 });
    expect(next.graph.sent).toEqual([]);
    for (let turn = 0; turn < 5; turn += 1) {
      next.clock.advance(2_000);
      await next.settle();
    }
    await next.recovered();
    expect(next.graph.sent).toEqual(["terminate"]);
    expect(await next.records()).toMatchObject([{ endReason: "gateway-restarted" }]);
  });

  test("a Graph API that hangs holds the end of the gateway up for five seconds, and the next start tells it", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    await rig.crash();
    const next = await LedgerRig.start(folder, answer, { hold: "terminate" });
    await next.until(() => next.graph.sent.length === 1);
    const closing = next[Symbol.asyncDispose]();
    await next.settle();
    next.clock.advance(5_000);
    await closing;
    await using third = await LedgerRig.start(folder, answer);
    await third.recovered();
    expect(third.graph.sent).toEqual(["terminate"]);
    expect(await third.records()).toMatchObject([{ endReason: "gateway-restarted" }]);
  });

  test("a Graph API that refuses does not keep the record open", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.mediaUp();
    await rig.crash();
    await using next = await LedgerRig.start(folder, answer, { hold: "terminate" });
    await next.until(() => next.graph.sent.length === 1);
    next.graph.fail("terminate");
    await next.recovered();
    expect(await next.records()).toMatchObject([{ endReason: "gateway-restarted" }]);
  });

  test("an event of a form that is not read any more is left behind, and keeps nothing up", async () => {
    const store = await openStore(
      { file: join(folder, "ringback.db"), node: "ringback" },
      { clock: new ManualClock(), timers: new ManualClock(), random: systemRandom, logger: silentLogger },
    );
    const entry = { dedupKey: "a", callKey: "b", event: "connect", position: 0, subject: null };
    await store.journal.append({ receivedAt: 0, body: new Uint8Array([1]), entries: [entry] });
    await store.close();
    await using next = await LedgerRig.start(folder, answer);
    expect(await next.store.journal.unfinished(10)).toEqual([]);
    expect(next.calls).toEqual([]);
  });
});

describe("deliveries that are repeated", () => {
  test("ring once, though the timestamp is another one", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent({ timestampMs: rig.clock.wallMs() }));
    await rig.deliver(connectEvent({ timestampMs: rig.clock.wallMs() }));
    await rig.deliver(connectEvent({ timestampMs: rig.clock.wallMs() - 1_000 }));
    expect(rig.calls).toHaveLength(1);
    expect(rig.registry.counters.eventsRepeated).toBe(2);
    expect(await rig.records()).toHaveLength(1);
  });

  test("of a call that is over eight days later do nothing, in another process either", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(connectEvent());
    await rig.deliver(terminateEvent());
    await rig.crash();
    const later = { laterMs: 8 * 24 * 3_600_000 - 1 };
    await using next = await LedgerRig.start(folder, answer, later);
    await next.deliver(connectEvent());
    await next.deliver(terminateEvent());
    await next.deliver(connectEvent({ timestampMs: next.clock.wallMs() }));
    expect(next.calls).toEqual([]);
    expect(await next.types()).toEqual(["call.incoming", "call.connecting", "call.ended"]);
  });

  test("terminate before connect: one record, one end, and nobody is rung", async () => {
    await using rig = await LedgerRig.start(folder, answer);
    await rig.deliver(terminateEvent());
    await rig.deliver(connectEvent());
    expect(rig.calls).toEqual([]);
    expect(await rig.types()).toEqual(["call.ended"]);
    expect(await rig.records()).toMatchObject([{ state: "ended", endReason: "caller-hangup" }]);
  });
});

test("a recording that was cut off is ended as failed, with what is on the disk of it", async () => {
  await using rig = await LedgerRig.start(folder, answer);
  await rig.deliver(connectEvent());
  await rig.mediaUp();
  const [call] = await rig.records();
  const opus = readFileSync(new URL("../../../test/fixtures/audio/speech-parcel.ogg", import.meta.url));
  mkdirSync(join(folder, "recordings"));
  writeFileSync(join(folder, "recordings", "rec_1.opus"), opus);
  const recording = {
    id: "rec_1",
    callId: call?.id ?? "",
    phoneNumberId: call?.phoneNumberId ?? "",
    status: "in-progress",
    format: "wav",
    files: [{ path: "rec_1.opus", channel: "caller", bytes: 0, sha256: "" }],
    durationMs: null,
    consent: { mode: "none", state: "not_asked", at: null },
    startedAt: rig.clock.wallMs(),
    endedAt: null,
  } as const;
  await rig.store.calls.commit({ callId: recording.callId, recordings: [recording] });
  await rig.crash();
  await using next = await LedgerRig.start(folder, answer);
  await next.recovered();
  const file = {
    channel: "caller",
    bytes: opus.length,
    sha256: createHash("sha256").update(opus).digest("hex"),
  };
  expect(await next.store.recordings.get("rec_1")).toMatchObject({
    status: "failed",
    format: "opus",
    files: [{ path: "rec_1.opus", ...file }],
  });
  expect((await next.events()).at(-1)).toMatchObject({
    type: "recording.failed",
    data: { recording_id: "rec_1", ended_by: "gateway_restarted", files: [file] },
  });
  expect((await next.store.recordings.get("rec_1"))?.durationMs).toBeGreaterThan(1_000);
});
