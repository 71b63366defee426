import { assertLocalAudio, assertOption, isInteger } from "./assert-local-audio.ts";
import { serializeCandidate } from "./candidate.ts";
import { ipVersion } from "./ip-version.ts";
import type { AudioDescription, DtlsSetup, IceCandidate, LocalAudio } from "./model.ts";
import { isMid } from "./read-audio-description.ts";
import type { SdpDocument, SdpLine } from "./sdp-document.ts";
import { serializeSdp } from "./serialize-sdp.ts";

/** RFC 7587 §7.1. What we like to receive: 20 ms packets, in-band FEC, near the phone's own bit rate, mono. */
const opusParameters = "maxaveragebitrate=24000;minptime=20;useinbandfec=1";

export interface OfferOptions {
  /** Default "audio", as WhatsApp's own offers have it. */
  readonly mid?: string;
  /** 96–127. Default 111. */
  readonly opusPayloadType?: number;
  /** 96–127. Default 126. */
  readonly telephoneEventPayloadType?: number;
}

/** What the two sides agree on in one audio section. */
interface Negotiated {
  readonly mid: string;
  readonly isBundled: boolean;
  readonly setup: DtlsSetup;
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number | null;
}

/**
 * Builds our answer to the peer's offer. It breaks none of {@link SDP_RULES}.
 *
 * @param offer The peer's side; its mid and payload types are repeated.
 * @param local Our side. `setup` is `active`, or `passive` when the offer says `active` (RFC 8842 §5.3).
 * @returns SDP with CRLF line ends. The same arguments give the same text.
 * @throws {RingbackError} `OPTION_INVALID` when a value cannot stand in SDP or the DTLS roles do not fit.
 */
export function buildAnswer(offer: AudioDescription, local: LocalAudio): string {
  const right = offer.setup === "active" ? "passive" : "active";
  assertOption("setup", local.setup === right, `${right}: the offer says ${offer.setup}`);
  assertOption("offer.mid", offer.mid === "" || isMid(offer.mid), "a token of at most 64 characters");
  return compose(local, {
    mid: offer.mid,
    isBundled: offer.mid !== "" && offer.isBundled !== false,
    setup: local.setup,
    opusPayloadType: offer.opus.payloadType,
    telephoneEventPayloadType: offer.telephoneEvent?.payloadType ?? null,
  });
}

/**
 * Builds an offer of a call that we place. It breaks none of {@link SDP_RULES}.
 *
 * @param local Our side. `setup` must be `actpass`: WhatsApp chooses the DTLS role, so be ready for both.
 * @returns SDP with CRLF line ends. The same arguments give the same text.
 * @throws {RingbackError} `OPTION_INVALID` when a value cannot stand in SDP.
 */
export function buildOffer(local: LocalAudio, options: OfferOptions = {}): string {
  const { mid = "audio", opusPayloadType = 111, telephoneEventPayloadType = 126 } = options;
  assertOption("setup", local.setup === "actpass", "actpass in an offer");
  assertOption("mid", isMid(mid), "a token of at most 64 characters");
  for (const payloadType of [opusPayloadType, telephoneEventPayloadType]) {
    assertOption("payload types", isInteger(payloadType, 96, 127), "integers from 96 to 127");
  }
  return compose(local, {
    mid,
    isBundled: true,
    setup: "actpass",
    opusPayloadType,
    telephoneEventPayloadType,
  });
}

function compose(local: LocalAudio, negotiated: Negotiated): string {
  assertLocalAudio(local);
  const { mid, isBundled, opusPayloadType, telephoneEventPayloadType } = negotiated;
  const payloadTypes =
    telephoneEventPayloadType === null ? [opusPayloadType] : [opusPayloadType, telephoneEventPayloadType];
  const areRight = payloadTypes.every((payloadType) => isInteger(payloadType, 0, 127));
  assertOption(
    "payload types",
    areRight && new Set(payloadTypes).size === payloadTypes.length,
    "distinct, 0 to 127",
  );
  const [address, port] = defaultAddress(local.candidates);
  const document: SdpDocument = {
    session: toLines([
      ["v", "0"],
      ["o", `- ${local.sessionId} 1 IN IP4 0.0.0.0`],
      ["s", "-"],
      ["t", "0 0"],
      ...(isBundled ? [["a", `group:BUNDLE ${mid}`] as const] : []),
      ["a", "msid-semantic: WMS ringback"],
    ]),
    media: [
      {
        kind: "audio",
        port,
        portCount: null,
        profile: "UDP/TLS/RTP/SAVPF",
        formats: payloadTypes.map(String),
        lines: toLines([
          ["c", `IN IP${ipVersion(address)} ${address}`],
          ...audioAttributes(local, negotiated),
        ]),
        line: 0,
      },
    ],
  };
  return serializeSdp(document);
}

function toLines(pairs: readonly (readonly [type: string, value: string])[]): readonly SdpLine[] {
  return pairs.map(([type, value]) => ({ type, value, line: 0 }));
}

function audioAttributes(local: LocalAudio, negotiated: Negotiated): readonly (readonly ["a", string])[] {
  const { mid, setup, opusPayloadType, telephoneEventPayloadType } = negotiated;
  const values = [
    "rtcp:9 IN IP4 0.0.0.0",
    ...local.candidates.map((candidate) => `candidate:${serializeCandidate(candidate)}`),
    // RFC 8840 §8: tells the peer not to wait for more; WhatsApp has no way to receive more.
    "end-of-candidates",
    `ice-ufrag:${local.iceUfrag}`,
    `ice-pwd:${local.icePwd}`,
    `fingerprint:sha-256 ${local.sha256Fingerprint.toUpperCase()}`,
    `setup:${setup}`,
    ...(mid === "" ? [] : [`mid:${mid}`]),
    "sendrecv",
    "msid:ringback audio",
    "rtcp-mux",
    `rtpmap:${opusPayloadType} opus/48000/2`,
    `fmtp:${opusPayloadType} ${opusParameters}`,
    ...(telephoneEventPayloadType === null
      ? []
      : // RFC 4733 §2.4.1: the keys 0-9, *, # and A-D.
        [
          `rtpmap:${telephoneEventPayloadType} telephone-event/8000`,
          `fmtp:${telephoneEventPayloadType} 0-15`,
        ]),
    "ptime:20",
    "maxptime:20",
    `ssrc:${local.ssrc} cname:${local.cname}`,
  ];
  return values.map((value) => ["a", value] as const);
}

/** RFC 5245 §4.1.4 recommended relayed, then reflexive, then host candidates; RFC 8839 §4.3.1: none is 0.0.0.0 and 9. */
function defaultAddress(candidates: readonly IceCandidate[]): readonly [address: string, port: number] {
  const rtp = candidates.filter(({ componentId }) => componentId === 1);
  for (const type of ["relay", "srflx", "prflx", "host"]) {
    const ofType = rtp.filter((candidate) => candidate.type === type);
    const best = ofType.find(({ address }) => ipVersion(address) === 4) ?? ofType[0];
    if (best !== undefined) return [best.address, best.port];
  }
  return ["0.0.0.0", 9];
}
