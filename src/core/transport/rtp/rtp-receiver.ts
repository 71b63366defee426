import type { ReportBlock } from "./rtcp.ts";
import type { RtpFault, RtpHeader } from "./rtp.ts";
import { signedTimestampDistance } from "./timestamp.ts";

/** RFC 3550 A.1: a jump forward by less than this is loss, by more a restart of the sender. */
export const MAX_DROPOUT = 3000;
/** RFC 3550 A.1: a packet this much behind is late; further behind, the sender restarted. */
export const MAX_MISORDER = 100;
/** A step of the timestamps that is this far from that of the arrivals is another clock, not a delay. */
const MAX_TRANSIT_STEP_S = 5;
/** Sequence numbers remembered to know duplicates by: more than MAX_MISORDER, a power of two. */
const SEEN_SIZE = 128;
/** One cycle of headroom, so that packets from before the first one have positive extended numbers. */
const FIRST_CYCLE = 65_536;

/** What one received packet is to the stream. Only `new` packets go on to the listener. */
export type RtpArrival = "new" | "duplicate" | "out-of-range";

export interface RtpReceiverStats {
  /** RTP packets that belong to the stream, duplicates left out. */
  readonly packetsReceived: number;
  /** RFC 3550 A.3: expected less received, never below 0; over all SSRCs. */
  readonly packetsLost: number;
  readonly packetsDuplicate: number;
  /** Lone packets far from the sequence (RFC 3550 A.1), dropped. */
  readonly packetsOutOfRange: number;
  /** Interarrival jitter of RFC 3550 §6.4.1, in ms. */
  readonly jitterMs: number;
  /** Monotonic time of the first packet, null when none came. */
  readonly firstPacketMs: number | null;
  readonly lastPacketMs: number | null;
  /** SSRC of the stream, null before the first packet. */
  readonly ssrc: number | null;
  /** How often another SSRC took over; WhatsApp uses one SSRC per call, so more than 0 is worth a look. */
  readonly ssrcChanges: number;
  /** Packets that could not be read, by reason. */
  readonly packetsBad: Readonly<Record<RtpFault | "payload-type", number>>;
}

