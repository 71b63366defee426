import { isOpus, isTelephoneEvent } from "./audio-facts.ts";
import type { Flaw, Subject } from "./check.ts";
import { payloadTypesOf } from "./codecs.ts";
import {
  addAttribute,
  dropLines,
  dropPayloadTypes,
  insertConnectionLine,
  orderSession,
  replaceAudio,
  replaceLine,
} from "./edit-document.ts";
import type { Mended } from "./mended.ts";
import type { SdpRuleId } from "./sdp-rule.ts";
import { iceOptions } from "./session-checks.ts";

/** Mends the flaws of one rule. A flaw that it leaves is reported by the check that follows. */
export type Mender = (subject: Subject, flaws: readonly Flaw[]) => Mended;

function dropping(message: string): Mender {
  return ({ document }, flaws) => ({
    document: dropLines(document, toLineSet(flaws)),
    changes: flaws.map(({ line }) => ({ line, action: "dropped", message })),
  });
}

function toLineSet(flaws: readonly Flaw[]): ReadonlySet<number> {
  return new Set(flaws.flatMap(({ line }) => line ?? []));
}

function replacing(value: string, message: string): Mender {
  return ({ document }, flaws) => ({
    document: flaws.reduce((mended, { line }) => replaceLine(mended, line ?? 0, value), document),
    changes: flaws.map(({ line }) => ({ line, action: "replaced", message })),
  });
}

function adding(value: string, message: string): Mender {
  return ({ document, audio }) => {
    if (audio === null) return { document, changes: [] };
    return {
      document: addAttribute(document, audio.media, value),
      changes: [{ line: null, action: "added", message }],
    };
  };
}

const mendSessionLines: Mender = ({ document }, flaws) => ({
  document: orderSession(document),
  changes: flaws.map(({ line }) => ({
    line,
    action: "replaced",
    message: "The lines v=, o=, s=, t= are in order.",
  })),
});

const mendConnectionLine: Mender = ({ document, audio }) => {
  if (audio === null) return { document, changes: [] };
  const message = "c=IN IP4 0.0.0.0: ICE decides on the address.";
  return {
    document: insertConnectionLine(document, audio.media),
    changes: [{ line: null, action: "added", message }],
  };
};

/** The stack that made an offer expects an answer to each of its sections; only answers may lose some. */
const mendAudioOnly: Mender = ({ document, audio, as }, flaws) => {
  const isRejected = document.media.every((media) => media === audio?.media || media.port === 0);
  if (audio === null || (as === "offer" && !isRejected)) return { document, changes: [] };
  return {
    document: { ...document, media: [audio.media] },
    changes: flaws.map(({ line }) => ({
      line,
      action: "dropped",
      message: "The section that is not the call's audio.",
    })),
  };
};

const mendProfile: Mender = ({ document, audio }, flaws) => {
  if (audio === null || !/^(?:UDP\/TLS\/)?RTP\/SAVPF?$/.test(audio.media.profile))
    return { document, changes: [] };
  return {
    document: replaceAudio(document, audio.media, { ...audio.media, profile: "UDP/TLS/RTP/SAVPF" }),
    changes: flaws.map(({ line }) => ({
      line,
      action: "replaced",
      message: "The profile is UDP/TLS/RTP/SAVPF.",
    })),
  };
};

/** Stacks of the past sent both kinds of keys; without a fingerprint nothing would be left. */
const mendSdes: Mender = (subject, flaws) => {
  if (subject.audio === null || subject.audio.isSdes) return { document: subject.document, changes: [] };
  return dropping("The a=crypto line: keys come by DTLS.")(subject, flaws);
};

/** Without a sha-256 fingerprint the refusal should name what is there, not that nothing is. */
const mendFingerprints: Mender = (subject, flaws) => {
  const hasSha256 = subject.audio?.everyFingerprint.some(({ value }) => value.algorithm === "sha-256");
  if (hasSha256 !== true) return { document: subject.document, changes: [] };
  return dropping("The fingerprint that is not sha-256.")(subject, flaws);
};

/** A repeated fingerprint may go; of two different ones the text does not say which certificate is in use. */
const mendFingerprintSingle: Mender = (subject, flaws) => {
  const hashes = new Set(subject.audio?.everyFingerprint.map(({ value }) => value.value));
  if (hashes.size !== 1) return { document: subject.document, changes: [] };
  return dropping("The repeated fingerprint.")(subject, flaws);
};

const mendSetupAnswer: Mender = (subject, flaws) => {
  const role = subject.offer?.setup?.value === "active" ? "passive" : "active";
  const setup = subject.audio?.setup ?? null;
  const message = `a=setup:${role}: the stack must be the DTLS ${role === "active" ? "client" : "server"}.`;
  if (setup === null) return adding(`setup:${role}`, message)(subject, flaws);
  // The one that both sides can mean; any other value says what the stack does, and must stay.
  if (setup.value !== "actpass") return { document: subject.document, changes: [] };
  return replacing(`setup:${role}`, message)(subject, flaws);
};

