import { createHash } from "node:crypto";
import {
  DtlsClient,
  DtlsServer,
  keyLength,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  type RtpHeader,
  SrtcpSession,
  SrtpSession,
  saltLength,
} from "werift";
import type { Fingerprint } from "../../core/sdp/model.ts";
import { CERTIFICATE_SIGNATURE, type PhoneCertificate } from "./certificate.ts";

/** Names of the IANA registry "DTLS-SRTP Protection Profiles". */
export type SrtpProfileName = "AES128_CM_HMAC_SHA1_80" | "AEAD_AES_128_GCM";

const PROFILE = {
  AES128_CM_HMAC_SHA1_80: ProtectionProfileAes128CmHmacSha1_80,
  AEAD_AES_128_GCM: ProtectionProfileAeadAes128Gcm,
} as const;

/** DTLS datagrams that one call may send us. A handshake has about ten, with every retransmission fifty. */
const MAX_DTLS_DATAGRAMS = 500;
const CONTENT_TYPE = { changeCipherSpec: 20, handshake: 22 } as const;
const CLIENT_HELLO = 1;
/** Above every flight of a handshake: a werift flight that sees it stops its retransmissions. */
const PAST_ALL_FLIGHTS = 99;

export type SecureState = "idle" | "connecting" | "connected" | "failed" | "closed";

export interface SecureTransportOptions {
  readonly certificate: PhoneCertificate;
  readonly role: "client" | "server";
  /** The fingerprints of the business's SDP; one sha-256 must match the certificate that it shows. */
  readonly fingerprints: readonly Fingerprint[];
  /** In order of preference. Default: AES128_CM_HMAC_SHA1_80 before AEAD_AES_128_GCM. */
  readonly srtpProfiles?: readonly SrtpProfileName[];
  /** Sends one datagram to the business. */
  readonly send: (datagram: Uint8Array) => void;
  readonly onConnected: () => void;
}

/** DTLS and, once that is up, SRTP and SRTCP: werift's, for the gateway must not meet its own code here. */
export class SecureTransport {
  readonly #options: SecureTransportOptions;
  readonly #socket: DtlsServer | DtlsClient;
  readonly #carrier: Carrier;
  #state: SecureState = "idle";
  #datagramsLeft: number = MAX_DTLS_DATAGRAMS;
  #srtp: SrtpSession | null = null;
  #srtcp: SrtcpSession | null = null;

