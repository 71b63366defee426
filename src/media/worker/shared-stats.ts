import type { MediaStats } from "../media-session.ts";
import { SharedRecord } from "./shared-record.ts";

/** What a worker tells of itself as a whole. */
export interface WorkerFigures {
  readonly lateTicks: number;
  readonly skippedSlots: number;
  readonly worstLateMs: number;
  readonly datagramsDropped: number;
  readonly framesDropped: number;
}

export const workerFigures: SharedRecord<WorkerFigures> = new SharedRecord<WorkerFigures>({
  lateTicks: 0,
  skippedSlots: 0,
  worstLateMs: 0,
  datagramsDropped: 0,
  framesDropped: 0,
});

export const callStats: SharedRecord<MediaStats> = new SharedRecord<MediaStats>({
  packetsSent: 0,
  packetsNotSent: 0,
  slotsSkipped: 0,
  received: {
    packetsReceived: 0,
    packetsLost: 0,
    packetsDuplicate: 0,
    packetsOutOfRange: 0,
    jitterMs: 0,
    firstPacketMs: 0,
    lastPacketMs: 0,
    ssrc: 0,
    ssrcChanges: 0,
    packetsBad: {
      "too-short": 0,
      version: 0,
      csrc: 0,
      extension: 0,
      padding: 0,
      "payload-type": 0,
    },
  },
  telephoneEvents: { digits: 0, malformed: 0, unknownEvents: 0 },
  rtcp: {
    reportsSent: 0,
    reportsReceived: 0,
    rttMs: 0,
    remote: { packetsLost: 0, fractionLost: 0, jitterMs: 0 },
    byesReceived: 0,
    dropped: 0,
    packetsSkipped: 0,
    blocksForeign: 0,
  },
  transport: { bytesSent: 0, bytesReceived: 0, sendsDropped: 0, rttMs: 0, datagramsDropped: 0 },
});

/** How old figures in shared memory may be. */
export const REFRESH_MS = 200;

const SLAB_CALLS = 64;

/**
 * Memory for the statistics of calls, as it is asked for. Nothing is given back: a piece of 64 calls goes when the last
 * of them is forgotten, on both sides.
 */
export class StatsMemory {
  #slab = new Float64Array(new SharedArrayBuffer(0));
  #used = 0;

  take(): Float64Array<SharedArrayBuffer> {
    if (this.#used === this.#slab.length) {
      const bytes = SLAB_CALLS * callStats.length * Float64Array.BYTES_PER_ELEMENT;
      this.#slab = new Float64Array(new SharedArrayBuffer(bytes));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += callStats.length;
    return this.#slab.subarray(start, this.#used);
  }
}
