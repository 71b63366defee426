import {
  buildMessage,
  HANDSHAKE_HEADER_BYTES,
  type HandshakeFragment,
  type HandshakeMessage,
} from "./handshake-message.ts";

/** A flight has six messages at most: those of one flight fit, in whatever order they come. */
const MAX_MESSAGES_AHEAD = 8;
const MAX_MESSAGE_BYTES = 1 << 15;
/** Of all the peer's messages of a handshake, those already taken included. */
const MAX_HANDSHAKE_BYTES = 1 << 16;

/** A message of which fragments are here. */
interface PartialMessage extends HandshakeMessage {
  /** One entry per byte of the body: 1 where it has come. */
  readonly received: Uint8Array;
  missingBytes: number;
}

/**
 * Puts the peer's handshake messages together and in order, from fragments in any order, overlapping and repeated
 * (RFC 6347 §4.2.3).
 *
 * Most of them come in plaintext and anybody can forge them, so nothing here is final before the handshake took the
 * message: of two that contradict each other the later one stays, as the true one will be sent again, and a message
 * that makes no sense is forgotten.
 */
export class Reassembler {
  readonly #partials = new Map<number, PartialMessage>();
  #next = 0;
  #heldBytes = 0;

  /** Expects the message with this number next. */
  startAt(sequence: number): void {
    this.#next = sequence;
    for (const held of [...this.#partials.keys()]) {
      if (!this.#isInWindow(held)) this.#forget(held);
    }
  }

  /** False when the fragment is of no use: of a message already taken or too far ahead, or beyond a limit. */
  add(fragment: HandshakeFragment): boolean {
    const { sequence, offset, body, messageLength } = fragment;
    if (!this.#isInWindow(sequence) || messageLength > MAX_MESSAGE_BYTES) return false;
    if (body.length === 0 && messageLength > 0) return false;
    const partial = this.#partialFor(fragment);
    if (partial === null) return false;
    for (let i = 0; i < body.length; i++) {
      partial.body[offset + i] = body[i] ?? 0;
      if (partial.received[offset + i] === 1) continue;
      partial.received[offset + i] = 1;
      partial.missingBytes -= 1;
    }
    return true;
  }

  /** The next message in order, when it is whole. */
  peek(): HandshakeMessage | null {
    const partial = this.#partials.get(this.#next);
    return partial !== undefined && partial.missingBytes === 0 ? partial : null;
  }

  /** The message of `peek` was taken: the one after it is next. */
  accept(): void {
    this.#partials.delete(this.#next); // Its bytes count on: they lie in the transcript.
    this.#next += 1;
  }

  /** The message of `peek` is as if it had never come: another one may take its place. */
  discard(): void {
    this.#forget(this.#next);
  }

  #isInWindow(sequence: number): boolean {
    return sequence >= this.#next && sequence < this.#next + MAX_MESSAGES_AHEAD;
  }

  #partialFor({ type, sequence, messageLength }: HandshakeFragment): PartialMessage | null {
    const held = this.#partials.get(sequence);
    if (held !== undefined && held.type === type && held.body.length === messageLength) return held;
    this.#forget(sequence);
    if (!this.#makeRoom(sequence, messageLength)) return null;
    const raw = buildMessage(type, sequence, new Uint8Array(messageLength));
    const body = raw.subarray(HANDSHAKE_HEADER_BYTES);
    const received = new Uint8Array(messageLength);
    const partial = { type, sequence, raw, body, received, missingBytes: messageLength };
    this.#partials.set(sequence, partial);
    this.#heldBytes += messageLength;
    return partial;
  }

  /** Lets messages go that come after this one, so that forged ones cannot keep it out. */
  #makeRoom(sequence: number, messageLength: number): boolean {
    for (let last = this.#next + MAX_MESSAGES_AHEAD - 1; last > sequence; last--) {
      if (this.#heldBytes + messageLength <= MAX_HANDSHAKE_BYTES) return true;
      this.#forget(last);
    }
    return this.#heldBytes + messageLength <= MAX_HANDSHAKE_BYTES;
  }

  #forget(sequence: number): void {
    const held = this.#partials.get(sequence);
    if (held === undefined) return;
    this.#partials.delete(sequence);
    this.#heldBytes -= held.body.length;
  }
}
