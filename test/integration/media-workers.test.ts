import { createSocket } from "node:dgram";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Logger, silentLogger } from "../../src/logger.ts";
import {
  createMediaWorkerPool,
  type Digit,
  type HostedSession,
  type MediaDownReason,
  type MediaHost,
  type MediaWorkerPoolOptions,
  packPrompt,
} from "../../src/media/index.ts";
import type { ToWorker, WorkerStart } from "../../src/media/worker/messages.ts";
import { startWorkerThread, type WorkerThread } from "../../src/platform/worker-thread.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { OfferingPeer } from "./offering-peer.ts";

const ENTRY = new URL("../../src/media/worker/entry.ts", import.meta.url);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Pool {
  readonly host: MediaHost;
  /** Every thread that was started, in order. */
  readonly threads: WorkerThread<ToWorker>[];
  readonly starts: WorkerStart[];
}

/** Real threads, which the test can get at. */
async function startPool(options: MediaWorkerPoolOptions = {}): Promise<Pool> {
  const threads: WorkerThread<ToWorker>[] = [];
  const starts: WorkerStart[] = [];
  const host = await createMediaWorkerPool({
    bindAddress: "127.0.0.1",
    ...options,
    startThread: (start, listener) => {
      const thread = startWorkerThread<ToWorker, Parameters<typeof listener.onMessage>[0]>(
        ENTRY,
        start,
        listener,
      );
      threads.push(thread);
      starts.push(start);
      return thread;
    },
  });
  closers.push(() => host.close());
  return { host, threads, starts };
}

class TestCall {
  readonly peer: OfferingPeer;
  readonly session: HostedSession;
  readonly events: string[];
  readonly frames: number[];
  readonly digits: Digit[];

  static async open(host: MediaHost): Promise<TestCall> {
    const peer = new OfferingPeer("actpass");
    closers.push(() => peer.close());
    const [events, frames, digits]: [string[], number[], Digit[]] = [[], [], []];
    const down = (how: string) => (reason?: MediaDownReason) => void events.push(`${how} ${reason}`);
    const session = await host.openSession(await peer.offer(), {
      onIceConnected: () => events.push("ice"),
      onConnected: () => events.push("connected"),
      onLost: down("lost"),
      onFailed: down("failed"),
      onFirstRtpIn: () => events.push("first-in"),
      onFirstRtpOut: () => events.push("first-out"),
      onDigit: (digit) => digits.push(digit),
      onFrame: (payload) => frames.push(payload[0] ?? -1),
    });
    peer.answer(session.local);
    return new TestCall(peer, session, events, frames, digits);
  }

  private constructor(
    peer: OfferingPeer,
    session: HostedSession,
    events: string[],
    frames: number[],
    digits: Digit[],
  ) {
    this.peer = peer;
    this.session = session;
    this.events = events;
    this.frames = frames;
    this.digits = digits;
  }

  /** The worker's port, by the call's own SDP. */
  get port(): number {
    return this.session.local.candidates[0]?.port ?? 0;
  }

  async connect(): Promise<void> {
    this.session.connect();
    await vi.waitFor(() => expect(this.events).toContain("connected"), 10_000);
    await vi.waitFor(() => expect(this.peer.isOpen).toBe(true), 10_000);
  }

  /** The first payload bytes of the packets that the peer has received, of one payload type. */
  heard(payloadType: number): number[] {
    return this.peer.received
      .filter((packet) => ((packet[1] ?? 0) & 0x7f) === payloadType)
      .map((packet) => packet[12] ?? -1);
  }
}

async function startCall(host: MediaHost): Promise<TestCall> {
  const call = await TestCall.open(host);
  await call.connect();
  return call;
}

function rtpPacket(payloadType: number, sequence: number, payload: readonly number[]): Uint8Array {
  const packet = Uint8Array.from([0x80, payloadType, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 7, ...payload]);
  new DataView(packet.buffer).setUint32(4, sequence * 960);
  return packet;
}

