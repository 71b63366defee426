import { RTP_HEADER_BYTES, RtpWriter } from "../../src/core/transport/rtp/rtp.ts";
import { DIGITS } from "../../src/core/transport/rtp/telephone-event.ts";
import type { Call } from "../../src/index.ts";
import { OPUS_SILENCE } from "../../src/media/silence.ts";
import { CallRig, PROMPT_PACKET } from "./call-rig.ts";

/** As the rig's offer has them. */
const OPUS_TYPE = 111;
const EVENT_TYPE = 126;
const EVENT_TICKS = 800;

/** A call that is up, whose time, keys and audio are the test's: no socket, no thread, no waiting. */
export class TalkingRig extends CallRig {
  readonly #writer = new RtpWriter({ ssrc: 5, firstSequence: 1, firstTimestamp: 0 });

  static async start(): Promise<TalkingRig> {
    const rig = new TalkingRig((call: Call) => call.answer());
    await rig.connect();
    await rig.mediaUp();
    return rig;
  }

  /** Lets time pass, and everything happen that is due. */
  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  /** A key goes down. */
  async down(digit: string): Promise<void> {
    this.#event(digit, false);
    await this.settle();
  }

  /** Keys, one after the other, each down and up at once. */
  async press(digits: string): Promise<void> {
    for (const digit of digits) {
      this.#event(digit, false);
      this.#event(digit, true);
      await this.pass(20);
    }
  }

  /** The caller says something: one packet. */
  say(packet: Uint8Array): void {
    this.#receive(packet, OPUS_TYPE);
  }

  async hangUp(): Promise<void> {
    await this.terminate();
  }

  /** What the last audio packets to the caller were; `live` is what was encoded as it was played. */
  heard(packets: number): ("prompt" | "live" | "silence")[] {
    return this.engine.lastLeg.sent
      .filter((packet) => ((packet[1] ?? 0) & 0x7f) === OPUS_TYPE)
      .slice(-packets)
      .map((packet) => packet.subarray(RTP_HEADER_BYTES))
      .map((payload) => {
        if (Buffer.compare(payload, OPUS_SILENCE) === 0) return "silence";
        return Buffer.compare(payload, PROMPT_PACKET) === 0 ? "prompt" : "live";
      });
  }

  #event(digit: string, isEnd: boolean): void {
    const event = DIGITS.indexOf(digit);
    this.#receive(
      Uint8Array.of(event, isEnd ? 0x8a : 0x0a, EVENT_TICKS >> 8, EVENT_TICKS & 0xff),
      EVENT_TYPE,
    );
  }

  #receive(payload: Uint8Array, payloadType: number): void {
    const ticks = Math.round(this.clock.nowMs() * 48);
    this.engine.lastLeg.receive(this.#writer.write(payload, payloadType, ticks, false).slice());
  }
}
