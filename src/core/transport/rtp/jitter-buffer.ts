import { PacketRing, type RingPacket } from "./packet-ring.ts";
import { PlayoutDelay } from "./playout-delay.ts";
import type { RtpHeader } from "./rtp.ts";
import { MAX_DROPOUT, MAX_MISORDER } from "./rtp-receiver.ts";
import { signedTimestampDistance } from "./timestamp.ts";

export interface JitterBufferOptions {
  /** Clock of the audio's RTP timestamps, 48 000 for Opus (RFC 7587 §4.1). */
  readonly clockRateHz: number;
  /** Ticks of the time between two calls of `pop`, and of one packet unless `packetRtpTicks` tells: 960 for 20 ms. */
  readonly slotRtpTicks: number;
  /** Least time that audio waits, in ms. Default 40: one packet may be a slot late. */
  readonly minDelayMs?: number;
  /** Most time that audio waits, in ms. Default 300; beyond that people talk over each other. */
  readonly maxDelayMs?: number;
  /** Packets kept at most. Default 64. */
  readonly capacityPackets?: number;
  /** Ticks that a packet lasts, more than 0. Default: `slotRtpTicks`, whatever the packet. */
  readonly packetRtpTicks?: (bytes: Uint8Array, lengthBytes: number) => number;
}

/** One packet's audio, valid until the next call of `push`, `skip` or `pop`. */
export type JitterFrame = RingPacket;

export interface JitterBufferStats {
  readonly packetsBuffered: number;
  /** What audio waits at present, in ms, against the fastest packets, and what it should. */
  readonly delayMs: number;
  readonly targetDelayMs: number;
  /** Packets whose turn was over when they came. */
  readonly packetsLate: number;
  readonly packetsDuplicate: number;
  /** Oldest packets dropped because the buffer was full. */
  readonly packetsOverflowed: number;
  /** Packets left out to bring the delay down. */
  readonly packetsDiscarded: number;
  /** Packets larger than any network carries. */
  readonly packetsOversized: number;
  /** Packets that had not come at their turn. */
  readonly packetsLost: number;
  /** How often another SSRC, a far sequence number or a far timestamp began a new stream. */
  readonly restarts: number;
}

const DEFAULT_CAPACITY = 64;
const MAX_PAYLOAD_BYTES = 1500;
/** Media time and arrival that drift apart by this much at once are of different streams. */
const MAX_TRANSIT_CHANGE_MS = 5000;
/** A delay this far above its target is brought down, one packet at a time. */
const EXCESS_MS = 40;
const POPS_BETWEEN_DISCARDS = 25;
/** As in RtpReceiver: packets from before the first one have positive extended numbers, too. */
const FIRST_CYCLE = 65_536;

/**
 * Puts the packets of one stream in order and holds them until nearly all have come, bounded and adaptive. Sans-IO.
 *
 * `push` takes packets as they come, `pop` is called once per slot and says what to play. The delay adapts where nobody hears
 * it: it grows when a packet is missing anyway and in pauses, and shrinks in pauses and by missing packets that are passed over.
 * Only a delay well above its target costs packets that are there: one each half second, or all that are beyond the maximum.
 *
 * It allocates nothing per packet, once it has as many slots as packets wait at a time.
 */
export class JitterBuffer {
  readonly #msPerTick: number;
  readonly #slotRtpTicks: number;
  readonly #packetRtpTicks: ((bytes: Uint8Array, lengthBytes: number) => number) | undefined;
  readonly #maxDelayMs: number;
  readonly #delay: PlayoutDelay;
  readonly #ring: PacketRing;
  #hasStream = false;
  #isPlaying = false;
  #ssrc = 0;
  #highestSequence = 0;
  /** Extended sequence number and timestamp of what is played next. */
  #nextSequence = 0;
  #nextTimestamp = 0;
  #lastTimestamp = 0;
  #poppedRtpTicks: number;
  #delayMs = 0;
  #popsSinceDiscard = 0;
  #late = 0;
  #duplicates = 0;
  #overflowed = 0;
  #discarded = 0;
  #oversized = 0;
  #lost = 0;
  #restarts = 0;

