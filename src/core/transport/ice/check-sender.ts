import { ipVersion } from "../../sdp/ip-version.ts";
import { createIntegrityKey, type IntegrityKey } from "../stun/message-integrity.ts";
import type { StunView } from "../stun/stun-view.ts";
import type { StunWriter } from "../stun/stun-writer.ts";
import { localPriority } from "./candidate-pair.ts";
import type { CheckTransaction } from "./check-transactions.ts";
import type { IceCredentials } from "./ice-agent.ts";
import type { IceRole } from "./ice-role.ts";
import type { PeerLink } from "./peer-link.ts";

/** Writes our own checks (RFC 8445 §7.1, §7.2.2) and knows the peer's answers by its password. */
export class CheckSender {
  readonly #link: PeerLink;
  readonly #role: IceRole;
  readonly #writer: StunWriter;
  readonly #key: IntegrityKey;
  readonly #username: Uint8Array;

  constructor(
    options: { readonly local: IceCredentials; readonly remote: IceCredentials; readonly role: IceRole },
    writer: StunWriter,
    link: PeerLink,
  ) {
    this.#link = link;
    this.#role = options.role;
    this.#writer = writer;
    this.#key = createIntegrityKey(options.remote.pwd);
    this.#username = new TextEncoder().encode(`${options.remote.ufrag}:${options.local.ufrag}`);
  }

  /** Sends a transaction's request, the first time or again. */
  send(transaction: CheckTransaction): void {
    const to = transaction.pair.remote;
    const writer = this.#writer;
    writer.begin("request", transaction.id);
    writer.username(this.#username);
    // RFC 8445 §7.1.1: the priority that we would have as a peer-reflexive candidate.
    writer.priority(localPriority("prflx", ipVersion(to.address) ?? 4));
    writer.role(transaction.isControlling, this.#role.tieBreakerHigh, this.#role.tieBreakerLow);
    if (transaction.isNominating) writer.useCandidate();
    this.#link.stats.checksSent += 1;
    this.#link.sendStun(writer.finish(this.#key), to);
  }

  /** RFC 8489 §9.1.4: an answer without the right MESSAGE-INTEGRITY is as good as none. */
  isAuthentic(response: StunView): boolean {
    return response.isAuthentic(this.#key);
  }
}
