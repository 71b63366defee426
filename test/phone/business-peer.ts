import { Audio, PeerConnection, type Track } from "node-datachannel";
import type { AudioDescription, DtlsSetup } from "../../src/core/sdp/model.ts";
import { createPhoneMedia } from "../../src/simulator/phone/create-phone-media.ts";
import type { PhoneMedia, PhoneMediaOptions } from "../../src/simulator/phone/phone-media.ts";

export const OPUS = 111;
export const EVENTS = 126;
export const SSRC = 4242;
/** Wideband, 20 ms. */
export const SILENT_PACKET: Buffer = Buffer.from("4807c979c8c957c0", "hex");

/** The business, as node-datachannel plays it. */
export interface Business {
  readonly answer: AudioDescription;
  readonly track: Track;
  readonly rtp: Buffer[];
  readonly rtcp: Buffer[];
  readonly state: () => string;
}

const phones: PhoneMedia[] = [];
const peers: PeerConnection[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const peer of peers.splice(0)) peer.close();
  await Promise.all(phones.splice(0).map((phone) => phone.close()));
}

export async function openPhone(options: Partial<PhoneMediaOptions> = {}): Promise<PhoneMedia> {
  const phone = await createPhoneMedia({
    voice: { type: "silence" },
    setup: "actpass",
    opusPayloadType: OPUS,
    telephoneEventPayloadType: EVENTS,
    ...options,
  });
  phones.push(phone);
  return phone;
}

function toOffer(phone: PhoneMedia, setup: DtlsSetup): string {
  const { parameters } = phone;
  const [candidate] = parameters.candidates;
  if (candidate === undefined) throw new Error("a phone without a candidate");
  return [
    "v=0",
    "o=- 1790963543407 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE audio",
    "a=msid-semantic: WMS 7da83f2b-4810-4fe9-b568-5c88eb1b1724",
    "a=ice-lite",
    `m=audio ${candidate.port} UDP/TLS/RTP/SAVPF ${OPUS} ${EVENTS}`,
    `c=IN IP4 ${candidate.address}`,
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=candidate:${candidate.foundation} 1 udp ${candidate.priority} ${candidate.address} ${candidate.port} typ host generation 0 network-cost 50`,
    `a=ice-ufrag:${parameters.iceUfrag}`,
    `a=ice-pwd:${parameters.icePwd}`,
    `a=fingerprint:sha-256 ${parameters.sha256Fingerprint}`,
    `a=setup:${setup}`,
    "a=mid:audio",
    "a=sendrecv",
    "a=rtcp-mux",
    `a=rtpmap:${OPUS} opus/48000/2`,
    `a=fmtp:${OPUS} maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;useinbandfec=1`,
    `a=rtpmap:${EVENTS} telephone-event/8000`,
    "a=maxptime:20",
    "a=ptime:20",
    `a=ssrc:${parameters.ssrc} cname:WhatsAppAudioStream1`,
    "",
  ].join("\r\n");
}

export function toDescription(sdp: string): AudioDescription {
  const attribute = (name: string): string => sdp.match(new RegExp(`^a=${name}:(.*?)\\r?$`, "m"))?.[1] ?? "";
  const [algorithm = "", value = ""] = attribute("fingerprint").split(" ");
  return {
    mid: "audio",
    iceUfrag: attribute("ice-ufrag"),
    icePwd: attribute("ice-pwd"),
    iceLite: false,
    fingerprints: [{ algorithm: algorithm.toLowerCase(), value }],
    setup: attribute("setup") as DtlsSetup,
    candidates: [],
    opus: { payloadType: OPUS, parameters: "" },
    telephoneEvent: { payloadType: EVENTS },
    ssrc: null,
  };
}

/** Answers the phone's offer; candidates are left out, so that the phone learns the address from the checks. */
export async function answerPhone(phone: PhoneMedia, setup: DtlsSetup): Promise<Business> {
  const peer = new PeerConnection("business", { iceServers: [], disableAutoNegotiation: true });
  peers.push(peer);
  const audio = new Audio("audio", "SendRecv");
  audio.addOpusCodec(OPUS);
  audio.addSSRC(SSRC, "business");
  const track = peer.addTrack(audio);
  const rtp: Buffer[] = [];
  const rtcp: Buffer[] = [];
  track.onMessage((message) => {
    const type = message[1] ?? 0;
    (type >= 192 && type <= 223 ? rtcp : rtp).push(Buffer.from(message));
  });
  const described = new Promise<string>((resolve) => {
    peer.onLocalDescription((sdp) => {
      resolve(sdp);
    });
  });
  peer.setRemoteDescription(toOffer(phone, setup), "offer");
  peer.setLocalDescription("answer");
  const answerSdp = await described;
  return { answer: toDescription(answerSdp), track, rtp, rtcp, state: () => peer.state() };
}

export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Brings a call up to where both sides may speak. */
export async function connect(
  options: Partial<PhoneMediaOptions> = {},
): Promise<{ phone: PhoneMedia; business: Business }> {
  const phone = await openPhone(options);
  const business = await answerPhone(phone, options.setup ?? "actpass");
  phone.applyAnswer(business.answer);
  await until(() => phone.report().dtlsConnectedMs !== null && business.track.isOpen(), "DTLS");
  return { phone, business };
}

export interface Rtp {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly payloadType?: number;
}

export function rtpOf({ sequence, timestamp, payload, payloadType = OPUS }: Rtp): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = payloadType;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(SSRC, 8);
  return Buffer.concat([header, payload]);
}
