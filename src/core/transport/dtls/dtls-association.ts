import { RingbackError } from "../../../errors.ts";
import type { SrtpProfile } from "../srtp/srtp-profile.ts";
import { AlertDescription, AlertLevel, encodeAlert, parseAlert } from "./alert.ts";
import { ClientHandshake } from "./client-handshake.ts";
import type { DtlsEndReason, DtlsOptions, DtlsResult, DtlsRole, DtlsSink, DtlsStats } from "./dtls-types.ts";
import { EarlyRecords } from "./early-records.ts";
import type { Flight } from "./flight.ts";
import { FlightSender } from "./flight-sender.ts";
import type { Handshake, HandshakeFailure, HandshakeStep } from "./handshake.ts";
import {
  HANDSHAKE_HEADER_BYTES,
  type HandshakeFragment,
  type HandshakeMessage,
  HandshakeType,
  readFragment,
} from "./handshake-message.ts";
import { HelloCookie } from "./hello-cookie.ts";
import { Reassembler } from "./reassembler.ts";
import {
  ContentType,
  type DtlsRecord,
  MAX_PLAINTEXT_BYTES,
  RECORD_HEADER_BYTES,
  readRecord,
} from "./record.ts";
import { isPlausible, RecordLayer, recordOverheadBytes } from "./record-layer.ts";
import { ServerHandshake } from "./server-handshake.ts";

export type { DtlsEndReason, DtlsOptions, DtlsResult, DtlsRole, DtlsSink, DtlsStats } from "./dtls-types.ts";

const DEFAULT_SRTP_PROFILES: readonly SrtpProfile[] = [
  "SRTP_AEAD_AES_128_GCM",
  "SRTP_AES128_CM_HMAC_SHA1_80",
];
const DEFAULT_MTU_BYTES = 1200;
/** Room for the headers and a part of a message worth its headers. */
const MIN_MTU_BYTES = 128;
/** What one record may hold, RFC 5246 §6.2.1. */
const MAX_MTU_BYTES = MAX_PLAINTEXT_BYTES;
/** Without a new message of the peer's for so long, the handshake is given up. */
const NO_PROGRESS_MS = 30_000;
/** A peer's first message has number 0, and one more for each HelloVerifyRequest. */
const MAX_OPENING_SEQUENCE = 16;

/**
 * One call's DTLS 1.2 association (RFC 6347), client or server, sans-IO.
 *
 * Nearly everything before the keys is plaintext that anybody can forge, so what does not parse or does not belong is
 * dropped, and the true message comes again with its flight (RFC 6347 §4.1.2.7). The rest of the handshake's rules are
 * in `Handshake`, order and fragments in `Reassembler`, retransmission in `FlightSender`, protection in `RecordLayer`.
 */
export class DtlsAssociation {
  readonly stats: DtlsStats = { recordsReceived: 0, recordsDropped: 0, flightsRetransmitted: 0 };
  readonly #role: DtlsRole;
  readonly #sink: DtlsSink;
  readonly #mtuBytes: number;
  readonly #records = new RecordLayer();
  readonly #sender: FlightSender;
  #phase: "idle" | "handshaking" | "connected" | "ended" = "idle";
  /** These two until connected. */
  #handshake: Handshake | null;
  #reassembler: Reassembler | null = new Reassembler();
  readonly #earlyRecords = new EarlyRecords();
  #giveUpMs: number = Number.POSITIVE_INFINITY;
  /** `message_seq` of the message that completed the peer's flight that our last one answers. */
  #answeredSequence = -1;

