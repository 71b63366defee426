import { type Attributes, collectAttributes, inheritedAttributes } from "./attributes.ts";
import { parseCandidate } from "./candidate.ts";
import { type Codec, codecsOf } from "./codecs.ts";
import type { Fingerprint, IceCandidate } from "./model.ts";
import type { Located, SdpDocument, SdpMedia } from "./sdp-document.ts";

/** Everything that the rules ask about the audio section, session-level values inherited, nothing judged. */
export interface AudioFacts {
  /** The first audio section that is not rejected (port 0), or else the first one. */
  readonly media: SdpMedia;
  readonly session: Attributes;
  readonly attributes: Attributes;
  readonly mid: Located<string> | null;
  readonly iceUfrag: Located<string> | null;
  readonly icePwd: Located<string> | null;
  /** Lines of `a=ice-lite`, which belongs into the session part; some stacks write it into the section. */
  readonly iceLiteLines: readonly number[];
  /** The fingerprints that count for this section, as they are written but for the case. */
  readonly fingerprints: readonly Located<Fingerprint>[];
  /** Those of the session part and of this section together. */
  readonly everyFingerprint: readonly Located<Fingerprint>[];
  readonly setup: Located<string> | null;
  /** `sendrecv` and its kin, one line as a rule; none means sendrecv (RFC 8866 §6.7). */
  readonly directions: readonly Located<string>[];
  readonly codecs: readonly Codec[];
  /** A null value is a line that is malformed or names no IP address. */
  readonly candidates: readonly Located<IceCandidate | null>[];
  /** Distinct SSRCs in order, each with its first line. */
  readonly ssrcs: readonly Located<number>[];
  readonly ptimes: readonly Located<string>[];
  readonly isRtcpMux: boolean;
  /** Keys come by `a=crypto` (RFC 4568) and not by DTLS. */
  readonly isSdes: boolean;
}

/** Reads the facts of the audio section; null when there is none. */
export function collectAudioFacts(document: SdpDocument): AudioFacts | null {
  const audio = document.media.filter((media) => media.kind === "audio");
  const media = audio.find(({ port }) => port !== 0) ?? audio[0];
  if (media === undefined) return null;
  const session = collectAttributes(document.session);
  const attributes = collectAttributes(media.lines);
  const inherited = (name: string) => inheritedAttributes(session, attributes, name);
  const everyFingerprint = [...(session.get("fingerprint") ?? []), ...(attributes.get("fingerprint") ?? [])];
  return {
    media,
    session,
    attributes,
    mid: attributes.get("mid")?.[0] ?? null,
    iceUfrag: inherited("ice-ufrag")[0] ?? null,
    icePwd: inherited("ice-pwd")[0] ?? null,
    iceLiteLines: [...(session.get("ice-lite") ?? []), ...(attributes.get("ice-lite") ?? [])].map(
      ({ line }) => line,
    ),
    fingerprints: inherited("fingerprint").map(toFingerprint),
    everyFingerprint: everyFingerprint.map(toFingerprint),
    setup: inherited("setup")[0] ?? null,
    directions: directionsOf(attributes) ?? directionsOf(session) ?? [],
    codecs: codecsOf(media, attributes),
    candidates: (attributes.get("candidate") ?? []).map(({ value, line }) => ({
      value: parseCandidate(value),
      line,
    })),
    ssrcs: ssrcsOf(attributes),
    ptimes: attributes.get("ptime") ?? [],
    // RFC 8858: a side that speaks nothing but multiplexed RTCP may say so with this line alone.
    isRtcpMux: attributes.has("rtcp-mux") || attributes.has("rtcp-mux-only"),
    isSdes: everyFingerprint.length === 0 && (attributes.has("crypto") || media.profile === "RTP/SAVP"),
  };
}

function toFingerprint({ value, line }: Located<string>): Located<Fingerprint> {
  const space = value.indexOf(" ");
  const algorithm = space === -1 ? value : value.slice(0, space);
  const hash = value.slice(algorithm.length).trim();
  return { value: { algorithm: algorithm.toLowerCase(), value: hash.toUpperCase() }, line };
}

/** Null when the section says nothing, for then the session part decides. */
function directionsOf(attributes: Attributes): readonly Located<string>[] | null {
  const directions = ["sendrecv", "sendonly", "recvonly", "inactive"].flatMap((value) =>
    (attributes.get(value) ?? []).map(({ line }) => ({ value, line })),
  );
  return directions.length === 0 ? null : directions;
}

function ssrcsOf(attributes: Attributes): readonly Located<number>[] {
  const lines = new Map<number, number>();
  for (const { value, line } of attributes.get("ssrc") ?? []) {
    const ssrc = Number(/^(\d{1,10})(?: |$)/.exec(value)?.[1] ?? Number.NaN);
    if (ssrc <= 0xffffffff && !lines.has(ssrc)) lines.set(ssrc, line);
  }
  return [...lines].map(([value, line]) => ({ value, line }));
}

/** RFC 7587 §7: Opus is always written with 48 000 Hz and two channels, whatever it carries. */
export function isOpus(codec: Codec): boolean {
  return codec.name === "opus" && codec.clockRateHz === 48_000;
}

export function isTelephoneEvent(codec: Codec): boolean {
  return codec.name === "telephone-event";
}

/** 32 bytes as hex pairs with colons, upper case: a SHA-256 hash in RFC 8122 §5 form. */
export function isSha256Hash(value: string): boolean {
  return /^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/.test(value);
}