/** Keeps the statistics of one received RTP stream and tells duplicates from new packets. */
export class RtpReceiver {
  readonly #clockRateHz: number;
  readonly #seen = new Float64Array(SEEN_SIZE).fill(-1);
  readonly #bad: Record<RtpFault | "payload-type", number> = {
    "too-short": 0,
    version: 0,
    csrc: 0,
    extension: 0,
    padding: 0,
    "payload-type": 0,
  };
  #hasStream = false;
  #ssrc = 0;
  #ssrcChanges = 0;
  #restarts = 0;
  /** Extended sequence numbers: 16 bits plus 65 536 for each wrap (RFC 3550 A.1). */
  #baseSequence = 0;
  #maxSequence = 0;
  /** RFC 3550 A.1 bad_seq: the packet after this one confirms a restart. -1: none expected. */
  #restartSequence = -1;
  #streamReceived = 0;
  #streamDuplicates = 0;
  #received = 0;
  #lostBefore = 0;
  #duplicates = 0;
  #outOfRange = 0;
  #jitterTicks = 0;
  #hasTransit = false;
  #lastArrivalMs = 0;
  #lastTimestamp = 0;
  /** -1 before the first packet: a null now and then would have V8 allocate a number per packet. */
  #firstPacketMs = -1;
  #lastPacketMs = -1;
  /** State of the report before (RFC 3550 A.3), of the stream at hand. */
  #expectedBefore = 0;
  #receivedBefore = 0;

  /** @param clockRateHz Clock of the audio's RTP timestamps, 48 000 for Opus (RFC 7587 §4.1). */
  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** Counts a packet that could not be read or whose payload type nobody agreed on. */
  countBad(reason: RtpFault | "payload-type"): void {
    this.#bad[reason] += 1;
  }

  /**
   * Takes one well-formed packet.
   *
   * @param isAudio False for telephone events: their timestamp stands still, which is no jitter.
   */
  receive(header: RtpHeader, nowMs: number, isAudio: boolean): RtpArrival {
    if (!this.#hasStream || header.ssrc !== this.#ssrc) this.#followSsrc(header);
    const arrival = this.#place(header.sequence);
    if (arrival === "duplicate") {
      this.#duplicates += 1;
      this.#streamDuplicates += 1;
    }
    if (arrival === "out-of-range") this.#outOfRange += 1;
    if (arrival !== "new") return arrival;
    this.#received += 1;
    this.#streamReceived += 1;
    if (this.#firstPacketMs < 0) this.#firstPacketMs = nowMs;
    this.#lastPacketMs = nowMs;
    if (isAudio) this.#updateJitter(header.timestamp, nowMs);
    return "new";
  }

  /** How often a sender began anew under its SSRC: its timestamps may then be anywhere. */
  get restarts(): number {
    return this.#restarts;
  }

  /** SSRC of the stream, null before the first packet. */
  get ssrc(): number | null {
    return this.#hasStream ? this.#ssrc : null;
  }

  /**
   * Fills in what a report says of the stream (RFC 3550 §6.4.1), all but its sender reports, and begins the next interval.
   *
   * @returns False when nothing came since the report before: there is no block about the stream then.
   */
  takeReport(block: ReportBlock): boolean {
    // RFC 3550 A.3: what came twice counts as received here, so that the number of the lost can be negative.
    const received = this.#streamReceived + this.#streamDuplicates;
    const receivedNow = received - this.#receivedBefore;
    if (receivedNow === 0) return false;
    const expected = this.#streamExpected();
    const expectedNow = expected - this.#expectedBefore;
    this.#receivedBefore = received;
    this.#expectedBefore = expected;
    const lostNow = expectedNow - receivedNow;
    block.ssrc = this.#ssrc;
    block.fractionLost = lostNow <= 0 ? 0 : Math.floor((lostNow * 256) / expectedNow);
    block.packetsLost = expected - received;
    block.highestSequence = (this.#maxSequence - FIRST_CYCLE) >>> 0;
    block.jitterRtpTicks = Math.floor(this.#jitterTicks);
    return true;
  }

  stats(): RtpReceiverStats {
    return {
      packetsReceived: this.#received,
      packetsLost: this.#lostBefore + this.#streamLost(),
      packetsDuplicate: this.#duplicates,
      packetsOutOfRange: this.#outOfRange,
      jitterMs: (this.#jitterTicks / this.#clockRateHz) * 1000,
      firstPacketMs: this.#firstPacketMs < 0 ? null : this.#firstPacketMs,
      lastPacketMs: this.#lastPacketMs < 0 ? null : this.#lastPacketMs,
      ssrc: this.ssrc,
      ssrcChanges: this.#ssrcChanges,
      packetsBad: { ...this.#bad },
    };
  }

  #followSsrc(header: RtpHeader): void {
    if (this.#hasStream) this.#ssrcChanges += 1;
    this.#hasStream = true;
    this.#ssrc = header.ssrc;
    this.#restart(header.sequence);
  }

  #restart(sequence: number): void {
    this.#lostBefore += this.#streamLost();
    this.#streamReceived = 0;
    this.#streamDuplicates = 0;
    this.#receivedBefore = 0;
    this.#expectedBefore = 0;
    this.#baseSequence = FIRST_CYCLE + sequence;
    this.#maxSequence = this.#baseSequence - 1;
    this.#restartSequence = -1;
    this.#hasTransit = false;
    this.#seen.fill(-1);
  }

  #streamLost(): number {
    if (this.#streamReceived === 0) return 0;
    return Math.max(0, this.#streamExpected() - this.#streamReceived);
  }

  #streamExpected(): number {
    return this.#maxSequence - this.#baseSequence + 1;
  }

  /** RFC 3550 A.1 update_seq, without its probation: SRTP has vouched for the sender. */
  #place(sequence: number): RtpArrival {
    const step = ((sequence - this.#maxSequence) << 16) >> 16;
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      if (sequence !== this.#restartSequence) {
        this.#restartSequence = (sequence + 1) & 0xffff;
        return "out-of-range";
      }
      this.#restarts += 1;
      this.#restart(sequence);
      return this.#place(sequence);
    }
    const extended = this.#maxSequence + step;
    const index = extended & (SEEN_SIZE - 1);
    if (this.#seen[index] === extended) return "duplicate";
    this.#seen[index] = extended;
    if (extended > this.#maxSequence) this.#maxSequence = extended;
    else if (extended < this.#baseSequence) this.#baseSequence = extended;
    this.#restartSequence = -1;
    return "new";
  }

  /** RFC 3550 A.8: J += (|D| - J) / 16, D being the difference of two packets' transit times. */
  #updateJitter(timestamp: number, nowMs: number): void {
    if (this.#hasTransit) {
      const arrivalTicks = ((nowMs - this.#lastArrivalMs) * this.#clockRateHz) / 1000;
      const difference = arrivalTicks - signedTimestampDistance(this.#lastTimestamp, timestamp);
      // A.8 takes the sender's clock to be one; one jump would outweigh thousands of packets.
      if (Math.abs(difference) <= MAX_TRANSIT_STEP_S * this.#clockRateHz) {
        this.#jitterTicks += (Math.abs(difference) - this.#jitterTicks) / 16;
      }
    }
    this.#hasTransit = true;
    this.#lastArrivalMs = nowMs;
    this.#lastTimestamp = timestamp;
  }
}
