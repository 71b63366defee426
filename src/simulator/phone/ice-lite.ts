import {
  buildStunMessage,
  errorCode,
  hasValidIntegrity,
  parseStunMessage,
  type StunAddress,
  type StunMessage,
  unknownAttributes,
  xorMappedAddress,
} from "./stun.ts";

/** Addresses that passed a check; a business behind one NAT has one or two. The oldest one goes. */
const MAX_VALID_ADDRESSES = 16;

/**
 * What came of a datagram. `reply` is to be sent back to where it came from.
 * `ignored`: a check before the answer is known, or an indication. `rejected`: no Binding request at all.
 */
export type IceVerdict =
  | { readonly type: "success"; readonly reply: Uint8Array; readonly nominated: boolean }
  | { readonly type: "refused"; readonly reply: Uint8Array; readonly code: 400 | 401 | 420 | 487 }
  | { readonly type: "ignored" }
  | { readonly type: "rejected" };

/**
 * The relay's side of ICE: RFC 8445 §2.4, lite. It answers checks, is always controlled, and never sends one.
 * Sans-IO: datagrams in, verdicts out.
 */
export class IceLiteAgent {
  readonly #ufrag: string;
  readonly #pwd: string;
  #remoteUfrag: string | null = null;
  #selected: StunAddress | null = null;
  /** Oldest first. */
  readonly #valid: StunAddress[] = [];

  constructor(credentials: { readonly ufrag: string; readonly pwd: string }) {
    this.#ufrag = credentials.ufrag;
    this.#pwd = credentials.pwd;
  }

  /** Where to send to: the latest nominated address, the first valid one before any is; null before both. */
  get selected(): StunAddress | null {
    return this.#selected ?? this.#valid[0] ?? null;
  }

  get isNominated(): boolean {
    return this.#selected !== null;
  }

  setRemoteUfrag(ufrag: string): void {
    this.#remoteUfrag = ufrag;
  }

  /** RFC 8445 §12.2: media is welcome from every address that passed a check. */
  isValid(address: string, port: number): boolean {
    const selected = this.#selected;
    if (selected !== null && selected.port === port && selected.address === address) return true;
    for (const valid of this.#valid) if (valid.port === port && valid.address === address) return true;
    return false;
  }

  receive(datagram: Uint8Array, from: StunAddress): IceVerdict {
    const message = parseStunMessage(datagram);
    if (message === null || message.messageClass === "success" || message.messageClass === "error") {
      return { type: "rejected" };
    }
    // Whoever has not seen the business's SDP cannot know its ufrag; WhatsApp stays silent until then.
    if (message.messageClass === "indication" || this.#remoteUfrag === null) return { type: "ignored" };
    return this.#answer(message, from);
  }

  /** The order of RFC 8489 §9.1.3 (credentials), §6.3.1 (attributes), RFC 8445 §7.3.1.1 (role). */
  #answer(request: StunMessage, from: StunAddress): IceVerdict {
    if (request.username === null || request.integrityOffset === null || !request.hasFingerprint) {
      return this.#refuse(request, 400);
    }
    if (
      request.username !== `${this.#ufrag}:${this.#remoteUfrag}` ||
      !hasValidIntegrity(request, this.#pwd)
    ) {
      return this.#refuse(request, 401);
    }
    if (request.unknownRequired.length > 0) return this.#refuse(request, 420);
    if (request.role === "controlled") return this.#refuse(request, 487);
    this.#learn(from, request.useCandidate);
    const mapped = xorMappedAddress(from, request.transactionId);
    return {
      type: "success",
      reply: buildStunMessage("success", request.transactionId, [mapped], this.#pwd),
      nominated: request.useCandidate,
    };
  }

  #refuse(request: StunMessage, code: 400 | 401 | 420 | 487): IceVerdict {
    const attributes = [errorCode(code, REASONS[code])];
    if (code === 420) attributes.push(unknownAttributes(request.unknownRequired));
    // RFC 8489 §9.1.3: 400 and 401 go out without integrity, for there is no shared secret to trust.
    const password = code === 420 || code === 487 ? this.#pwd : null;
    return {
      type: "refused",
      reply: buildStunMessage("error", request.transactionId, attributes, password),
      code,
    };
  }

  #learn(from: StunAddress, isNominated: boolean): void {
    if (!this.isValid(from.address, from.port)) {
      if (this.#valid.length === MAX_VALID_ADDRESSES) this.#valid.shift();
      this.#valid.push(from);
    }
    if (isNominated) this.#selected = from;
  }
}

const REASONS = {
  400: "Bad Request",
  401: "Unauthorized",
  420: "Unknown Attribute",
  487: "Role Conflict",
} as const;