  /** @throws {RingbackError} `OPTION_INVALID` for an `mtuBytes` out of its range. */
  constructor(options: DtlsOptions, sink: DtlsSink) {
    this.#role = options.role;
    this.#sink = sink;
    this.#mtuBytes = checkMtu(options.mtuBytes ?? DEFAULT_MTU_BYTES);
    this.#sender = new FlightSender(this.#records, this.#mtuBytes, (datagram) => sink.sendDtls(datagram));
    this.#handshake = createHandshake(options);
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    return Math.min(this.#giveUpMs, this.#sender.deadlineMs);
  }

  /**
   * The path is there: a client sends its ClientHello, a server waits for one (what it got before is dropped).
   *
   * @param initialTimeoutMs First retransmission timeout, doubled each time up to a second. RFC 6347 §4.2.4.1 has 1000; with a path whose round trip is known less is right.
   */
  start(nowMs: number, initialTimeoutMs: number): void {
    if (this.#phase !== "idle") return;
    this.#phase = "handshaking";
    this.#giveUpMs = nowMs + NO_PROGRESS_MS;
    this.#sender.start(initialTimeoutMs);
    const flight = this.#handshake?.begin() ?? null;
    if (flight !== null) this.#sender.send(flight, nowMs);
  }

  /** Takes a datagram whose first byte says DTLS (RFC 7983). Never throws. */
  receive(datagram: Uint8Array, nowMs: number): void {
    for (let offset = 0; offset < datagram.length; ) {
      const record = readRecord(datagram, offset);
      this.stats.recordsReceived += 1;
      if (record === null) {
        this.stats.recordsDropped += 1;
        return;
      }
      offset += RECORD_HEADER_BYTES + record.payload.length;
      // RFC 6347 §4.1.2.7: an invalid record is dropped, and those after it are not.
      if (!isPlausible(record) || !this.#onRecord(record, nowMs)) this.stats.recordsDropped += 1;
    }
  }

  handleTimeout(nowMs: number): void {
    if (nowMs >= this.#giveUpMs) this.#end("timeout");
    else if (nowMs >= this.#sender.deadlineMs) {
      this.stats.flightsRetransmitted += 1;
      this.#sender.onTimeout(nowMs);
    }
  }

  /** Sends application data; false before the handshake is complete, and for more than one datagram holds. */
  sendData(data: Uint8Array): boolean {
    if (this.#phase !== "connected" || data.length + recordOverheadBytes(1) > this.#mtuBytes) return false;
    return this.#sendRecord(ContentType.applicationData, data);
  }

  /** Sends close_notify when connected. Nothing is sent or reported after it. Idempotent. */
  close(): void {
    const wasConnected = this.#phase === "connected";
    this.#release("ended");
    this.#sender.stop();
    if (wasConnected) this.#sendAlert(AlertLevel.warning, AlertDescription.closeNotify);
  }

  /** False when the record is of no use. */
  #onRecord(record: DtlsRecord, nowMs: number): boolean {
    if (record.epoch === 0) {
      // Once connected there is nothing that plaintext could tell us.
      return this.#phase === "handshaking" && this.#onContent(record, record.payload, nowMs);
    }
    if (this.#phase !== "handshaking" && this.#phase !== "connected") return false;
    if (!this.#records.hasKeys) return this.#earlyRecords.keep(record);
    const plaintext = this.#records.open(record);
    return plaintext !== null && this.#onContent(record, plaintext, nowMs);
  }

  #onContent(record: DtlsRecord, plaintext: Uint8Array, nowMs: number): boolean {
    switch (record.contentType) {
      case ContentType.handshake:
        return this.#onFragments(record, plaintext, nowMs);
      case ContentType.alert:
        return this.#onAlert(plaintext);
      case ContentType.changeCipherSpec:
        // Nothing waits for it: each record's epoch says which keys are its own (RFC 6347 §4.1), and it is the Finished
        // that proves them.
        return plaintext.length === 1 && plaintext[0] === 1;
      case ContentType.applicationData:
        if (record.epoch === 0 || this.#phase !== "connected") return false;
        this.#sink.onDtlsData?.(plaintext);
        return true;
      default:
        return false;
    }
  }

  /** RFC 6347 §4.2.3: a record may hold several messages and fragments. */
  #onFragments(record: DtlsRecord, plaintext: Uint8Array, nowMs: number): boolean {
    let isUseful = false;
    for (let offset = 0; offset < plaintext.length; ) {
      const fragment = readFragment(plaintext, offset);
      if (fragment === null) return isUseful;
      offset += HANDSHAKE_HEADER_BYTES + fragment.body.length;
      if (this.#onFragment(fragment, record, nowMs)) isUseful = true;
    }
    return isUseful;
  }

  #onFragment(fragment: HandshakeFragment, record: DtlsRecord, nowMs: number): boolean {
    const { type, sequence } = fragment;
    if (this.#handshake === null || this.#reassembler === null) return this.#onLateFragment(fragment, nowMs);
    // RFC 5246 §7.4.9: the Finished is the first protected message, and here the last one.
    if ((type === HandshakeType.finished) !== (record.epoch === 1)) return false;
    if (this.#handshake.opensAnywhere(type) && sequence < MAX_OPENING_SEQUENCE) {
      this.#reassembler.startAt(sequence);
      if (this.#role === "server") this.#records.followSequence(record.sequence);
    } else if (this.#repeatsAnswered(fragment)) {
      return this.#sendLastFlightAgain(nowMs);
    }
    if (!this.#reassembler.add(fragment)) return false;
    this.#takeMessages(nowMs);
    return true;
  }

  /** When connected: the peer missed our last flight (RFC 6347 §4.2.4), or wants to renegotiate. */
  #onLateFragment(fragment: HandshakeFragment, nowMs: number): boolean {
    const { type, offset } = fragment;
    if (type === HandshakeType.finished) {
      return this.#repeatsAnswered(fragment) && this.#sendLastFlightAgain(nowMs);
    }
    const renegotiation = this.#role === "client" ? HandshakeType.helloRequest : HandshakeType.clientHello;
    if (type !== renegotiation || offset > 0) return false;
    // RFC 5246 §7.2.2: refused, and the association goes on.
    this.#sendAlert(AlertLevel.warning, AlertDescription.noRenegotiation);
    return true;
  }

  /** The last message of the peer's flight that ours answers, once more: one sign per repeated flight. */
  #repeatsAnswered({ sequence, offset }: HandshakeFragment): boolean {
    return sequence === this.#answeredSequence && offset === 0;
  }

  #sendLastFlightAgain(nowMs: number): boolean {
    const isSent = this.#sender.onPeerRetransmission(nowMs);
    if (isSent) this.stats.flightsRetransmitted += 1;
    return isSent;
  }

  /** Hands on the messages that are whole and next in order. */
  #takeMessages(nowMs: number): void {
    for (;;) {
      const message = this.#reassembler?.peek() ?? null;
      if (message === null || this.#handshake === null) break;
      const step = this.#handshake.handle(message);
      if (this.#handshake.ciphers !== null) this.#records.installKeys(this.#handshake.ciphers);
      if (step.kind === "ignored" || step.kind === "reply") this.#reassembler?.discard();
      else this.#reassembler?.accept();
      this.#carryOut(step, message, nowMs);
    }
    this.#openEarlyRecords(nowMs);
  }

  #carryOut(step: HandshakeStep, message: HandshakeMessage, nowMs: number): void {
    switch (step.kind) {
      case "ignored":
        this.stats.recordsDropped += 1;
        break;
      case "reply":
        this.#sender.sendOnce(step.flight);
        break;
      case "taken":
        this.#giveUpMs = nowMs + NO_PROGRESS_MS;
        break;
      case "flight":
        this.#giveUpMs = nowMs + NO_PROGRESS_MS;
        // A repeated HelloVerifyRequest asks for nothing: its server has no state, and no timer.
        this.#answeredSequence = message.type === HandshakeType.helloVerifyRequest ? -1 : message.sequence;
        this.#sender.send(step.flight, nowMs);
        break;
      case "complete":
        this.#answeredSequence = message.sequence;
        this.#connect(step.result, step.flight, nowMs);
        break;
      case "failed":
        this.#fail(step);
        break;
    }
  }

  #connect(result: DtlsResult, lastFlight: Flight | null, nowMs: number): void {
    this.#release("connected");
    // The server's flight is the last one: it alone may still be asked for.
    if (lastFlight === null) this.#sender.stop();
    else this.#sender.sendFinal(lastFlight, nowMs);
    if (this.#phase === "connected") this.#sink.onDtlsConnected(result);
  }

  #openEarlyRecords(nowMs: number): void {
    if (!this.#records.hasKeys) return;
    for (const record of this.#earlyRecords.takeAll()) {
      if (!this.#onRecord(record, nowMs)) this.stats.recordsDropped += 1;
    }
  }

  /**
   * RFC 6347 §4.1.2.7 warns of alerts in plaintext, as anybody can forge them. They end a handshake all the same: it is
   * the only way in which a peer can say that it gave up, and who can forge them can spoil the handshake anyway.
   */
  #onAlert(payload: Uint8Array): boolean {
    const alert = parseAlert(payload);
    if (alert === null) return false;
    if (alert.description === AlertDescription.closeNotify) {
      // RFC 5246 §7.2.1: answered in kind.
      if (this.#phase === "connected") this.#sendAlert(AlertLevel.warning, AlertDescription.closeNotify);
      this.#end("peer-closed");
    } else if (alert.isFatal) this.#end("peer-alert");
    return true;
  }

  #sendAlert(level: AlertLevel, description: AlertDescription): void {
    this.#sendRecord(ContentType.alert, encodeAlert(level, description));
  }

  /** With the keys that our last record had. */
  #sendRecord(contentType: number, plaintext: Uint8Array): boolean {
    const record = this.#records.seal(this.#records.writeEpoch, contentType, plaintext);
    if (record === null) return false;
    this.#sink.sendDtls(record);
    return true;
  }

  #fail({ alert, reason }: HandshakeFailure): void {
    this.#sendAlert(AlertLevel.fatal, alert);
    this.#end(reason);
  }

  #end(reason: DtlsEndReason): void {
    if (this.#phase === "ended") return;
    this.#release("ended");
    this.#sender.stop();
    this.#sink.onDtlsEnd(reason);
  }

  /** Lets go of what the handshake needed. */
  #release(phase: "connected" | "ended"): void {
    this.#phase = phase;
    this.#handshake = null;
    this.#reassembler = null;
    this.#earlyRecords.takeAll();
    this.#giveUpMs = Number.POSITIVE_INFINITY;
  }
}

function createHandshake(options: DtlsOptions): Handshake {
  const { role, certificate, remoteFingerprints, random } = options;
  const srtpProfiles = options.srtpProfiles ?? DEFAULT_SRTP_PROFILES;
  const parameters = { certificate, remoteFingerprints, srtpProfiles, random };
  if (role === "client") return new ClientHandshake(parameters);
  return new ServerHandshake(parameters, options.requiresCookie === true ? new HelloCookie(random) : null);
}

function checkMtu(mtuBytes: number): number {
  if (Number.isInteger(mtuBytes) && mtuBytes >= MIN_MTU_BYTES && mtuBytes <= MAX_MTU_BYTES) return mtuBytes;
  const right = `an integer from ${MIN_MTU_BYTES} to ${MAX_MTU_BYTES}`;
  throw new RingbackError("OPTION_INVALID", `mtuBytes must be ${right}, got ${mtuBytes}.`, {
    details: { option: "mtuBytes" },
  });
}
