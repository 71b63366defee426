import type { KeyObject } from "node:crypto";
import { AlertDescription } from "./alert.ts";
import { type Flight, FlightBuilder, singleMessage } from "./flight.ts";
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
import type { HelloCookie } from "./hello-cookie.ts";
import {
  encodeHelloVerifyRequest,
  encodeServerHello,
  type ParsedClientHello,
  parseClientHello,
  RANDOM_BYTES,
} from "./hello-messages.ts";
import { EphemeralKey } from "./key-exchange.ts";
import {
  encodeCertificate,
  encodeCertificateRequest,
  encodeEcdhParameters,
  encodeServerKeyExchange,
  parseCertificateVerify,
  parseClientKeyExchange,
} from "./key-messages.ts";
import type { KeySchedule } from "./key-schedule.ts";
import type { RecordCiphers } from "./record-layer.ts";
import { chooseParameters, type ServerChoice } from "./server-negotiation.ts";
import { OWN_SIGNATURE_SCHEME, signEcdsaSha256, verifySignature } from "./signature.ts";
import { Transcript } from "./transcript.ts";

const EMPTY = new Uint8Array(0);

interface WithOwnKey {
  readonly negotiated: Negotiated;
  readonly ephemeralKey: EphemeralKey;
}

interface WithKeys {
  readonly negotiated: Negotiated;
  readonly keys: KeySchedule;
}

/** Named after the message that is awaited, RFC 5246 §7.3. */
type ServerState =
  | { readonly awaits: "client-hello" }
  | ({ readonly awaits: "certificate" } & WithOwnKey)
  | ({ readonly awaits: "client-key-exchange"; readonly peerKey: KeyObject } & WithOwnKey)
  | ({ readonly awaits: "certificate-verify"; readonly peerKey: KeyObject } & WithKeys)
  | ({ readonly awaits: "finished" } & WithKeys);

