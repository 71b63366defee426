import type { DtlsSetup, IceCandidate } from "../core/sdp/model.ts";
import type { Random } from "../platform/random.ts";
import type { PhoneMediaParameters } from "./phone/phone-media.ts";

/** `current`: WhatsApp's offers since 2025. `old-stack`: those of its earlier relays. */
export type OfferForm = "current" | "old-stack";

export interface OfferOptions {
  readonly form: OfferForm;
  readonly setup: DtlsSetup;
  readonly parameters: PhoneMediaParameters;
  readonly wallMs: number;
  readonly random: Random;
}

/** The payload types of every offer seen from WhatsApp. */
export const OPUS_PAYLOAD_TYPE = 111;
export const TELEPHONE_EVENT_PAYLOAD_TYPE = 126;

/** Writes an offer line by line as WhatsApp's `connect` webhooks carry it (captured 2025-10-17 to 2026-10-02). */
export function buildOffer(options: OfferOptions): string {
  const lines = options.form === "current" ? currentForm(options) : oldStackForm(options);
  return `${lines.join("\r\n")}\r\n`;
}

function currentForm(options: OfferOptions): readonly string[] {
  const { parameters, wallMs, random } = options;
  const stream = randomUuid(random);
  return [
    ...sessionLines(String(wallMs), stream),
    ...mediaLines(parameters, ""),
    ...transportLines(options),
    "a=sendrecv",
    `a=msid:${stream} WhatsAppTrack1`,
    "a=rtcp-mux",
    ...codecLines(
      "maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1",
    ),
    "a=maxptime:20",
    "a=ptime:20",
    `a=ssrc:${parameters.ssrc} cname:WhatsAppAudioStream1`,
  ];
}

function oldStackForm(options: OfferOptions): readonly string[] {
  const { parameters, random } = options;
  const stream = randomUuid(random);
  const track = `audio#${randomText(random, 11)}`;
  return [
    ...sessionLines(randomSessionId(random), stream),
    ...mediaLines(parameters, ` ufrag ${parameters.iceUfrag}`),
    ...transportLines(options),
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "a=sendrecv",
    "a=rtcp-mux",
    ...codecLines("minptime=10;useinbandfec=1"),
    `a=ssrc:${parameters.ssrc} cname:${randomText(random, 16)}`,
    `a=ssrc:${parameters.ssrc} msid:${stream} ${track}`,
    `a=ssrc:${parameters.ssrc} mslabel:${stream}`,
    `a=ssrc:${parameters.ssrc} label:${track}`,
  ];
}

function sessionLines(sessionId: string, stream: string): readonly string[] {
  return [
    "v=0",
    `o=- ${sessionId} 2 IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    "a=group:BUNDLE audio",
    `a=msid-semantic: WMS ${stream}`,
    "a=ice-lite",
  ];
}

function mediaLines(parameters: PhoneMediaParameters, candidateSuffix: string): readonly string[] {
  const first = parameters.candidates.find((candidate) => !isIpv6(candidate)) ?? parameters.candidates[0];
  const family = first !== undefined && isIpv6(first) ? "IP6" : "IP4";
  return [
    `m=audio ${first?.port ?? 9} UDP/TLS/RTP/SAVPF ${OPUS_PAYLOAD_TYPE} ${TELEPHONE_EVENT_PAYLOAD_TYPE}`,
    `c=IN ${family} ${first?.address ?? "0.0.0.0"}`,
    "a=rtcp:9 IN IP4 0.0.0.0",
    ...parameters.candidates.map((candidate) => `${candidateLine(candidate)}${candidateSuffix}`),
  ];
}

function candidateLine(candidate: IceCandidate): string {
  const { foundation, componentId, transport, priority, address, port, type } = candidate;
  return `a=candidate:${foundation} ${componentId} ${transport} ${priority} ${address} ${port} typ ${type} generation 0 network-cost 50`;
}

function transportLines({ parameters, setup }: OfferOptions): readonly string[] {
  return [
    `a=ice-ufrag:${parameters.iceUfrag}`,
    `a=ice-pwd:${parameters.icePwd}`,
    `a=fingerprint:sha-256 ${parameters.sha256Fingerprint}`,
    `a=setup:${setup}`,
    "a=mid:audio",
  ];
}

function codecLines(opusParameters: string): readonly string[] {
  return [
    `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`,
    `a=rtcp-fb:${OPUS_PAYLOAD_TYPE} transport-cc`,
    `a=fmtp:${OPUS_PAYLOAD_TYPE} ${opusParameters}`,
    `a=rtpmap:${TELEPHONE_EVENT_PAYLOAD_TYPE} telephone-event/8000`,
  ];
}

function isIpv6(candidate: IceCandidate): boolean {
  return candidate.address.includes(":");
}

/** RFC 9562 §5.4, version 4. */
function randomUuid(random: Random): string {
  const hex = Buffer.from(random(16)).toString("hex");
  const variant = "89ab"[Number.parseInt(hex.slice(16, 17), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function randomText(random: Random, length: number): string {
  return Buffer.from(random(length * 2))
    .toString("base64")
    .replaceAll(/[+/=]/g, "A")
    .slice(0, length);
}

/** A positive 63-bit number, as libwebrtc writes into `o=`. */
function randomSessionId(random: Random): string {
  const bytes = random(8);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  return String(BigInt.asUintN(63, value) | (1n << 62n));
}
