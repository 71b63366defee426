import { createSocket } from "node:dgram";
import { expect, vi } from "vitest";
import {
  createMediaWorkerPool,
  type Digit,
  type EncodedPrompt,
  type HostedSession,
  type MediaDownReason,
  type MediaHost,
  type MediaWorkerPoolOptions,
  packPrompt,
} from "../../src/media/index.ts";
import type { ToWorker, WorkerStart } from "../../src/media/worker/messages.ts";
import { startWorkerThread, type WorkerThread } from "../../src/platform/worker-thread.ts";
import { OfferingPeer } from "./offering-peer.ts";

const ENTRY = new URL("../../src/media/worker/entry.ts", import.meta.url);

const closers: (() => unknown)[] = [];

/** After each test. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export interface Pool {
  readonly host: MediaHost;
  /** Every thread that was started, in order. */
  readonly threads: WorkerThread<ToWorker>[];
  readonly starts: WorkerStart[];
}

/** Real threads, which the test can get at. */
export async function startPool(options: MediaWorkerPoolOptions = {}, entry: URL = ENTRY): Promise<Pool> {
  const threads: WorkerThread<ToWorker>[] = [];
  const starts: WorkerStart[] = [];
  const host = await createMediaWorkerPool({
    bindAddress: "127.0.0.1",
    ...options,
    startThread: (start, listener) => {
      const thread = startWorkerThread<ToWorker, Parameters<typeof listener.onMessage>[0]>(
        entry,
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

export class TestCall {
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

export async function startCall(host: MediaHost): Promise<TestCall> {
  const call = await TestCall.open(host);
  await call.connect();
  return call;
}

export function rtpPacket(payloadType: number, sequence: number, payload: readonly number[]): Uint8Array {
  const packet = Uint8Array.from([0x80, payloadType, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 7, ...payload]);
  new DataView(packet.buffer).setUint32(4, sequence * 960);
  return packet;
}

/** Packets that tell their place by their first byte. */
export function promptOf(count: number): EncodedPrompt {
  const packets = Array.from({ length: count }, (_, index) => Uint8Array.of(index, 1, 2, 3));
  return packPrompt(packets, count * 20);
}

/** By their ports: each running thread keeps one open on this side. */
export function threadsRunning(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
}

/** The first of so many UDP ports in a row that nobody has. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const sockets = Array.from({ length: count }, () => createSocket("udp4"));
    const bind = (index: number, port: number) =>
      new Promise<void>((resolve, reject) => {
        sockets[index]?.once("error", reject).bind(port, "127.0.0.1", resolve);
      });
    try {
      await bind(0, 0);
      const first = sockets[0]?.address().port ?? 0;
      for (let index = 1; index < count; index += 1) await bind(index, first + index);
      return first;
    } catch {
      // Somebody has the next one.
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
}
