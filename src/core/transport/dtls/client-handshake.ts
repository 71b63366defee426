import type { KeyObject } from "node:crypto";
import { SRTP_PROFILE_IDS } from "../srtp/srtp-profile.ts";
import { AlertDescription } from "./alert.ts";
import { CIPHER_SUITES } from "./cipher-suites.ts";
import { checkServerHello } from "./client-negotiation.ts";
import { type Flight, FlightBuilder } from "./flight.ts";
import {
  authenticatePeer,
  failure,
  type Handshake,
  type HandshakeOptions,
  type HandshakeStep,
  handshakeResult,
  IGNORED,
  isFinishedRight,
  type Negotiated,
  outOfPlace,
  scheduleKeys,
  TAKEN,
} from "./handshake.ts";
import { type HandshakeMessage, HandshakeType } from "./handshake-message.ts";
import {
  type ClientHello,
  encodeClientHello,
  parseHelloVerifyRequest,
  parseServerHello,
  RANDOM_BYTES,
} from "./hello-messages.ts";
import { EphemeralKey, NAMED_GROUP_IDS, type NamedGroup, namedGroup } from "./key-exchange.ts";
import {
  encodeCertificate,
  encodeCertificateVerify,
  encodeClientKeyExchange,
  parseCertificateRequest,
  parseServerKeyExchange,
} from "./key-messages.ts";
import type { KeySchedule } from "./key-schedule.ts";
import type { RecordCiphers } from "./record-layer.ts";
import { OWN_SIGNATURE_SCHEME, SIGNATURE_SCHEMES, signEcdsaSha256, verifySignature } from "./signature.ts";
import { Transcript } from "./transcript.ts";

/** Each costs a ClientHello: servers change their cookie seldom, an attacker may forge requests without end. */
const MAX_HELLO_VERIFY_REQUESTS = 8;
const EMPTY = new Uint8Array(0);

interface WithPeerKey {
  readonly negotiated: Negotiated;
  readonly peerKey: KeyObject;
}

interface WithServerKey {
  readonly negotiated: Negotiated;
  readonly group: NamedGroup;
  readonly serverPublicKey: Uint8Array;
  /** Signature schemes of the CertificateRequest; null without one. */
  readonly requestedSchemes: readonly number[] | null;
}

/** Named after the message that is awaited, RFC 5246 §7.3. */
type ClientState =
  | { readonly awaits: "server-hello" }
  | { readonly awaits: "certificate"; readonly negotiated: Negotiated }
  | ({ readonly awaits: "server-key-exchange" } & WithPeerKey)
  | ({ readonly awaits: "server-hello-done" } & WithServerKey)
  | { readonly awaits: "finished"; readonly negotiated: Negotiated; readonly keys: KeySchedule };

