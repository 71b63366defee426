import { afterEach, describe, expect, test, vi } from "vitest";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { eventually } from "../support/eventually.ts";
import { closeAll, freePorts, promptOf, rtpPacket, startCall, startPool, TestCall } from "./worker-pool.ts";

afterEach(closeAll);

describe("a call in a worker", () => {
  test("is heard and hears, in order, and what became of it comes back", async () => {
    const { host } = await startPool();
    const call = await startCall(host);
    expect(call.events).toEqual(["ice", "connected"]);
    const playback = call.session.play([promptOf(5)]);
    call.session.startRtp();
    expect(await playback.finished).toEqual({ outcome: "completed", playedMs: 100, interruptedBy: null });
    await eventually(() => expect(call.heard(111).slice(0, 5)).toEqual([0, 1, 2, 3, 4]));

    call.session.setFramesWanted(true);
    // The wish is on its way, as the packets are.
    expect(await call.session.sendDigits("1")).toBe("sent");
    expect(new Set(call.heard(126))).toEqual(new Set([1]));
    for (let mark = 1; mark <= 20; mark += 1) call.peer.send(rtpPacket(111, mark, [mark, 0, 0]));
    await eventually(() => expect(call.frames).toHaveLength(20));
    expect(call.frames).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));

    // RFC 4733 §2.3: event 5, end bit, 100 ms.
    for (const sequence of [21, 22, 23]) {
      const packet = rtpPacket(126, sequence, [5, 0x8a, 800 >> 8, 800 & 0xff]);
      new DataView(packet.buffer).setUint32(4, 21 * 960);
      call.peer.send(packet);
    }
    await eventually(() => expect(call.digits).toEqual([{ digit: "5", durationMs: 100 }]));
    expect(call.events).toEqual(["ice", "connected", "first-out", "first-in"]);
    await eventually(() => expect(call.session.stats().received.packetsReceived).toBe(23));
    const stats = call.session.stats();
    expect(stats.packetsSent).toBeGreaterThan(5);
    expect(stats.telephoneEvents.digits).toBe(1);
    expect(stats.transport.bytesSent).toBeGreaterThan(0);
  });

  test("is over for good after close: playbacks and digits end, nothing more is reported", async () => {
    const { host } = await startPool();
    const call = await startCall(host);
    const playing = call.session.play([promptOf(500)]);
    const sending = call.session.sendDigits("123456");
    call.session.startRtp();
    await eventually(() => expect(call.events).toContain("first-out"));
    call.session.close();
    call.session.close();
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(await sending).toBe("call-ended");
    expect(await call.session.sendDigits("1")).toBe("call-ended");
    expect(await call.session.play([promptOf(1)]).finished).toEqual({
      outcome: "call-ended",
      playedMs: 0,
      interruptedBy: null,
    });
    await eventually(() => expect(host.status().workers[0]?.calls).toBe(0));
    expect(call.events).toEqual(["ice", "connected", "first-out"]);
    expect(call.session.stats().packetsSent).toBeGreaterThan(0);
  });

  test("has statistics that are exact when it is over", async () => {
    const { host } = await startPool();
    const call = await startCall(host);
    call.session.startRtp();
    await eventually(() => expect(call.heard(111).length).toBeGreaterThan(3));
    call.session.close();
    await eventually(() => expect(host.status().workers[0]?.calls).toBe(0));
    const { packetsSent, rtcp } = call.session.stats();
    await eventually(() => expect(call.heard(111)).toHaveLength(packetsSent));
    // The BYE.
    expect(rtcp.reportsSent).toBe(1);
  });

  test("refuses digits that are none, and offers that nothing can be made of", async () => {
    const { host } = await startPool();
    const call = await TestCall.open(host);
    await expect(call.session.sendDigits("hello")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const offer = { ...(await call.peer.offer()), fingerprints: [{ algorithm: "md5", value: "00" }] };
    const listener = Object.create(null);
    await expect(host.openSession(offer, listener)).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
    await eventually(() => expect(host.status().workers[0]?.calls).toBe(1));
  });

  test("shares a prompt with the others: it goes to the worker once, for all of them", async () => {
    const { host, threads } = await startPool();
    const posted = vi.spyOn(threads[0]!, "post");
    const prompt = promptOf(3);
    const calls = [await startCall(host), await startCall(host)];
    const playbacks = calls.flatMap(({ session }) => [session.play([prompt]), session.play([prompt])]);
    for (const { session } of calls) session.startRtp();
    const results = await Promise.all(playbacks.map((playback) => playback.finished));
    expect(results.map((result) => result.outcome)).toEqual([
      "replaced",
      "completed",
      "replaced",
      "completed",
    ]);
    const sent = posted.mock.calls.map(([message]) => message).filter(({ type }) => type === "prompt");
    expect(sent).toEqual([{ type: "prompt", prompt: 1, memory: prompt.memory }]);
  });
});

describe("several workers", () => {
  test("have a port each, in a row, and share the extra ones", async () => {
    const port = await freePorts(2);
    const { host, starts } = await startPool({
      workers: 2,
      port,
      extraPorts: { begin: 50_000, end: 50_004 },
    });
    expect(host.status().workers.map((worker) => worker.port)).toEqual([port, port + 1]);
    expect(starts.map(({ engine }) => engine.extraPorts)).toEqual([
      { begin: 50_000, end: 50_001 },
      { begin: 50_002, end: 50_004 },
    ]);
  });

  test("show one certificate, one that is replaced every day", async () => {
    const clock = new ManualClock();
    const { host } = await startPool({ workers: 2, clock });
    const open = async () => (await TestCall.open(host)).session.local;
    const [first, second] = [await open(), await open()];
    expect(first.candidates[0]?.port).not.toBe(second.candidates[0]?.port);
    expect(second.sha256Fingerprint).toBe(first.sha256Fingerprint);
    clock.advance(25 * 3_600_000);
    const [third, fourth] = [await open(), await open()];
    expect(third.sha256Fingerprint).not.toBe(first.sha256Fingerprint);
    expect(fourth.sha256Fingerprint).toBe(third.sha256Fingerprint);
  });

  test("get each new call where there are fewest", async () => {
    const { host } = await startPool({ workers: 2 });
    const calls = [await TestCall.open(host), await TestCall.open(host), await TestCall.open(host)];
    const loads = () => host.status().workers.map((worker) => worker.calls);
    expect(loads()).toEqual([2, 1]);
    calls[0]?.session.close();
    calls[2]?.session.close();
    await eventually(() => expect(loads()).toEqual([0, 1]));
    const next = await TestCall.open(host);
    expect(next.port).toBe(calls[0]?.port);
  });
});
