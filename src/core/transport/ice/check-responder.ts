import type { TransportAddress } from "../address.ts";
import { createIntegrityKey, type IntegrityKey } from "../stun/message-integrity.ts";
import type { StunView } from "../stun/stun-view.ts";
import type { StunWriter } from "../stun/stun-writer.ts";
import type { IceCredentials } from "./ice-agent.ts";
import type { IceRole } from "./ice-role.ts";
import type { PeerLink } from "./peer-link.ts";

/** Checks and answers the peer's Binding requests: the server side of RFC 8445 §7.3. */
export class CheckResponder {
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
    this.#key = createIntegrityKey(options.local.pwd);
    // RFC 8445 §7.2.2: the receiver's fragment comes first.
    this.#username = new TextEncoder().encode(`${options.local.ufrag}:${options.remote.ufrag}`);
  }

  /**
   * Answers a request. The order is that of RFC 8489 §9.1.3 (credentials) and §6.3.1 (attributes),
   * then RFC 8445 §7.3.1.1 (role).
   *
   * @returns True when it is a check of the peer's, proved and answered with success.
   */
  answer(request: StunView, from: TransportAddress): boolean {
    // RFC 8445 §7.1.1: PRIORITY is part of every check.
    if (request.usernameOffset < 0 || !request.hasIntegrityAttribute || request.priority < 0) {
      return this.#refuse(request, from, 400);
    }
    if (!request.hasUsername(this.#username) || !request.isAuthentic(this.#key)) {
      return this.#refuse(request, from, 401);
    }
    if (request.unknownTypeCount > 0) return this.#refuse(request, from, 420);
    if (this.#role.resolve(request) === "refuse") return this.#refuse(request, from, 487);
    this.#writer.begin("success", request.transactionId);
    this.#writer.xorMappedAddress(from);
    this.#send(this.#writer.finish(this.#key), request, from);
    return true;
  }

  #refuse(request: StunView, from: TransportAddress, code: 400 | 401 | 420 | 487): false {
    this.#writer.begin("error", request.transactionId);
    this.#writer.errorCode(code);
    if (code === 420) this.#writer.unknownAttributes(request.unknownTypes, request.unknownTypeCount);
    // RFC 8489 §9.1.3: 400 and 401 go out without integrity, for there is no shared secret to trust.
    this.#send(this.#writer.finish(code === 420 || code === 487 ? this.#key : null), request, from);
    return false;
  }

  /** One answer to a request, and never a larger one: nobody can be flooded through us by a forged address. */
  #send(answer: Uint8Array, request: StunView, to: TransportAddress): void {
    if (answer.length <= request.bytes.length) this.#link.sendStun(answer, to);
  }
}