  constructor(options: SecureTransportOptions) {
    this.#options = options;
    this.#carrier = new Carrier((datagram) => {
      this.#sendDtls(datagram);
    });
    const profiles = options.srtpProfiles ?? (["AES128_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const);
    const settings = {
      cert: options.certificate.certPem,
      key: options.certificate.keyPem,
      signatureHash: CERTIFICATE_SIGNATURE,
      transport: this.#carrier,
      srtpProfiles: profiles.map((name) => PROFILE[name]),
      extendedMasterSecret: true,
      certificateRequest: true,
    };
    this.#socket = options.role === "server" ? new DtlsServer(settings) : new DtlsClient(settings);
    this.#socket.onConnect.subscribe(() => {
      this.#connect();
    });
    this.#socket.onError.subscribe(() => {
      this.#fail();
    });
  }

  get state(): SecureState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** Null before the handshake has chosen one. */
  get srtpProfile(): SrtpProfileName | null {
    if (this.#srtp === null) return null;
    return this.#srtp.config.profile === PROFILE.AEAD_AES_128_GCM
      ? "AEAD_AES_128_GCM"
      : "AES128_CM_HMAC_SHA1_80";
  }

  /** The path is there: a client says hello, a server waits for one. Idempotent. */
  start(): void {
    if (this.#state !== "idle") return;
    this.#state = "connecting";
    if (!(this.#socket instanceof DtlsClient)) return;
    this.#socket.connect().catch(() => {
      this.#fail();
    });
  }

  /** Takes a DTLS datagram; false when it was dropped. */
  receiveDtls(datagram: Buffer): boolean {
    if (this.#state === "failed" || this.#state === "closed" || this.#datagramsLeft === 0) return false;
    // A hello on a live association would make werift forget its keys; RFC 6347 §4.2.8 allows dropping it.
    if (this.isConnected && isClientHello(datagram)) return false;
    this.#datagramsLeft -= 1;
    try {
      this.#carrier.onData(datagram);
      return true;
    } catch {
      // werift reads record headers without a check of their length.
      return false;
    }
  }

  /** RTP (header and payload) of an SRTP datagram; null when it is not authentic. */
  unprotectRtp(datagram: Buffer): Buffer | null {
    try {
      return this.#srtp?.decrypt(datagram) ?? null;
    } catch {
      return null;
    }
  }

  unprotectRtcp(datagram: Buffer): Buffer | null {
    try {
      return this.#srtcp?.decrypt(datagram) ?? null;
    } catch {
      return null;
    }
  }

  /** False when there are no keys yet. */
  sendRtp(header: RtpHeader, payload: Buffer): boolean {
    if (this.#srtp === null || this.#state !== "connected") return false;
    this.#options.send(this.#srtp.encrypt(payload, header));
    return true;
  }

  sendRtcp(packet: Buffer): boolean {
    if (this.#srtcp === null || this.#state !== "connected") return false;
    this.#options.send(this.#srtcp.encrypt(packet));
    return true;
  }

  /** Idempotent. A handshake that is under way stops at its next retransmission. */
  close(): void {
    if (this.#state !== "failed") this.#state = "closed";
    this.#socket.dtls.flight = PAST_ALL_FLIGHTS;
    this.#socket.onConnect.allUnsubscribe();
    this.#socket.onError.allUnsubscribe();
  }

  #sendDtls(datagram: Uint8Array): void {
    if (this.#state === "failed" || this.#state === "closed") return;
    // Nothing that follows the peer's certificate may leave before that certificate is the one of the SDP.
    // werift would say Finished first and leave the check to its user.
    const peerHasSpoken = this.#socket.remoteCertificate !== undefined;
    const isLastFlight = datagram[0] === CONTENT_TYPE.changeCipherSpec;
    if ((peerHasSpoken || isLastFlight) && !this.#hasExpectedCertificate()) {
      this.#options.send(BAD_CERTIFICATE_ALERT);
      this.#fail();
      return;
    }
    this.#options.send(datagram);
  }

  #hasExpectedCertificate(): boolean {
    const certificate = this.#socket.remoteCertificate;
    if (certificate === undefined) return false;
    const digest = createHash("sha256").update(certificate).digest("hex");
    return this.#options.fingerprints.some(
      ({ algorithm, value }) =>
        algorithm.toLowerCase() === "sha-256" && value.replaceAll(":", "").toLowerCase() === digest,
    );
  }

  #connect(): void {
    if (this.#state !== "connecting" && this.#state !== "idle") return;
    const profile = this.#socket.srtp.srtpProfile;
    if (profile === undefined || !this.#hasExpectedCertificate()) {
      this.#fail();
      return;
    }
    const keys = this.#socket.extractSessionKeys(keyLength(profile), saltLength(profile));
    const config = {
      profile,
      keys: {
        localMasterKey: keys.localKey,
        localMasterSalt: keys.localSalt,
        remoteMasterKey: keys.remoteKey,
        remoteMasterSalt: keys.remoteSalt,
      },
    };
    this.#srtp = new SrtpSession(config);
    this.#srtcp = new SrtcpSession(config);
    this.#state = "connected";
    this.#options.onConnected();
  }

  #fail(): void {
    if (this.#state === "closed" || this.#state === "connected") return;
    this.#state = "failed";
    this.#socket.dtls.flight = PAST_ALL_FLIGHTS;
  }
}

/** RFC 6347 §4.1: content type, version, epoch (2), sequence number (6), length (2), then the handshake type. */
function isClientHello(datagram: Uint8Array): boolean {
  const isPlain = datagram[3] === 0 && datagram[4] === 0;
  return datagram[0] === CONTENT_TYPE.handshake && isPlain && datagram[13] === CLIENT_HELLO;
}

/**
 * RFC 5246 §7.2: level fatal (2), bad_certificate (42), in a plain record. Its sequence number is above all of
 * the handshake's, so that nobody takes it for a repeated record.
 */
const BAD_CERTIFICATE_ALERT = Buffer.from([21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 2, 2, 42]);

/** The socket as werift sees it. */
class Carrier {
  readonly type = "ringback";
  readonly address = { address: "", family: "", port: 0 };
  readonly closed = false;
  onData: (data: Buffer) => void = () => {};
  readonly #send: (datagram: Uint8Array) => void;

  constructor(send: (datagram: Uint8Array) => void) {
    this.#send = send;
  }

  /** Never rejects: werift leaves some of these promises alone. */
  readonly send = async (datagram: Buffer): Promise<void> => {
    this.#send(datagram);
  };

  close(): Promise<void> {
    return Promise.resolve();
  }
}