/** The server's side of a full handshake (RFC 5246 §7.3, RFC 6347 §4.2). It always asks for a certificate. */
export class ServerHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #cookie: HelloCookie | null;
  readonly #transcript = new Transcript();
  readonly #builder = new FlightBuilder(this.#transcript);
  #state: ServerState = { awaits: "client-hello" };
  ciphers: RecordCiphers | null = null;

  /** @param cookie Null to take a ClientHello without one. */
  constructor(options: HandshakeOptions, cookie: HelloCookie | null) {
    this.#options = options;
    this.#cookie = cookie;
  }

  begin(): null {
    return null;
  }

  opensAnywhere(type: number): boolean {
    return this.#state.awaits === "client-hello" && type === HandshakeType.clientHello;
  }

  handle(message: HandshakeMessage): HandshakeStep {
    const state = this.#state;
    switch (state.awaits) {
      case "client-hello":
        if (message.type === HandshakeType.clientHello) return this.#onClientHello(message);
        break;
      case "certificate":
        if (message.type === HandshakeType.certificate) return this.#onCertificate(message, state);
        break;
      case "client-key-exchange":
        if (message.type !== HandshakeType.clientKeyExchange) break;
        return this.#onClientKeyExchange(message, state, state.peerKey);
      case "certificate-verify":
        if (message.type !== HandshakeType.certificateVerify) break;
        return this.#onCertificateVerify(message, state, state.peerKey);
      case "finished":
        if (message.type === HandshakeType.finished) return this.#onFinished(message, state);
        break;
    }
    return outOfPlace(message);
  }

  #onClientHello(message: HandshakeMessage): HandshakeStep {
    const hello = parseClientHello(message.body);
    if (hello === null) return IGNORED;
    if (this.#cookie !== null && !this.#cookie.isOurs(hello)) {
      const request = encodeHelloVerifyRequest(this.#cookie.create(hello));
      // RFC 6347 §4.2.2: numbered as the ClientHello, since no state counts it.
      return {
        kind: "reply",
        flight: singleMessage(HandshakeType.helloVerifyRequest, message.sequence, request),
      };
    }
    const choice = chooseParameters(hello, this.#options.srtpProfiles);
    if (choice.kind === "failed") return choice;
    this.#transcript.add(message.raw);
    this.#builder.startAt(message.sequence);
    return { kind: "flight", flight: this.#answer(hello, choice) };
  }

  /** ServerHello to ServerHelloDone, RFC 5246 §7.3. */
  #answer(hello: ParsedClientHello, choice: ServerChoice): Flight {
    const { suite, group, srtpProfile, extensions } = choice;
    const { certificate } = this.#options;
    const random = Uint8Array.from(this.#options.random(RANDOM_BYTES));
    const ephemeralKey = EphemeralKey.create(group);
    const parameters = encodeEcdhParameters(group, ephemeralKey.publicKey);
    // RFC 8422 §5.4: both randoms are signed with the parameters.
    const signed = Buffer.concat([hello.random, random, parameters]);
    const signature = signEcdsaSha256(certificate.privateKey, signed);
    const exchange = encodeServerKeyExchange(parameters, { scheme: OWN_SIGNATURE_SCHEME, signature });
    const serverHello = encodeServerHello({ random, cipherSuite: suite.id, extensions });
    this.#builder.message(HandshakeType.serverHello, serverHello);
    this.#builder.message(HandshakeType.certificate, encodeCertificate(certificate.der));
    this.#builder.message(HandshakeType.serverKeyExchange, exchange);
    this.#builder.message(HandshakeType.certificateRequest, encodeCertificateRequest());
    this.#builder.message(HandshakeType.serverHelloDone, EMPTY);
    const usesExtendedMasterSecret = extensions.extendedMasterSecret === true;
    const randoms = { client: hello.random, server: random };
    const negotiated = { suite, srtpProfile, usesExtendedMasterSecret, randoms };
    this.#state = { awaits: "certificate", negotiated, ephemeralKey };
    return this.#builder.take();
  }

  #onCertificate(message: HandshakeMessage, state: WithOwnKey): HandshakeStep {
    const authenticated = authenticatePeer(message, this.#options.remoteFingerprints);
    if (authenticated.kind !== "authenticated") return authenticated;
    const peerKey = authenticated.publicKey;
    return this.#take(message, { ...state, awaits: "client-key-exchange", peerKey });
  }

  #onClientKeyExchange(
    message: HandshakeMessage,
    { negotiated, ephemeralKey }: WithOwnKey,
    peerKey: KeyObject,
  ): HandshakeStep {
    const publicKey = parseClientKeyExchange(message.body);
    if (publicKey === null) return IGNORED;
    const premasterSecret = ephemeralKey.computeSecret(publicKey);
    if (premasterSecret === null) return failure(AlertDescription.illegalParameter);
    this.#transcript.add(message.raw);
    const keys = scheduleKeys(negotiated, premasterSecret, this.#transcript);
    this.ciphers = keys.recordCiphers("server");
    this.#state = { awaits: "certificate-verify", negotiated, keys, peerKey };
    return TAKEN;
  }

  #onCertificateVerify(
    message: HandshakeMessage,
    { negotiated, keys }: WithKeys,
    peerKey: KeyObject,
  ): HandshakeStep {
    const verify = parseCertificateVerify(message.body);
    if (verify === null) return IGNORED;
    // RFC 5246 §7.4.8: over all messages before this one.
    if (!verifySignature(verify.scheme, peerKey, this.#transcript.bytes, verify.signature)) {
      return failure(AlertDescription.decryptError);
    }
    return this.#take(message, { awaits: "finished", negotiated, keys });
  }

  #onFinished(message: HandshakeMessage, { negotiated, keys }: WithKeys): HandshakeStep {
    const { prfHash } = negotiated.suite;
    if (!isFinishedRight(message, keys.verifyData("client", this.#transcript.hash(prfHash)))) {
      return failure(AlertDescription.decryptError);
    }
    this.#transcript.add(message.raw);
    this.#builder.changeCipherSpec();
    const verifyData = keys.verifyData("server", this.#transcript.hash(prfHash));
    this.#builder.message(HandshakeType.finished, verifyData);
    const result = handshakeResult(negotiated, keys, "server");
    return { kind: "complete", result, flight: this.#builder.take() };
  }

  #take(message: HandshakeMessage, next: ServerState): HandshakeStep {
    this.#transcript.add(message.raw);
    this.#state = next;
    return TAKEN;
  }
}
