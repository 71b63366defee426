import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPromptCache, type EncodedPrompt } from "../../src/media/index.ts";
import { PEER_TONE, writeToneFile } from "./tone.ts";

const SLOT_MS = 20;
const SLOT_TICKS = 960;
const OPUS = 111;
export const TELEPHONE_EVENT = 126;
/** RFC 4733 §2.5.1.2: in ticks of 8 kHz, as telephone-event/8000 has it. */
const EVENT_SLOT_TICKS = 160;
const EVENT_SLOTS = 6;
/** §2.5.1.4. */
const EVENT_ENDS = 3;
const GAP_SLOTS = 4;
const DIGITS = "0123456789*#ABCD";

/** For peers that take RTP packets: says the tone, one packet every 20 ms, and keys in between. */
export class PacketVoice {
  readonly #prompt: EncodedPrompt;
  readonly #ssrc: number;
  readonly #send: (packet: Buffer) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: (() => void)[] = [];
  #startedAtMs = 0;
  #slot = 0;
  #sequence = 1_000;

  private constructor(prompt: EncodedPrompt, ssrc: number, send: (packet: Buffer) => void) {
    this.#prompt = prompt;
    this.#ssrc = ssrc;
    this.#send = send;
    this.#startedAtMs = performance.now();
    this.#timer = setInterval(() => this.#catchUp(), SLOT_MS / 4);
  }

  static async start(ssrc: number, send: (packet: Buffer) => void): Promise<PacketVoice> {
    const folder = mkdtempSync(join(tmpdir(), "ringback-"));
    try {
      const prompt = await createPromptCache().load(writeToneFile(join(folder, "tone.wav"), PEER_TONE));
      return new PacketVoice(prompt, ssrc, send);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  press(digits: string): Promise<void> {
    for (const digit of digits) this.#queueDigit(DIGITS.indexOf(digit));
    return Promise.resolve();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #catchUp(): void {
    const due = Math.floor((performance.now() - this.#startedAtMs) / SLOT_MS);
    while (this.#slot < due) {
      this.#slot += 1;
      const event = this.#waiting.shift();
      if (event !== undefined) event();
      else
        this.#sendRtp(OPUS, this.#slot * SLOT_TICKS, this.#prompt.packet(this.#slot % 50) ?? Buffer.alloc(1));
    }
  }

  #queueDigit(event: number): void {
    let timestamp = 0;
    for (let slot = 1; slot < EVENT_SLOTS + EVENT_ENDS; slot += 1) {
      const ticks = Math.min(slot, EVENT_SLOTS) * EVENT_SLOT_TICKS;
      const isEnd = slot >= EVENT_SLOTS;
      this.#waiting.push(() => {
        if (slot === 1) timestamp = this.#slot * SLOT_TICKS;
        const payload = Buffer.from([event, isEnd ? 0x8a : 0x0a, ticks >> 8, ticks & 0xff]);
        this.#sendRtp(TELEPHONE_EVENT, timestamp, payload, slot === 1);
      });
    }
    for (let slot = 0; slot < GAP_SLOTS; slot += 1) {
      this.#waiting.push(() => this.#sendRtp(OPUS, this.#slot * SLOT_TICKS, Buffer.from([0xf8, 0xff, 0xfe])));
    }
  }

  #sendRtp(payloadType: number, timestamp: number, payload: Uint8Array, hasMarker = false): void {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = (hasMarker ? 0x80 : 0) | payloadType;
    header.writeUInt16BE(this.#sequence & 0xffff, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    this.#sequence += 1;
    this.#send(Buffer.concat([header, payload]));
  }
}