/** Packets that tell their place by their first byte. */
function promptOf(count: number) {
  const packets = Array.from({ length: count }, (_, index) => Uint8Array.of(index, 1, 2, 3));
  return packPrompt(packets, count * 20);
}

describe("a call in a worker", () => {
  test("is heard and hears, in order, and what became of it comes back", async () => {
    const { host } = await startPool();
    const call = await startCall(host);
    expect(call.events).toEqual(["ice", "connected"]);
    const playback = call.session.play(promptOf(5));
    call.session.startRtp();
    expect(await playback.finished).toEqual({ outcome: "completed", playedMs: 100 });
    await vi.waitFor(() => expect(call.heard(111).slice(0, 5)).toEqual([0, 1, 2, 3, 4]));

    call.session.setFramesWanted(true);
    // The wish is on its way, as the packets are.
    expect(await call.session.sendDigits("1")).toBe("sent");
    expect(new Set(call.heard(126))).toEqual(new Set([1]));
    for (let mark = 1; mark <= 20; mark += 1) call.peer.send(rtpPacket(111, mark, [mark, 0, 0]));
    await vi.waitFor(() => expect(call.frames).toHaveLength(20));
    expect(call.frames).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));

    // RFC 4733 §2.3: event 5, end bit, 100 ms.
    for (const sequence of [21, 22, 23]) {
      const packet = rtpPacket(126, sequence, [5, 0x8a, 800 >> 8, 800 & 0xff]);
      new DataView(packet.buffer).setUint32(4, 21 * 960);
      call.peer.send(packet);
    }
    await vi.waitFor(() => expect(call.digits).toEqual([{ digit: "5", durationMs: 100 }]));
    expect(call.events).toEqual(["ice", "connected", "first-out", "first-in"]);
    await vi.waitFor(() => expect(call.session.stats().received.packetsReceived).toBe(23));
    const stats = call.session.stats();
    expect(stats.packetsSent).toBeGreaterThan(5);
    expect(stats.telephoneEvents.digits).toBe(1);
    expect(stats.transport.bytesSent).toBeGreaterThan(0);
  });

  test("is over for good after close: playbacks and digits end, nothing more is reported", async () => {
    const { host } = await startPool();
    const call = await startCall(host);
    const playing = call.session.play(promptOf(500));
    const sending = call.session.sendDigits("123456");
    call.session.startRtp();
    await vi.waitFor(() => expect(call.events).toContain("first-out"));
    call.session.close();
    call.session.close();
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(await sending).toBe("call-ended");
    expect(await call.session.sendDigits("1")).toBe("call-ended");
    expect(await call.session.play(promptOf(1)).finished).toEqual({ outcome: "call-ended", playedMs: 0 });
    await vi.waitFor(() => expect(host.status().workers[0]?.calls).toBe(0));
    expect(call.events).toEqual(["ice", "connected", "first-out"]);
    expect(call.session.stats().packetsSent).toBeGreaterThan(0);
  });

  test("refuses digits that are none, and offers that nothing can be made of", async () => {
    const { host } = await startPool();
    const call = await TestCall.open(host);
    await expect(call.session.sendDigits("hello")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const offer = { ...(await call.peer.offer()), fingerprints: [{ algorithm: "md5", value: "00" }] };
    const listener = Object.create(null);
    await expect(host.openSession(offer, listener)).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
    await vi.waitFor(() => expect(host.status().workers[0]?.calls).toBe(1));
  });

  test("shares a prompt with the others: it goes to the worker once, for all of them", async () => {
    const { host, threads } = await startPool();
    const posted = vi.spyOn(threads[0]!, "post");
    const prompt = promptOf(3);
    const calls = [await startCall(host), await startCall(host)];
    const playbacks = calls.flatMap(({ session }) => [session.play(prompt), session.play(prompt)]);
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
    await vi.waitFor(() => expect(loads()).toEqual([0, 1]));
    const next = await TestCall.open(host);
    expect(next.port).toBe(calls[0]?.port);
  });
});