/** The client's side of a full handshake (RFC 5246 §7.3, RFC 6347 §4.2). */
export class ClientHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #transcript = new Transcript();
  readonly #builder = new FlightBuilder(this.#transcript);
  #hello: ClientHello;
  #state: ClientState = { awaits: "server-hello" };
  #helloVerifyRequests = 0;
  ciphers: RecordCiphers | null = null;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#hello = {
      random: Uint8Array.from(options.random(RANDOM_BYTES)),
      cookie: EMPTY,
      cipherSuites: CIPHER_SUITES.map((suite) => suite.id),
      extensions: {
        renegotiationInfo: EMPTY,
        extendedMasterSecret: true,
        // RFC 8422 §5.1.1: they say as well on which curves a server's certificate may be.
        supportedGroups: Object.values(NAMED_GROUP_IDS),
        ecPointFormats: [0],
        signatureSchemes: Object.values(SIGNATURE_SCHEMES),
        useSrtp: { profiles: options.srtpProfiles.map((profile) => SRTP_PROFILE_IDS[profile]), mki: EMPTY },
      },
    };
  }

  begin(): Flight {
    return this.#helloFlight();
  }

  opensAnywhere(type: number): boolean {
    if (this.#state.awaits !== "server-hello") return false;
    return type === HandshakeType.helloVerifyRequest || type === HandshakeType.serverHello;
  }

  handle(message: HandshakeMessage): HandshakeStep {
    const state = this.#state;
    switch (state.awaits) {
      case "server-hello":
        if (message.type === HandshakeType.helloVerifyRequest) return this.#onHelloVerifyRequest(message);
        if (message.type === HandshakeType.serverHello) return this.#onServerHello(message);
        break;
      case "certificate":
        if (message.type === HandshakeType.certificate) return this.#onCertificate(message, state.negotiated);
        break;
      case "server-key-exchange":
        if (message.type === HandshakeType.serverKeyExchange)
          return this.#onServerKeyExchange(message, state);
        break;
      case "server-hello-done":
        if (message.type === HandshakeType.certificateRequest)
          return this.#onCertificateRequest(message, state);
        if (message.type === HandshakeType.serverHelloDone) return this.#onServerHelloDone(message, state);
        break;
      case "finished":
        if (message.type === HandshakeType.finished) return this.#onFinished(message, state);
        break;
    }
    return outOfPlace(message);
  }

  #helloFlight(): Flight {
    // RFC 6347 §4.2.6: the first ClientHello and the HelloVerifyRequest are not hashed.
    this.#transcript.clear();
    this.#builder.message(HandshakeType.clientHello, encodeClientHello(this.#hello));
    return this.#builder.take();
  }

  /** RFC 6347 §4.2.1: the same ClientHello again, with the cookie. */
  #onHelloVerifyRequest(message: HandshakeMessage): HandshakeStep {
    const cookie = parseHelloVerifyRequest(message.body);
    if (cookie === null || Buffer.compare(cookie, this.#hello.cookie) === 0) return IGNORED;
    if (this.#helloVerifyRequests === MAX_HELLO_VERIFY_REQUESTS) return IGNORED;
    this.#helloVerifyRequests += 1;
    this.#hello = { ...this.#hello, cookie };
    return { kind: "flight", flight: this.#helloFlight() };
  }

  #onServerHello(message: HandshakeMessage): HandshakeStep {
    const hello = parseServerHello(message.body);
    if (hello === null) return IGNORED;
    const checked = checkServerHello(hello, this.#options.srtpProfiles);
    if (checked.kind === "failed") return checked;
    const randoms = { client: this.#hello.random, server: hello.random };
    return this.#take(message, { awaits: "certificate", negotiated: { ...checked, randoms } });
  }

  #onCertificate(message: HandshakeMessage, negotiated: Negotiated): HandshakeStep {
    const authenticated = authenticatePeer(message, this.#options.remoteFingerprints);
    if (authenticated.kind !== "authenticated") return authenticated;
    const peerKey = authenticated.publicKey;
    // RFC 5246 §7.4.2: the key must be of the kind that the suite names.
    const keyType = negotiated.suite.authentication === "ecdsa" ? "ec" : "rsa";
    if (peerKey.asymmetricKeyType !== keyType) return failure(AlertDescription.unsupportedCertificate);
    return this.#take(message, { awaits: "server-key-exchange", negotiated, peerKey });
  }

  #onServerKeyExchange(message: HandshakeMessage, { negotiated, peerKey }: WithPeerKey): HandshakeStep {
    const exchange = parseServerKeyExchange(message.body);
    if (exchange === null) return IGNORED;
    const { client, server } = negotiated.randoms;
    // RFC 8422 §5.4: both randoms are signed with the parameters.
    const signed = Buffer.concat([client, server, exchange.parameters]);
    if (!verifySignature(exchange.scheme, peerKey, signed, exchange.signature)) {
      return failure(AlertDescription.decryptError);
    }
    const group = namedGroup(exchange.group);
    if (group === null) return failure(AlertDescription.illegalParameter);
    const serverPublicKey = exchange.publicKey;
    return this.#take(message, {
      awaits: "server-hello-done",
      negotiated,
      group,
      serverPublicKey,
      requestedSchemes: null,
    });
  }

  #onCertificateRequest(message: HandshakeMessage, state: WithServerKey): HandshakeStep {
    const requestedSchemes = parseCertificateRequest(message.body);
    if (requestedSchemes === null || state.requestedSchemes !== null) return IGNORED;
    if (!requestedSchemes.includes(OWN_SIGNATURE_SCHEME)) {
      return failure(AlertDescription.handshakeFailure, "no-common-parameters");
    }
    return this.#take(message, { ...state, awaits: "server-hello-done", requestedSchemes });
  }

  #onServerHelloDone(message: HandshakeMessage, state: WithServerKey): HandshakeStep {
    if (message.body.length > 0) return IGNORED;
    const { negotiated, requestedSchemes } = state;
    const ephemeralKey = EphemeralKey.create(state.group);
    const premasterSecret = ephemeralKey.computeSecret(state.serverPublicKey);
    if (premasterSecret === null) return failure(AlertDescription.illegalParameter);
    this.#transcript.add(message.raw);
    const { certificate } = this.#options;
    const isRequested = requestedSchemes !== null;
    if (isRequested) this.#builder.message(HandshakeType.certificate, encodeCertificate(certificate.der));
    const exchange = encodeClientKeyExchange(ephemeralKey.publicKey);
    this.#builder.message(HandshakeType.clientKeyExchange, exchange);
    const keys = scheduleKeys(negotiated, premasterSecret, this.#transcript);
    if (isRequested) {
      const signature = signEcdsaSha256(certificate.privateKey, this.#transcript.bytes);
      const verify = encodeCertificateVerify({ scheme: OWN_SIGNATURE_SCHEME, signature });
      this.#builder.message(HandshakeType.certificateVerify, verify);
    }
    this.#builder.changeCipherSpec();
    const hash = this.#transcript.hash(negotiated.suite.prfHash);
    this.#builder.message(HandshakeType.finished, keys.verifyData("client", hash));
    this.ciphers = keys.recordCiphers("client");
    this.#state = { awaits: "finished", negotiated, keys };
    return { kind: "flight", flight: this.#builder.take() };
  }

  #onFinished(
    message: HandshakeMessage,
    { negotiated, keys }: { readonly negotiated: Negotiated; readonly keys: KeySchedule },
  ): HandshakeStep {
    const hash = this.#transcript.hash(negotiated.suite.prfHash);
    if (!isFinishedRight(message, keys.verifyData("server", hash))) {
      return failure(AlertDescription.decryptError);
    }
    return { kind: "complete", result: handshakeResult(negotiated, keys, "client"), flight: null };
  }

  #take(message: HandshakeMessage, next: ClientState): HandshakeStep {
    this.#transcript.add(message.raw);
    this.#state = next;
    return TAKEN;
  }
}