  constructor(options: JitterBufferOptions) {
    this.#msPerTick = 1000 / options.clockRateHz;
    this.#slotRtpTicks = options.slotRtpTicks;
    this.#poppedRtpTicks = options.slotRtpTicks;
    this.#packetRtpTicks = options.packetRtpTicks;
    this.#maxDelayMs = options.maxDelayMs ?? 300;
    this.#delay = new PlayoutDelay(options.minDelayMs ?? 40, this.#maxDelayMs);
    this.#ring = new PacketRing(options.capacityPackets ?? DEFAULT_CAPACITY);
  }

  /**
   * Takes a copy of the payload of an audio packet that `RtpReceiver` has called new. An empty one only holds its place in the
   * sequence.
   */
  push(packet: Uint8Array, header: RtpHeader, nowMs: number): void {
    if (header.payloadLength > MAX_PAYLOAD_BYTES) {
      this.#oversized += 1;
      return;
    }
    if (this.#isOtherStream(header)) this.#begin(header);
    let timestamp = this.#unwrap(header.timestamp);
    // Of a stream's first packet it is infinite.
    const changeMs = Math.abs(this.#delayOf(timestamp, nowMs));
    if (changeMs > MAX_TRANSIT_CHANGE_MS && changeMs !== Number.POSITIVE_INFINITY) {
      this.#begin(header);
      timestamp = this.#unwrap(header.timestamp);
    }
    this.#lastTimestamp = timestamp;
    this.#delay.observe(nowMs - timestamp * this.#msPerTick, nowMs);
    this.#store(packet, header, header.payloadLength, timestamp);
  }

  /**
   * Takes the place in the sequence of a packet that is no audio, such as a telephone event: it is not missing. What it stands for
   * is a pause.
   */
  skip(packet: Uint8Array, header: RtpHeader): void {
    if (!this.#hasStream || this.#isOtherStream(header)) return;
    this.#store(packet, header, 0, this.#lastTimestamp);
  }

  /**
   * What to play in the slot that begins now: a packet's audio; `lost`, for the decoder to conceal a packet; or `wait`, when
   * nothing is due or nothing is known: the stream has not begun, pauses, or is held up. Where packets and slots differ in length:
   * what to play behind what `pop` gave last.
   */
  pop(nowMs: number): JitterFrame | "lost" | "wait" {
    this.#popsSinceDiscard += 1;
    // Each turn without an outcome passes over a sequence number; those that are stored are less than a capacity ahead.
    while (this.#ring.size > 0) {
      const packet = this.#ring.at(this.#nextSequence);
      const outcome = packet === null ? this.#passHole(nowMs) : this.#passPacket(packet, nowMs);
      if (outcome !== null) return outcome;
    }
    return "wait";
  }

  /** How long what `pop` gave last is, in ticks. A lost packet is taken to be as long as the one before it. */
  get poppedRtpTicks(): number {
    return this.#poppedRtpTicks;
  }

  /**
   * The packet right behind the one that `pop` has just called lost; null when it is not there, or behind a pause. The decoder may
   * find the lost one in it (in-band FEC, RFC 6716 §2.1.7). It keeps its turn.
   */
  following(): JitterFrame | null {
    const packet = this.#ring.at(this.#nextSequence);
    if (packet === null || packet.lengthBytes === 0) return null;
    return packet.rtpTimestamp === this.#nextTimestamp ? packet : null;
  }

  stats(): JitterBufferStats {
    return {
      packetsBuffered: this.#ring.size,
      delayMs: this.#delayMs,
      targetDelayMs: this.#delay.targetMs,
      packetsLate: this.#late,
      packetsDuplicate: this.#duplicates,
      packetsOverflowed: this.#overflowed,
      packetsDiscarded: this.#discarded,
      packetsOversized: this.#oversized,
      packetsLost: this.#lost,
      restarts: this.#restarts,
    };
  }

  #isOtherStream(header: RtpHeader): boolean {
    if (!this.#hasStream || header.ssrc !== this.#ssrc) return true;
    const step = this.#stepTo(header.sequence);
    return step > MAX_DROPOUT || step < -MAX_MISORDER;
  }

  #stepTo(sequence: number): number {
    return ((sequence - this.#highestSequence) << 16) >> 16;
  }

  #unwrap(timestamp: number): number {
    return this.#lastTimestamp + signedTimestampDistance(this.#lastTimestamp, timestamp);
  }

  #begin(header: RtpHeader): void {
    if (this.#hasStream) this.#restarts += 1;
    this.#ring.clear();
    this.#delay.reset();
    this.#hasStream = true;
    this.#isPlaying = false;
    this.#ssrc = header.ssrc;
    this.#highestSequence = FIRST_CYCLE + header.sequence;
    this.#nextSequence = this.#highestSequence;
    this.#lastTimestamp = header.timestamp;
  }

  #store(packet: Uint8Array, header: RtpHeader, lengthBytes: number, timestamp: number): void {
    const sequence = this.#highestSequence + this.#stepTo(header.sequence);
    if (sequence < this.#nextSequence && !this.#canBeginWith(sequence)) {
      this.#late += 1;
      return;
    }
    if (sequence > this.#highestSequence) this.#highestSequence = sequence;
    this.#makeRoom(sequence);
    if (this.#ring.at(sequence) !== null) this.#duplicates += 1;
    else this.#ring.put(sequence, packet, header.payloadOffset, lengthBytes, timestamp);
  }

  /** Before anything is played, what was sent first may come second. */
  #canBeginWith(sequence: number): boolean {
    if (this.#isPlaying || this.#highestSequence - sequence >= this.#ring.capacity) return false;
    this.#nextSequence = sequence;
    return true;
  }

  #makeRoom(sequence: number): void {
    const first = sequence - this.#ring.capacity + 1;
    for (let oldest = this.#nextSequence; oldest < first && this.#ring.size > 0; oldest += 1) {
      if (this.#ring.take(oldest) !== null) this.#overflowed += 1;
    }
    if (first > this.#nextSequence) this.#nextSequence = first;
  }

  #passPacket(packet: RingPacket, nowMs: number): JitterFrame | "wait" | null {
    if (packet.lengthBytes === 0) {
      this.#takeNext();
      return null;
    }
    const delayMs = this.#delayOf(packet.rtpTimestamp, nowMs);
    // At the beginning, and behind a pause (the timestamp jumps, the sequence does not), the delay is free to be right.
    const isBehindPause = !this.#isPlaying || packet.rtpTimestamp > this.#nextTimestamp;
    if (isBehindPause && delayMs < this.#delay.targetMs) return "wait";
    this.#isPlaying = true;
    this.#takeNext();
    this.#poppedRtpTicks = this.#packetRtpTicks?.(packet.bytes, packet.lengthBytes) ?? this.#slotRtpTicks;
    this.#nextTimestamp = packet.rtpTimestamp + this.#poppedRtpTicks;
    if (this.#isTooLong(delayMs)) {
      this.#popsSinceDiscard = 0;
      this.#discarded += 1;
      return null;
    }
    this.#delayMs = delayMs;
    return packet;
  }

  #takeNext(): void {
    this.#ring.take(this.#nextSequence);
    this.#nextSequence += 1;
  }

  /** The next packet is not there, but one behind it is. */
  #passHole(nowMs: number): "lost" | "wait" | null {
    if (!this.#isPlaying) {
      this.#nextSequence += 1;
      return null;
    }
    const delayMs = this.#delayOf(this.#nextTimestamp, nowMs);
    // It may still come, and the delay has to grow anyway.
    if (delayMs < this.#delay.targetMs) return "wait";
    this.#lost += 1;
    this.#nextSequence += 1;
    this.#nextTimestamp += this.#poppedRtpTicks;
    // A packet too late: the time to conceal it in has passed with waits.
    return delayMs >= this.#delay.targetMs + this.#poppedRtpTicks * this.#msPerTick ? null : "lost";
  }

  /** How long after the fastest packet's time the audio of this timestamp would be played now. */
  #delayOf(timestamp: number, nowMs: number): number {
    return nowMs - timestamp * this.#msPerTick - this.#delay.fastestMs;
  }

  #isTooLong(delayMs: number): boolean {
    if (delayMs > this.#maxDelayMs + EXCESS_MS) return true;
    return delayMs > this.#delay.targetMs + EXCESS_MS && this.#popsSinceDiscard > POPS_BETWEEN_DISCARDS;
  }
}