describe("a worker that breaks down", () => {
  test("ends its own calls with the reason, others go on, and it comes back on its port", async () => {
    const logged: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_, message) => void logged.push(message),
      child: () => logger,
    };
    const port = await freePorts(2);
    const { host, threads } = await startPool({ workers: 2, port, logger });
    const [doomed, safe] = [await startCall(host), await startCall(host)];
    const opening = await TestCall.open(host);
    expect([doomed.port, safe.port, opening.port]).toEqual([port, port + 1, port]);
    const playing = doomed.session.play(promptOf(500));
    const sending = doomed.session.sendDigits("1");
    safe.session.startRtp();

    // No worker takes such a message.
    threads[0]?.post({ type: "prompt", prompt: 9, memory: null as never });
    await vi.waitFor(() => expect(doomed.events).toContain("lost worker-crashed"));
    expect(opening.events).toEqual(["failed worker-crashed"]);
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(await sending).toBe("call-ended");
    expect(logged).toContain("media worker broke down");

    await vi.waitFor(
      () => expect(host.status().workers[0]).toMatchObject({ isUp: true, restarts: 1 }),
      5_000,
    );
    const heard = safe.peer.received.length;
    await vi.waitFor(() => expect(safe.peer.received.length).toBeGreaterThan(heard + 10));
    expect(safe.events).toEqual(["ice", "connected", "first-out"]);
    const next = await startCall(host);
    expect(next.port).toBe(port);
    next.session.startRtp();
    expect((await next.session.play(promptOf(3)).finished).outcome).toBe("completed");
  });

  test("leaves no place for calls until it is back, when there is no other", async () => {
    const { host, threads } = await startPool();
    await threads[0]?.terminate();
    expect(host.status().workers[0]?.isUp).toBe(false);
    await expect(TestCall.open(host)).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      details: { reason: "no worker" },
    });
    await vi.waitFor(() => expect(host.status().workers[0]?.isUp).toBe(true), 5_000);
    await startCall(host);
  });

  test("while it opens a call fails the opening", async () => {
    const { host, threads } = await startPool();
    const opening = TestCall.open(host);
    const terminated = vi.waitFor(() => expect(host.status().workers[0]?.calls).toBe(1), { interval: 1 });
    await Promise.race([opening, terminated.then(() => threads[0]?.terminate())]).catch(() => {});
    const outcome = await opening.then(
      (call) => call.events,
      (error: { code: string }) => [error.code],
    );
    await vi.waitFor(() => expect(outcome).toHaveLength(1));
    expect(["MEDIA_ENGINE_FAILED", "failed worker-crashed"]).toContain(outcome[0]);
  });
});

describe("the workers' beginning and end", () => {
  test("a port that is taken is an error at the start, and leaves nothing behind", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const before = threadsRunning();
    await expect(startPool({ workers: 2, port: socket.address().port - 1 })).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
    });
    socket.close();
    expect(threadsRunning()).toBe(before);
  });

  test("close ends them all, with calls open, twice at once, and leaves nothing behind", async () => {
    const before = threadsRunning();
    const { host } = await startPool({ workers: 2 });
    expect(threadsRunning()).toBe(before + 2);
    const call = await startCall(host);
    const playing = call.session.play(promptOf(500), { loop: true });
    await Promise.all([host.close(), host.close()]);
    expect(threadsRunning()).toBe(before);
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(call.events).toEqual(["ice", "connected"]);
    await expect(TestCall.open(host)).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
  });
});

/** By their ports: each running thread keeps one open on this side. */
function threadsRunning(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
}

/** The first of so many UDP ports in a row that nobody has. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const sockets = Array.from({ length: count }, () => createSocket("udp4"));
    const bind = (index: number, port: number) =>
      new Promise<void>((resolve, reject) => {
        sockets[index]?.once("error", reject).bind(port, "127.0.0.1", resolve);
      });
    try {
      await bind(0, 0);
      const first = sockets[0]!.address().port;
      for (let index = 1; index < count; index += 1) await bind(index, first + index);
      return first;
    } catch {
      // Somebody has the next one.
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
}
