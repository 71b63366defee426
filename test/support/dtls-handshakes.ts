import { randomBytes } from "node:crypto";
import { ClientHandshake } from "../../src/core/transport/dtls/client-handshake.ts";
import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import type { Flight } from "../../src/core/transport/dtls/flight.ts";
import type { Handshake, HandshakeStep } from "../../src/core/transport/dtls/handshake.ts";
import {
  buildMessage,
  HANDSHAKE_HEADER_BYTES,
  type HandshakeMessage,
  readFragment,
} from "../../src/core/transport/dtls/handshake-message.ts";
import { ContentType } from "../../src/core/transport/dtls/record.ts";
import { ServerHandshake } from "../../src/core/transport/dtls/server-handshake.ts";
import { CERTIFICATES, fingerprintOf } from "./dtls-pair.ts";

export function createHandshake(role: DtlsRole): Handshake {
  const options = {
    certificate: CERTIFICATES[role],
    remoteFingerprints: fingerprintOf(CERTIFICATES[role === "client" ? "server" : "client"]),
    srtpProfiles: ["SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"] as const,
    random: randomBytes,
  };
  return role === "client" ? new ClientHandshake(options) : new ServerHandshake(options, null);
}

export function messagesOf(flight: Flight | null): readonly HandshakeMessage[] {
  return (flight ?? [])
    .filter(({ contentType }) => contentType === ContentType.handshake)
    .map(({ bytes }) => toMessage(bytes));
}

/** @param raw With its header. */
export function toMessage(raw: Uint8Array): HandshakeMessage {
  const fragment = readFragment(raw, 0);
  if (fragment === null) throw new Error("not a message");
  return {
    type: fragment.type,
    sequence: fragment.sequence,
    raw,
    body: raw.subarray(HANDSHAKE_HEADER_BYTES),
  };
}

export function withBody({ type, sequence }: HandshakeMessage, body: Uint8Array): HandshakeMessage {
  return toMessage(buildMessage(type, sequence, body));
}

export function answersOf(step: HandshakeStep): readonly HandshakeMessage[] {
  return step.kind === "flight" || step.kind === "complete" ? messagesOf(step.flight) : [];
}

/** A side that waits for message number `index` of a handshake, counted over both sides from 0, and that message. */
export function waitingFor(index: number): { readonly side: Handshake; readonly message: HandshakeMessage } {
  const [client, server] = [createHandshake("client"), createHandshake("server")];
  let side = server;
  let pending = messagesOf(client.begin()).slice();
  for (let at = 0; ; at++) {
    const message = pending.shift();
    if (message === undefined) throw new Error("no such message");
    if (at === index) return { side, message };
    const answers = answersOf(side.handle(message));
    if (answers.length === 0) continue;
    pending = answers.slice();
    side = side === server ? client : server;
  }
}