const mendTelephoneEvent: Mender = ({ document, audio }) => {
  if (audio === null) return { document, changes: [] };
  const unsupported = audio.codecs.filter(isTelephoneEvent).map(({ payloadType }) => payloadType);
  return dropPayloadTypes(document, audio, new Set(unsupported));
};

/** Opus under a number that was not offered cannot go: the stack would send it all the same. */
const mendPayloadTypes: Mender = ({ document, audio, offer }) => {
  if (audio === null || offer === null) return { document, changes: [] };
  const offered = new Set(payloadTypesOf(offer.media));
  const opus = audio.codecs.filter(isOpus).map(({ payloadType }) => payloadType);
  const kept = new Set(
    opus.some((payloadType) => offered.has(payloadType)) ? offered : [...offered, ...opus],
  );
  const unknown = payloadTypesOf(audio.media).filter((payloadType) => !kept.has(payloadType));
  return dropPayloadTypes(document, audio, new Set(unknown));
};

const mendSsrc: Mender = ({ document, audio }) => {
  const [kept] = audio?.ssrcs ?? [];
  const all = [...(audio?.attributes.get("ssrc") ?? [])].filter(
    ({ value }) => Number.parseInt(value, 10) !== kept?.value,
  );
  const lines = [...all, ...(audio?.attributes.get("ssrc-group") ?? [])].map(({ line }) => line);
  return {
    document: dropLines(document, new Set(lines)),
    changes: lines.map((line) => ({ line, action: "dropped", message: "The line of a further SSRC." })),
  };
};

const mendTrickle: Mender = ({ document, audio }, flaws) => {
  const flawed = toLineSet(flaws);
  const lines = [
    ...(audio?.session.get("ice-options") ?? []),
    ...(audio?.attributes.get("ice-options") ?? []),
  ];
  const mended = lines
    .filter(({ line }) => flawed.has(line))
    .map(({ value, line }) => ({
      line,
      rest: iceOptions(value).filter((option) => option !== "trickle"),
    }));
  const emptied = new Set(mended.flatMap(({ line, rest }) => (rest.length === 0 ? line : [])));
  return {
    document: mended.reduce(
      (result, { line, rest }) => replaceLine(result, line, `ice-options:${rest.join(" ")}`),
      dropLines(document, emptied),
    ),
    changes: mended.map(({ line }) => ({ line, action: "dropped", message: "The word trickle." })),
  };
};

const mendMid: Mender = (subject, flaws) => {
  const mid = subject.offer?.mid?.value;
  if (mid === undefined) return { document: subject.document, changes: [] };
  const message = "The mid is that of the offer.";
  return subject.audio?.mid === null
    ? adding(`mid:${mid}`, message)(subject, flaws)
    : replacing(`mid:${mid}`, message)(subject, flaws);
};

const mendBundle: Mender = (subject, flaws) => {
  const mid = subject.audio?.mid?.value;
  if (mid === undefined) return dropping("The group: the section has no mid.")(subject, flaws);
  return replacing(`group:BUNDLE ${mid}`, "The group names the audio section alone.")(subject, flaws);
};

/** How a text is mended, rule by rule. Rules that are not here can only be mended in the stack. */
export const menders: Readonly<Partial<Record<SdpRuleId, Mender>>> = {
  "session-lines": mendSessionLines,
  "connection-line": mendConnectionLine,
  "audio-only": mendAudioOnly,
  "no-sdes": mendSdes,
  "audio-profile": mendProfile,
  "rtcp-mux": adding("rtcp-mux", "a=rtcp-mux: the stack must take RTCP on the port of RTP."),
  "fingerprint-sha256": mendFingerprints,
  "fingerprint-single": mendFingerprintSingle,
  "setup-answer": mendSetupAnswer,
  "telephone-event-clock": mendTelephoneEvent,
  "single-ssrc": mendSsrc,
  ptime: replacing("ptime:20", "a=ptime:20: the stack must send 20 ms in every packet."),
  sendrecv: replacing(
    "sendrecv",
    "a=sendrecv: the stack must send audio, or the call ends after 20 seconds.",
  ),
  "no-ice-lite": dropping("The ice-lite line: the stack must be a full ICE agent."),
  "no-trickle": mendTrickle,
  "candidates-udp": dropping("The TCP candidate."),
  "candidates-readable": dropping("The candidate that WhatsApp cannot use."),
  "payload-types-offered": mendPayloadTypes,
  "mid-offered": mendMid,
  "bundle-mid": mendBundle,
};
