import type { Random } from "../../random.ts";
import type { IceCandidate } from "../../sdp/model.ts";
import type { TransportAddress } from "../address.ts";
import { StunView } from "../stun/stun-view.ts";
import { StunWriter } from "../stun/stun-writer.ts";
import { CheckResponder } from "./check-responder.ts";
import { CheckSender } from "./check-sender.ts";
import { FullAgent } from "./full-agent.ts";
import { IceRole } from "./ice-role.ts";
import { LiteAgent } from "./lite-agent.ts";
import { PeerLink } from "./peer-link.ts";
import { usableCandidates } from "./remote-candidates.ts";

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** What the peer's SDP says. */
export interface RemoteIce extends IceCredentials {
  readonly isLite: boolean;
  readonly candidates: readonly IceCandidate[];
}

export interface IceAgentOptions {
  readonly local: IceCredentials;
  readonly remote: RemoteIce;
  /** We are ICE-lite (RFC 8445 §2.5): we answer checks and send none. */
  readonly isLite: boolean;
  /**
   * Our role at the start; a conflict may turn it (RFC 8445 §7.3.1.1).
   * Not asked when one side alone is lite: the other one controls (§6.1.1).
   */
  readonly isControlling: boolean;
  /** IP versions that we have a socket for. */
  readonly ipVersions: readonly (4 | 6)[];
  readonly random: Random;
}

/** Where an agent puts what it makes. Called during its own methods only. */
export interface IceSink {
  /** Send this STUN message. The bytes are valid only during the call. */
  sendStun(message: Uint8Array, to: TransportAddress): void;
  /** Media goes here from now on: the first valid pair, then the nominated one, later a better one or the peer's new address. */
  onSelected(to: TransportAddress): void;
  /** An authenticated message has proved that this address is the peer's; for the demultiplexer. Once per address. */
  onPeerAddress(at: TransportAddress): void;
  /** Of more than 16 addresses, the oldest is forgotten; for the demultiplexer. The selected one is always kept. */
  onPeerAddressForgotten?(at: TransportAddress): void;
  /** Nothing more comes of it. The agent is then closed. */
  onEnd(reason: IceEndReason): void;
}

/** `no-pair`: no check was ever answered. `consent-expired`: RFC 7675, no answer for 30 s. */
export type IceEndReason = "no-pair" | "consent-expired";

export interface IceStats {
  checksSent: number;
  checksReceived: number;
  responsesReceived: number;
  /** Messages dropped: no STUN, wrong integrity, unknown transaction, not ours … */
  dropped: number;
}

/**
 * One call's ICE agent (RFC 8445), sans-IO: one component, one socket per IP version, regular nomination.
 *
 * Checks are sent to the peer's candidates and to every address that an authenticated check comes from. What is in
 * and what is not: docs/transport.md.
 */
export class IceAgent {
  readonly #link: PeerLink;
  readonly #view = new StunView();
  readonly #responder: CheckResponder;
  readonly #mode: FullAgent | LiteAgent;
  #isStarted = false;

  constructor(options: IceAgentOptions, sink: IceSink) {
    const { local, remote, random } = options;
    const isOneLite = options.isLite !== remote.isLite;
    const isControlling = isOneLite ? remote.isLite : options.isControlling;
    const role = new IceRole(isControlling, options.isLite || remote.isLite, random);
    const writer = new StunWriter();
    this.#link = new PeerLink(sink);
    this.#responder = new CheckResponder({ local, remote, role }, writer, this.#link);
    const candidates = usableCandidates(remote.candidates, options.ipVersions);
    this.#mode = options.isLite
      ? new LiteAgent(this.#link)
      : new FullAgent(
          { role, isPeerLite: remote.isLite, candidates, random },
          new CheckSender({ local, remote, role }, writer, this.#link),
          this.#link,
        );
  }

  get stats(): IceStats {
    return this.#link.stats;
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    return this.#link.isClosed ? Number.POSITIVE_INFINITY : this.#mode.deadlineMs;
  }

  /** Where media goes; null before the first valid pair. */
  get selected(): TransportAddress | null {
    return this.#link.selected;
  }

  /** Latest round trip of a check, null before the first one and in the lite role, which sends none. */
  get rttMs(): number | null {
    return this.#mode.rttMs;
  }

  /** Sends the first check at once. Before it, everything received is dropped and nothing is sent. Idempotent. */
  start(nowMs: number): void {
    if (this.#isStarted || this.#link.isClosed) return;
    this.#isStarted = true;
    this.#mode.start(nowMs);
  }

  /** Takes a datagram whose first byte says STUN (RFC 7983). Never throws. */
  receive(datagram: Uint8Array, from: TransportAddress, nowMs: number): void {
    const isTaken = this.#isStarted && !this.#link.isClosed && this.#take(datagram, from, nowMs);
    if (!isTaken) this.#link.stats.dropped += 1;
  }

  handleTimeout(nowMs: number): void {
    if (this.#isStarted && !this.#link.isClosed) this.#mode.handleTimeout(nowMs);
  }

  /** The system has refused to send there. */
  onSendFailed(to: TransportAddress, nowMs: number): void {
    if (this.#isStarted && !this.#link.isClosed) this.#mode.onSendFailed(to, nowMs);
  }

  /** True when an authenticated message has proved the address; DTLS and SRTP from any other one is dropped. On the packet path. */
  isPeerAddress(from: TransportAddress): boolean {
    return this.#link.isPeer(from);
  }

  /** Nothing is sent or reported after it. Idempotent. */
  close(): void {
    this.#link.close();
  }

  #take(datagram: Uint8Array, from: TransportAddress, nowMs: number): boolean {
    const message = this.#view;
    // RFC 8489 §7: where FINGERPRINT is in use, a message without one is no message.
    if (message.read(datagram) !== null || !message.hasFingerprint) return false;
    // RFC 8445 §11: Binding indications are keepalives, and ask for nothing.
    if (message.messageClass === "indication") return true;
    if (message.messageClass !== "request") return this.#mode.onResponse(message, from, nowMs);
    if (!this.#responder.answer(message, from)) return false;
    this.#link.stats.checksReceived += 1;
    this.#link.prove(from);
    this.#mode.onCheck(message, from, nowMs);
    return true;
  }
}
